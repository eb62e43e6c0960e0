from __future__ import annotations

import numpy as np
import pytest

from liverseg_gui.core.annotations import AnnotationKind
from liverseg_gui.core.geometry import Affine, Float3
from liverseg_gui.core.planes import Plane
from liverseg_gui.ui.annotations.builder import AnnotationBuilder

A, B, C, D = (1.0, 1.0, 5.0), (9.0, 1.0, 5.0), (5.0, 6.0, 5.0), (2.0, 7.0, 5.0)


def builder(kind: AnnotationKind) -> AnnotationBuilder:
    return AnnotationBuilder(kind, Plane.AXIAL, 5, Affine(np.eye(4)))


def put(builder: AnnotationBuilder, *points: Float3) -> list[bool]:
    """Whether the reading was finished with each of the points."""
    return [builder.put(point) is not None for point in points]


@pytest.mark.parametrize(
    ("kind", "points"),
    [
        (AnnotationKind.PROBE, 1),
        (AnnotationKind.TEXT, 1),
        (AnnotationKind.RULER, 2),
        (AnnotationKind.ARROW, 2),
        (AnnotationKind.ELLIPSE, 2),
        (AnnotationKind.ANGLE, 3),
        (AnnotationKind.CALIPER, 3),
    ],
)
def test_a_reading_is_finished_with_its_last_point(kind: AnnotationKind, points: int) -> None:
    assert put(builder(kind), *(A, B, C)[:points]) == [False] * (points - 1) + [True]


@pytest.mark.parametrize(
    "kind", [AnnotationKind.RULER, AnnotationKind.ARROW, AnnotationKind.ELLIPSE]
)
def test_a_drag_puts_the_point_it_begins_at_and_the_one_it_ends_at(kind: AnnotationKind) -> None:
    drawing = builder(kind)
    drawing.press(A)
    assert drawing.put(B).points_ijk == (A, B)


def test_a_drag_after_a_click_ends_the_line_that_was_begun() -> None:
    drawing = builder(AnnotationKind.RULER)
    drawing.put(A)
    drawing.press(C)
    assert drawing.put(B).points_ijk == (A, B)


def test_a_probe_that_is_dragged_stays_where_it_is_let_go() -> None:
    drawing = builder(AnnotationKind.PROBE)
    drawing.press(A)
    assert drawing.put(B).points_ijk == (B,)


def test_a_polygon_needs_three_corners_to_be_closed() -> None:
    drawing = builder(AnnotationKind.POLYGON)
    put(drawing, A, B)
    assert drawing.close() is None
    put(drawing, C, D)
    assert drawing.close().points_ijk == (A, B, C, D)


def test_only_a_polygon_is_closed() -> None:
    drawing = builder(AnnotationKind.ANGLE)
    put(drawing, A, B)
    assert drawing.close() is None


def test_the_draft_follows_the_cursor() -> None:
    drawing = builder(AnnotationKind.POLYGON)
    assert drawing.draft is None
    drawing.put(A)
    assert drawing.draft is None
    drawing.hover(B)
    assert (drawing.draft.kind, drawing.draft.points_ijk) == (AnnotationKind.RULER, (A, B))
    drawing.put(B)
    drawing.hover(C)
    assert (drawing.draft.kind, drawing.draft.points_ijk) == (AnnotationKind.POLYGON, (A, B, C))
    assert drawing.points == (A, B)


def test_a_caliper_shows_its_short_axis_before_it_is_put() -> None:
    drawing = builder(AnnotationKind.CALIPER)
    put(drawing, A, B)
    drawing.hover(C)
    assert drawing.draft.points_ijk == (A, B, (5.0, -4.0, 5.0), C)
    drawing.press((5.0, 3.0, 5.0))
    assert drawing.put(C).points_ijk == (A, B, (5.0, 3.0, 5.0), C)
