"""Trainings with results made by hand, and pages that show them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from liverseg_gui.core.labels import LIVER, TUMOR
from liverseg_gui.evaluation.evaluate import evaluate_case
from liverseg_gui.segmentation.models import weights_check
from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.training_window.results import model_actions_box
from liverseg_gui.ui.training_window.results.page import ResultPage
from tests.training.tiny import TINY
from tests.ui.conftest import FakeDialogs
from training.export.model_card import Row, add_to_card
from training.runs.files import HELD_OUT
from training.runs.folder import RunState
from training.runs.registry import register_run
from training.runs.state_file import RunStateFile
from training.runs.training_job import TrainingJob

SPACING_MM = (5.0, 2.0, 2.0)


def masks(missed: int, tumor: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """(found, truth), uint8 (4, 40, 40); of the liver's 20 rows `missed` are not found."""
    truth = np.zeros((4, 40, 40), np.uint8)
    truth[:, 10:30, 10:30] = LIVER
    if tumor:
        truth[1:3, 24:30, 20:26] = TUMOR
    found = truth.copy()
    found[:, 30 - missed : 30] = 0
    return found, truth


def figures(name: str, missed: int, *, tumor: bool = True, mm: bool = True) -> Row:
    """The row of a held-out patient."""
    found, truth = masks(missed, tumor)
    spacing = SPACING_MM if mm else None
    return evaluate_case(name, found, truth, spacing, axial_axis=0).to_json()


def run_at(
    out: Path,
    rows: Sequence[Row] = (),
    state: RunState = RunState.FINISHED,
    model: Path | None = None,
    message: str = "",
) -> Path:
    """A training in `out` that is known to the program, with the figures `rows`."""
    out.mkdir(parents=True)
    record = RunStateFile(TrainingJob(out=out, name="ward 7", config=TINY), "liverseg train")
    if model is not None:
        shutil.copytree(model, out / "model")
        add_to_card(out / "model", {"name": "ward 7"})
    if rows:
        (out / HELD_OUT).write_text(json.dumps({"trained_on": ["z"], "cases": list(rows)}))
    record.enter(state, message, "model" if model else None)
    register_run(out)
    return out


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a network has is found here and not in a process, which is faster."""
    monkeypatch.setattr(model_actions_box, "expected_shapes_apart", weights_check.expected_shapes)


@pytest.fixture
def shown() -> list[tuple[Path, int | None, int]]:
    """The slices that were to be shown in the viewer."""
    return []


@pytest.fixture
def result(
    qtbot: QtBot,
    settings: Settings,
    dialogs: FakeDialogs,
    shown: list[tuple[Path, int | None, int]],
) -> Iterator[ResultPage]:
    page = ResultPage(
        settings,
        dialogs,  # type: ignore[arg-type]
        lambda *place: shown.append(place),
    )
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    yield page
    page.shutdown()


@pytest.fixture
def idle(qtbot: QtBot, result: ResultPage) -> Callable[[], None]:
    """Waits until the page has nothing left to do."""
    return lambda: qtbot.waitUntil(lambda: not result.runner.busy)
