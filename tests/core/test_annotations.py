from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liverseg_gui.core.annotations import (
    Annotation,
    AnnotationKind,
    caliper,
    distance_to,
    flat_mm,
    voxel_area_mm2,
)
from liverseg_gui.core.geometry import Affine, Float3
from liverseg_gui.core.planes import Plane

SHAPE = (40, 50, 30)
planes = st.sampled_from(Plane)
numbers = st.floats(0, 25)


@st.composite
def affines(draw: st.DrawFn) -> Affine:
    """Turned any way, with uneven spacing, and tilted like a gantry."""
    turn = [draw(st.floats(-3, 3)) for _ in range(3)]
    matrix = np.eye(4)
    for axis, angle in enumerate(turn):
        step = np.eye(4)
        one, other = [n for n in range(3) if n != axis]
        step[[one, other], [one, other]] = np.cos(angle)
        step[one, other], step[other, one] = -np.sin(angle), np.sin(angle)
        matrix = matrix @ step
    tilt = np.eye(4)
    tilt[1, 2] = draw(st.floats(-0.4, 0.4))
    spacing = np.diag([draw(st.floats(0.4, 5)) for _ in range(3)] + [1])
    matrix = matrix @ tilt @ spacing
    matrix[:3, 3] = draw(st.floats(-200, 200))
    return Affine(matrix)


def at(plane: Plane, u: float, v: float, index: int = 7) -> Float3:
    point = [float(index)] * 3
    point[plane.across], point[plane.down] = u, v
    return point[0], point[1], point[2]


def annotation(
    kind: AnnotationKind, *points: tuple[float, float], plane: Plane = Plane.AXIAL
) -> Annotation:
    return Annotation(kind, plane, 7, tuple(at(plane, u, v) for u, v in points))


def axes_mm(found: Annotation, affine: Affine) -> tuple[np.ndarray, np.ndarray]:
    a, b, c, d = affine.to_mm(found.points_ijk)
    return b - a, d - c


def test_a_ruler_of_three_points_or_across_slices_is_refused() -> None:
    with pytest.raises(ValueError, match="3 points"):
        annotation(AnnotationKind.RULER, (1, 2), (3, 4), (5, 6))
    with pytest.raises(ValueError, match="2 points"):
        annotation(AnnotationKind.POLYGON, (1, 2), (3, 4))
    with pytest.raises(ValueError, match="one slice"):
        Annotation(AnnotationKind.RULER, Plane.AXIAL, 7, ((1, 2, 7), (1, 2, 8)))


@given(planes, affines(), st.lists(numbers, min_size=4, max_size=4))
def test_on_the_sheet_points_are_as_far_apart_as_in_the_patient(
    plane: Plane, affine: Affine, n: list[float]
) -> None:
    points = [at(plane, n[0], n[1]), at(plane, n[2], n[3])]
    flat = flat_mm(points, plane, affine)
    apart = np.linalg.norm(np.diff(affine.to_mm(points), axis=0))
    assert np.linalg.norm(flat[1] - flat[0]) == pytest.approx(apart, abs=1e-6)


@given(planes, affines())
def test_a_voxel_covers_the_parallelogram_of_its_edges(plane: Plane, affine: Affine) -> None:
    edges = affine.matrix[:3, [plane.across, plane.down]]
    expected = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]))
    assert voxel_area_mm2(plane, affine) == pytest.approx(expected)


@given(planes, affines(), st.lists(numbers, min_size=10, max_size=10), st.integers(0, 3))
def test_a_caliper_stays_at_a_right_angle_whichever_end_is_moved(
    plane: Plane, affine: Affine, n: list[float], end: int
) -> None:
    ends = (at(plane, n[0], n[1]), at(plane, n[0] + 3, n[3]))
    drawn = caliper(plane, ends, at(plane, n[4], n[5]), at(plane, n[6], n[7]), affine)
    for found in (drawn, drawn.with_handle(end, at(plane, n[8], n[9]), affine)):
        one, other = axes_mm(found, affine)
        assert one @ other == pytest.approx(0, abs=1e-5)


def test_a_clicked_short_axis_lies_even_about_the_long_one_and_ends_beside_the_click() -> None:
    affine = Affine.from_spacing((1.0, 2.0, 1.0))
    ends = (at(Plane.AXIAL, 10, 10), at(Plane.AXIAL, 20, 10))
    found = caliper(Plane.AXIAL, ends, None, at(Plane.AXIAL, 14, 12), affine)
    assert found.points_ijk[2:] == (at(Plane.AXIAL, 14, 8), at(Plane.AXIAL, 14, 12))


