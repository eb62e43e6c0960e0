"""A new model against the one in use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.progress import Progress
from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.training_window.results import compare_box
from liverseg_gui.ui.training_window.results.compare_box import CompareBox
from liverseg_gui.ui.training_window.results.page import ResultPage
from liverseg_gui.ui.widgets.severity import TONE_ROLE
from liverseg_gui.ui.widgets.theme import tone_of
from tests.training.verdicts import pair
from tests.ui.conftest import FakeDialogs
from tests.ui.training_window.results.conftest import figures, run_at
from training.evaluation.model_comparison import Comparison
from training.runs.folder import RunState

PAIRS = (
    pair("a", (0.90, 0.5), (0.95, 0.4)),
    pair("b", (0.80, None), (0.81, None)),
    pair("c", (0.99, 0.9), (0.10, 0.1), "default"),
)
COMPARED = Comparison("ward 7", "default", PAIRS)


@pytest.fixture
def box(result: ResultPage, tmp_path: Path, untrained_model: Path) -> CompareBox:
    rows = [figures(name, 2) for name in "abc"]
    result.show_run(run_at(tmp_path / "run", rows, model=untrained_model))
    result.tabs.setCurrentWidget(result.comparison)
    return result.comparison


def rows_of(box: CompareBox) -> list[list[str]]:
    table = box.table
    items = [table.topLevelItem(n) for n in range(table.topLevelItemCount())]
    return [[item.text(n) for n in range(7)] for item in items]


def test_both_models_stand_beside_each_other_with_their_difference(
    box: CompareBox, idle: Callable[[], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[tuple[Path, str]] = []

    def compared(out: Path, model: str, progress: Progress) -> Comparison:
        asked.append((out, model))
        return COMPARED

    monkeypatch.setattr(compare_box, "compare_run_apart", compared)
    assert box.button.text() == "Compare with the model in use (default)"
    box.button.click()
    idle()
    assert asked == [(tmp_path / "run", "default")]
    none = "\N{EN DASH}"
    assert rows_of(box) == [
        ["a", "0.900", "0.950", "+0.050", "0.500", "0.400", "-0.100"],
        ["b", "0.800", "0.810", "+0.010", none, none, none],
        ["c *", "0.990", "0.100", "-0.890", "0.900", "0.100", "-0.800"],
        ["Mean of 2", "0.850", "0.880", "+0.030 (+0.010 to +0.050)", "0.500", "0.400", "-0.100"],
    ]
    first = box.table.topLevelItem(0)
    assert (first.data(3, TONE_ROLE), first.data(6, TONE_ROLE)) == ("good", "warning")
    assert box.left_out.text() == (
        "* default was trained on patients of these names, as far as names tell, which is no fair "
        "comparison: the means leave 1 patient out."
    )
    assert "Liver: mean Dice 0.8500 -> 0.8800, +0.0300" in box.means.text()
    assert box.button.isEnabled()


def test_masks_that_have_changed_since_are_told(box: CompareBox) -> None:
    box.show_comparison(Comparison("ward 7", "default", PAIRS[:2], changed=("a",)))
    assert box.left_out.text() == (
        "Scan or mask of 1 patient has changed since the training, or it is too old to tell: "
        "ward 7 was judged anew there, on today's mask."
    )


def test_where_every_patient_is_left_out_nobody_is_left_to_compare_by(box: CompareBox) -> None:
    box.show_comparison(Comparison("ward 7", "default", PAIRS[2:]))
    assert [row[0] for row in rows_of(box)] == ["c *"]
    assert box.left_out.text().endswith("Nobody is left to compare by.")
    assert "Liver: no patient to tell it from." in box.means.text()


def test_a_comparison_is_cancelled(
    qtbot: QtBot, box: CompareBox, idle: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def endless(out: Path, model: str, progress: Progress) -> Comparison:
        wait = threading.Event()
        while not wait.wait(0.01):
            progress.update(0.5, "Segmenting")
            begun.set()
        raise AssertionError

    monkeypatch.setattr(compare_box, "compare_run_apart", endless)
    box.button.click()
    qtbot.waitUntil(begun.is_set)
    qtbot.waitUntil(box.bar.isVisible)
    assert not box.button.isEnabled()
    box.bar.cancel()
    idle()
    assert box.note.text() == "The comparison was cancelled."
    assert not box.table.isVisible()
    assert box.button.isEnabled()


def test_what_becomes_of_the_comparison_of_one_training_is_not_told_under_another(
    qtbot: QtBot,
    result: ResultPage,
    box: CompareBox,
    idle: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    begun = threading.Event()

    def endless(out: Path, model: str, progress: Progress) -> Comparison:
        wait = threading.Event()
        while not wait.wait(0.01):
            begun.set()
            progress.update(0.5, "Segmenting")
        raise AssertionError

    monkeypatch.setattr(compare_box, "compare_run_apart", endless)
    box.button.click()
    qtbot.waitUntil(begun.is_set)
    result.show_run(run_at(tmp_path / "stopped", state=RunState.STOPPED))
    idle()
    assert box.note.text() == "There is no model yet."
    assert not box.button.isEnabled()


def test_the_model_that_is_named_follows_the_one_in_use_and_is_the_one_compared(
    box: CompareBox,
    idle: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
) -> None:
    asked: list[str] = []

    def compared(out: Path, model: str, progress: Progress) -> Comparison:
        asked.append(model)
        return COMPARED

    monkeypatch.setattr(compare_box, "compare_run_apart", compared)
    settings.choose_model("other")
    assert box.button.text() == "Compare with the model in use (other)"
    box.button.click()
    idle()
    assert asked == ["other"]


def test_what_went_wrong_is_told(
    box: CompareBox,
    idle: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    dialogs: FakeDialogs,
) -> None:
    def fail(out: Path, model: str, progress: Progress) -> Comparison:
        raise LiverSegError("The patients are not in the data any more.")

    monkeypatch.setattr(compare_box, "compare_run_apart", fail)
    box.button.click()
    idle()
    assert box.note.text() == "The patients are not in the data any more."
    assert tone_of(box.note) == "error"
    assert dialogs.problems == []
