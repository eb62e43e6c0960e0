"""A data page and a configuration page with their own settings and dialogs; small phantoms."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from liverseg_gui.core.progress import Progress
from liverseg_gui.state.settings import Settings
from liverseg_gui.system import privacy
from liverseg_gui.system.child_process import KeptChild
from liverseg_gui.ui.training_window.config.page import ConfigPage
from liverseg_gui.ui.training_window.data.case_columns import PART
from liverseg_gui.ui.training_window.data.page import DataPage
from tests.training import layouts
from tests.ui.conftest import FakeDialogs
from tests.ui.training_window.stage import stage as stage  # a fixture


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path / "home"))


@pytest.fixture(autouse=True)
def no_process_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """What loads torch is done in this process, which has loaded it: starting one takes seconds."""

    def call(
        _: KeptChild, work: Callable[[Progress], object], progress: Progress, *_words: object
    ) -> object:
        return work(progress)

    monkeypatch.setattr(KeptChild, "call", call)


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """Names of cases are secrets for the test that listed them only."""
    privacy.forget_secrets()
    yield
    privacy.forget_secrets()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "settings.json")


@pytest.fixture
def dialogs() -> FakeDialogs:
    return FakeDialogs()


@pytest.fixture
def page(qtbot: QtBot, settings: Settings, dialogs: FakeDialogs) -> Iterator[DataPage]:
    page = DataPage(settings, dialogs)  # type: ignore[arg-type]
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    yield page
    page.shutdown()


class Answers:
    """Stands for the file dialogs of the recipe page."""

    def __init__(self) -> None:
        self.open: Path | None = None
        self.save: Path | None = None
        self.weights: Path | None = None


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def config_page(qtbot: QtBot, settings: Settings, answers: Answers) -> Iterator[ConfigPage]:
    gc.disable()
    try:
        made = ConfigPage(
            settings, lambda _: answers.open, lambda _: answers.save, lambda _: answers.weights
        )
    finally:
        gc.enable()
    qtbot.addWidget(made)
    yield made
    made.shutdown()


@pytest.fixture(scope="session")
def seven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of seven labelled phantoms."""
    folder = tmp_path_factory.mktemp("data") / "siteA"
    layouts.decathlon(folder, tuple(range(1, 8)))
    return folder


def look(qtbot: QtBot, page: DataPage, *folders: Path) -> None:
    """Add folders and wait until they are looked through."""
    page.add(folders)
    idle(qtbot, page)


def idle(qtbot: QtBot, page: DataPage) -> None:
    qtbot.waitUntil(lambda: not page.runner.busy)


def listed(page: DataPage) -> list[str]:
    """The cases as the table shows them, from the top."""
    table = page.table
    return [table.topLevelItem(n).text(0) for n in range(table.topLevelItemCount())]


def parts(page: DataPage) -> dict[str, str]:
    table = page.table
    rows = [table.topLevelItem(n) for n in range(table.topLevelItemCount())]
    return {row.text(0): row.text(PART) for row in rows}
