"""A recipe page of its own, with a home of its own."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from liverseg_gui.ui.training_room.recipe_page import RecipePage


class Answers:
    """Stands for the file dialogs."""

    def __init__(self) -> None:
        self.open: Path | None = None
        self.save: Path | None = None
        self.weights: Path | None = None


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def page(
    qtbot: QtBot, answers: Answers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RecipePage]:
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path / "home"))
    gc.disable()
    try:
        made = RecipePage(lambda _: answers.open, lambda _: answers.save, lambda _: answers.weights)
    finally:
        gc.enable()
    qtbot.addWidget(made)
    yield made
    made.shutdown()
