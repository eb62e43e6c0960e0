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
def annotations(study: OpenScan, history: History) -> Annotations:
    """With a ruler and a note drawn; the note is chosen."""
    annotations = Annotations(study, history)
    annotations.add(RULER)
    annotations.add(NOTE)
    return annotations


def test_a_drawn_reading_is_chosen_and_found_in_its_slice_alone(annotations: Annotations) -> None:
    assert list(annotations.items.values()) == [RULER, NOTE]
    assert annotations.items[annotations.chosen] is NOTE
    assert list(annotations.on(Plane.AXIAL, 20).values()) == [RULER]
    assert not annotations.on(Plane.AXIAL, 21)
    assert not annotations.on(Plane.CORONAL, 20)


CHANGES: dict[str, tuple[Callable[[Annotations], object], dict[int, Annotation], str]] = {
    "add": (lambda r: r.add(LONGER), {1: RULER, 2: NOTE, 3: LONGER}, "draw ruler"),
    "replace": (lambda r: r.replace(1, LONGER, "move"), {1: LONGER, 2: NOTE}, "move ruler"),
    "remove": (lambda r: r.remove(2), {1: RULER}, "delete text"),
    "clear": (lambda r: r.clear(), {}, "delete all readings"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_is_one_step_that_is_taken_back_and_done_again(
    annotations: Annotations, history: History, name: str
) -> None:
    change, after, step = CHANGES[name]
    before, chosen = dict(annotations.items), annotations.chosen
    change(annotations)
    assert (annotations.items, history.undo_name) == (after, step)
    history.undo()
    assert (annotations.items, annotations.chosen) == (before, chosen)
    history.redo()
    assert annotations.items == after
    assert annotations.chosen is None or annotations.chosen in after


def test_all_steps_together_lead_back_to_an_empty_list(
    annotations: Annotations, history: History
) -> None:
    for change, _, _ in CHANGES.values():
        change(annotations)
    while history.can_undo:
        history.undo()
    assert not annotations.items
    assert annotations.chosen is None
    while history.can_redo:
        history.redo()
    assert not annotations.items


def test_a_change_that_changes_nothing_is_no_step(
    annotations: Annotations, history: History
) -> None:
    annotations.replace(1, Annotation(**vars(RULER)))
    assert history.undo_name == "draw text"
    annotations.clear()
    annotations.clear()
    history.undo()
    assert len(annotations.items) == 2


def test_what_is_deleted_is_no_longer_chosen(annotations: Annotations) -> None:
    annotations.remove(1)
    assert annotations.chosen == 2
    annotations.remove(2)
    assert annotations.chosen is None


def test_choosing_is_told_but_is_no_step(annotations: Annotations, history: History) -> None:
    told: list[object] = []
    annotations.changed.connect(lambda: told.append(annotations.chosen))
    annotations.choose(1)
    annotations.choose(1)
    annotations.choose(99)
    annotations.choose(None)
    assert told == [1, None]
    assert history.undo_name == "draw text"


def test_figures_follow_the_reading(annotations: Annotations) -> None:
    before = annotations.figures(1)
    assert annotations.figures(1) is before
    annotations.replace(1, LONGER)
    assert (before.length_mm, annotations.figures(1).length_mm) == pytest.approx((90.0, 120.0))


def test_another_scan_takes_readings_and_history_away(
    annotations: Annotations, history: History, study: OpenScan, phantom: Phantom
) -> None:
    told: list[int] = []
    annotations.changed.connect(lambda: told.append(len(annotations.items)))
    study.open(phantom.volume)
    assert told == [0]
    assert (annotations.chosen, history.can_undo, history.can_redo) == (None, False, False)
    assert annotations.add(RULER) == 1


def test_a_text_is_given_in_one_step_and_a_note_without_one_is_deleted(
    annotations: Annotations, history: History
) -> None:
    annotations.set_text(1, "portal vein")
    assert annotations.items[1].text == "portal vein"
    assert history.undo_name == "label ruler"
    annotations.set_text(2, "")
    assert list(annotations.items) == [1]
    history.undo()
    history.undo()
    assert list(annotations.items.values()) == [RULER, NOTE]