def test_a_dragged_short_axis_begins_beside_its_start_and_stays_on_the_long_one() -> None:
    affine = Affine.from_spacing((1.0, 1.0, 1.0))
    ends = (at(Plane.AXIAL, 10, 10), at(Plane.AXIAL, 20, 10))
    found = caliper(Plane.AXIAL, ends, at(Plane.AXIAL, 12, 7), at(Plane.AXIAL, 30, 15), affine)
    assert found.points_ijk[2:] == (at(Plane.AXIAL, 20, 7), at(Plane.AXIAL, 20, 15))


def test_moving_one_end_of_the_short_axis_leaves_the_length_on_the_other_side() -> None:
    affine = Affine.from_spacing((1.0, 1.0, 1.0))
    ends = (at(Plane.AXIAL, 10, 10), at(Plane.AXIAL, 20, 10))
    drawn = caliper(Plane.AXIAL, ends, at(Plane.AXIAL, 12, 7), at(Plane.AXIAL, 12, 15), affine)
    moved = drawn.with_handle(3, at(Plane.AXIAL, 16, 11), affine)
    assert np.allclose(moved.points_ijk[2:], [at(Plane.AXIAL, 16, 7), at(Plane.AXIAL, 16, 11)])


def test_a_caliper_of_no_length_is_still_one() -> None:
    ends = (at(Plane.AXIAL, 10, 10),) * 2
    found = caliper(Plane.AXIAL, ends, None, at(Plane.AXIAL, 10, 12), Affine(np.eye(4)))
    assert np.isfinite(found.points_ijk).all()


@given(planes, st.tuples(*[st.floats(-80, 80)] * 3))
def test_a_moved_reading_keeps_its_form_and_stays_in_the_slice(plane: Plane, by: Float3) -> None:
    ruler = annotation(AnnotationKind.RULER, (3, 4), (12.5, 20), plane=plane)
    moved = ruler.moved(by, SHAPE)
    assert np.allclose(np.diff(moved.points_ijk, axis=0), np.diff(ruler.points_ijk, axis=0))
    room = np.array(SHAPE) - 0.5
    assert (np.array(moved.points_ijk) >= -0.5).all()
    assert (np.array(moved.points_ijk) <= room).all()


def test_a_small_move_is_made_in_full() -> None:
    moved = annotation(AnnotationKind.TEXT, (3, 4)).moved((1.5, -2.0, 9.0), SHAPE)
    assert moved.points_ijk == (at(Plane.AXIAL, 4.5, 2.0),)


@pytest.mark.parametrize(("handle", "box"), [(0, (6, 2, 9, 8)), (3, (1, 2, 9, 12))])
def test_the_end_of_an_ellipses_axis_moves_that_side_alone(handle: int, box: tuple) -> None:
    ellipse = annotation(AnnotationKind.ELLIPSE, (1, 2), (9, 8))
    moved = ellipse.with_handle(handle, at(Plane.AXIAL, 6, 12), Affine(np.eye(4)))
    assert tuple(moved.in_plane.ravel()) == box
    assert np.allclose(moved.handles_ijk[handle][handle // 2], (6, 12)[handle // 2])


def test_the_outline_of_an_ellipse_passes_its_handles() -> None:
    ellipse = annotation(AnnotationKind.ELLIPSE, (1, 2), (9, 8), plane=Plane.SAGITTAL)
    (outline,) = ellipse.outlines_ijk
    for handle in ellipse.handles_ijk:
        assert np.linalg.norm(outline - handle, axis=1).min() < 1e-9
    assert np.allclose(outline[0], outline[-1])


def test_a_polygons_corner_moves_alone_and_its_outline_is_closed() -> None:
    square = annotation(AnnotationKind.POLYGON, (1, 1), (5, 1), (5, 5), (1, 5))
    moved = square.with_handle(2, at(Plane.AXIAL, 8, 9), Affine(np.eye(4)))
    assert moved.in_plane.tolist() == [[1, 1], [5, 1], [8, 9], [1, 5]]
    (outline,) = moved.outlines_ijk
    assert len(outline) == 5
    assert (outline[0] == outline[-1]).all()


def test_distance_is_to_the_nearest_piece_of_the_line() -> None:
    corner = np.array([(0.0, 0.0), (10.0, 0.0), (10.0, 10.0)])
    assert distance_to(corner, (5, 3)) == 3
    assert distance_to(corner, (13, 14)) == 5
    assert distance_to(corner[:1], (3, 4)) == 5
    assert distance_to(np.array([(2.0, 2.0), (2.0, 2.0)]), (2, 5)) == 3
