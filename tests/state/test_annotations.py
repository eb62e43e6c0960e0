from __future__ import annotations

from collections.abc import Callable

import pytest

from liverseg_gui.core.annotations import Annotation, AnnotationKind
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.planes import Plane
from liverseg_gui.state.annotations import Annotations
from liverseg_gui.state.history import History
from liverseg_gui.state.open_scan import OpenScan

RULER = Annotation(AnnotationKind.RULER, Plane.AXIAL, 20, ((10, 10, 20), (40, 10, 20)))
LONGER = Annotation(AnnotationKind.RULER, Plane.AXIAL, 20, ((10, 10, 20), (50, 10, 20)))
NOTE = Annotation(AnnotationKind.TEXT, Plane.CORONAL, 9, ((5, 9, 6),), "here")


@pytest.fixture
def study(phantom: Phantom) -> OpenScan:
    study = OpenScan()
    study.open(phantom.volume)
    return study


@pytest.fixture
def history() -> History:
    return History()


@pytest.fixture
def readings(study: OpenScan, history: History) -> Annotations:
    """With a ruler and a note drawn; the note is chosen."""
    readings = Annotations(study, history)
    readings.add(RULER)
    readings.add(NOTE)
    return readings


def test_a_drawn_reading_is_chosen_and_found_in_its_slice_alone(readings: Annotations) -> None:
    assert list(readings.items.values()) == [RULER, NOTE]
    assert readings.items[readings.chosen] is NOTE
    assert list(readings.on(Plane.AXIAL, 20).values()) == [RULER]
    assert not readings.on(Plane.AXIAL, 21)
    assert not readings.on(Plane.CORONAL, 20)


CHANGES: dict[str, tuple[Callable[[Annotations], object], dict[int, Annotation], str]] = {
    "add": (lambda r: r.add(LONGER), {1: RULER, 2: NOTE, 3: LONGER}, "draw ruler"),
    "replace": (lambda r: r.replace(1, LONGER, "move"), {1: LONGER, 2: NOTE}, "move ruler"),
    "remove": (lambda r: r.remove(2), {1: RULER}, "delete text"),
    "clear": (lambda r: r.clear(), {}, "delete all readings"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_is_one_step_that_is_taken_back_and_done_again(
    readings: Annotations, history: History, name: str
) -> None:
    change, after, step = CHANGES[name]
    before, chosen = dict(readings.items), readings.chosen
    change(readings)
    assert (readings.items, history.undo_name) == (after, step)
    history.undo()
    assert (readings.items, readings.chosen) == (before, chosen)
    history.redo()
    assert readings.items == after
    assert readings.chosen is None or readings.chosen in after


def test_all_steps_together_lead_back_to_an_empty_list(
    readings: Annotations, history: History
) -> None:
    for change, _, _ in CHANGES.values():
        change(readings)
    while history.can_undo:
        history.undo()
    assert not readings.items
    assert readings.chosen is None
    while history.can_redo:
        history.redo()
    assert not readings.items


def test_a_change_that_changes_nothing_is_no_step(readings: Annotations, history: History) -> None:
    readings.replace(1, Annotation(**vars(RULER)))
    assert history.undo_name == "draw text"
    readings.clear()
    readings.clear()
    history.undo()
    assert len(readings.items) == 2


def test_what_is_deleted_is_no_longer_chosen(readings: Annotations) -> None:
    readings.remove(1)
    assert readings.chosen == 2
    readings.remove(2)
    assert readings.chosen is None


def test_choosing_is_told_but_is_no_step(readings: Annotations, history: History) -> None:
    told: list[object] = []
    readings.changed.connect(lambda: told.append(readings.chosen))
    readings.choose(1)
    readings.choose(1)
    readings.choose(99)
    readings.choose(None)
    assert told == [1, None]
    assert history.undo_name == "draw text"


def test_figures_follow_the_reading(readings: Annotations) -> None:
    before = readings.figures(1)
    assert readings.figures(1) is before
    readings.replace(1, LONGER)
    assert (before.length_mm, readings.figures(1).length_mm) == pytest.approx((90.0, 120.0))


def test_another_scan_takes_readings_and_history_away(
    readings: Annotations, history: History, study: OpenScan, phantom: Phantom
) -> None:
    told: list[int] = []
    readings.changed.connect(lambda: told.append(len(readings.items)))
    study.open(phantom.volume)
    assert told == [0]
    assert (readings.chosen, history.can_undo, history.can_redo) == (None, False, False)
    assert readings.add(RULER) == 1


def test_a_text_is_given_in_one_step_and_a_note_without_one_is_deleted(
    readings: Annotations, history: History
) -> None:
    readings.set_text(1, "portal vein")
    assert readings.items[1].text == "portal vein"
    assert history.undo_name == "label ruler"
    readings.set_text(2, "")
    assert list(readings.items) == [1]
    history.undo()
    history.undo()
    assert list(readings.items.values()) == [RULER, NOTE]
