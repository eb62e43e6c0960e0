from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liverseg_gui.core.annotation_measures import NO_ANGLE, NO_VOXEL, measure_annotation
from liverseg_gui.core.annotations import Annotation, AnnotationKind, caliper
from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.planes import Plane
from liverseg_gui.core.scan_issues import Concern, ScanIssue, Severity
from liverseg_gui.core.volume import Origin, Volume
from tests.core.test_annotations import SHAPE, affines, annotation, at, planes


def between(lowest: int, highest: int, offset: float) -> st.SearchStrategy[float]:
    """Places of which no center lies exactly on a line between two: there roundings decide."""
    return st.integers(7 * lowest, 7 * highest).map(lambda n: n / 7 + offset)


across, down = between(-3, 53, np.pi / 100), between(-3, 53, np.e / 100)
corners = st.lists(st.tuples(across, down), min_size=3, max_size=9)


def volume_on(affine: Affine, *issues: ScanIssue) -> Volume:
    """Random HU on the RAS+ grid of `affine`."""
    hu = np.random.default_rng(0).integers(-1000, 1000, SHAPE).astype(np.int16)
    return Volume(hu, StoredGrid(SHAPE, affine), Origin(Path("scan.nii")), issues)


PLAIN = volume_on(Affine.from_spacing((0.7, 0.8, 2.5)))


def in_polygon(points: np.ndarray, u: float, v: float) -> bool:
    """By the edges that are crossed on the way out along the second axis."""
    crossed = 0
    for (u0, v0), (u1, v1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        if (u0 > u) != (u1 > u):
            crossed += v < v0 + (v1 - v0) * (u - u0) / (u1 - u0)
    return crossed % 2 == 1


@given(planes, affines(), st.lists(st.floats(0, 25), min_size=4, max_size=4))
def test_a_ruler_is_as_long_as_its_ends_are_apart_in_the_patient(
    plane: Plane, affine: Affine, n: list[float]
) -> None:
    ruler = annotation(AnnotationKind.RULER, (n[0], n[1]), (n[2], n[3]), plane=plane)
    upright = StoredGrid(SHAPE, affine).ras_affine
    oblique = Volume(
        np.zeros(StoredGrid(SHAPE, affine).to_ras(np.zeros(SHAPE)).shape, np.int16),
        StoredGrid(SHAPE, affine),
        Origin(Path("scan.nii")),
    )
    a, b = upright.to_mm(ruler.points_ijk)
    assert measure_annotation(ruler, oblique).length_mm == pytest.approx(
        np.linalg.norm(b - a), abs=1e-6
    )


def test_a_caliper_tells_the_longer_axis_first_whichever_was_drawn_first() -> None:
    affine = PLAIN.affine
    ends = (at(Plane.AXIAL, 10, 10), at(Plane.AXIAL, 20, 10))
    narrow = caliper(Plane.AXIAL, ends, None, at(Plane.AXIAL, 15, 12), affine)
    wide = caliper(Plane.AXIAL, ends, None, at(Plane.AXIAL, 15, 20), affine)
    found, other = measure_annotation(narrow, PLAIN), measure_annotation(wide, PLAIN)
    assert (found.longest_mm, found.perpendicular_mm) == pytest.approx((7.0, 3.2))
    assert (other.longest_mm, other.perpendicular_mm) == pytest.approx((16.0, 7.0))


def test_angles_are_those_of_the_patient_not_of_the_voxel_grid() -> None:
    affine = Affine.from_spacing((1.0, 1.0, 3.0))
    tilted = annotation(AnnotationKind.ANGLE, (13, 10), (10, 10), (13, 11), plane=Plane.CORONAL)
    assert measure_annotation(tilted, volume_on(affine)).angle_deg == pytest.approx(45)


@pytest.mark.parametrize(("end", "degrees"), [((20, 10), 0), ((10, 20), 90), ((0, 10), 180)])
def test_an_angle_runs_from_0_to_180_degrees(end: tuple, degrees: float) -> None:
    angle = annotation(AnnotationKind.ANGLE, (15, 10), (10, 10), end)
    assert measure_annotation(angle, PLAIN).angle_deg == pytest.approx(degrees)


def test_an_angle_without_an_arm_says_so() -> None:
    found = measure_annotation(annotation(AnnotationKind.ANGLE, (10, 10), (10, 10), (3, 3)), PLAIN)
    assert (found.angle_deg, found.note) == (None, NO_ANGLE)


@given(planes, st.floats(0.5, 12), st.floats(0.5, 12))
def test_the_area_of_an_ellipse_is_pi_a_b(plane: Plane, a: float, b: float) -> None:
    ellipse = annotation(AnnotationKind.ELLIPSE, (12 - a, 12 + b), (12 + a, 12 - b), plane=plane)
    width, height = plane.pixel_mm(PLAIN.affine)
    expected = np.pi * a * width * b * height
    assert measure_annotation(ellipse, PLAIN).area_mm2 == pytest.approx(expected)


@given(planes, st.tuples(across, down, across, down))
@settings(deadline=None, max_examples=50)
def test_statistics_of_an_ellipse_equal_those_of_every_center_inside(
    plane: Plane, n: tuple[float, float, float, float]
) -> None:
    ellipse = annotation(AnnotationKind.ELLIPSE, (n[0], n[1]), (n[2], n[3]), plane=plane)
    (cu, cv), (ru, rv) = ((n[0] + n[2]) / 2, (n[1] + n[3]) / 2), np.abs((n[0] - n[2], n[1] - n[3]))
    inside = [
        PLAIN.hu[tuple(int(x) for x in at(plane, u, v))]
        for u in range(SHAPE[plane.across])
        for v in range(SHAPE[plane.down])
        if ru * rv and ((u - cu) / (ru / 2)) ** 2 + ((v - cv) / (rv / 2)) ** 2 <= 1
    ]
    _equal(measure_annotation(ellipse, PLAIN), inside)


@given(planes, corners)
@settings(deadline=None, max_examples=50)
def test_statistics_of_a_polygon_equal_those_of_every_center_inside(
    plane: Plane, points: list[tuple[float, float]]
) -> None:
    polygon = annotation(AnnotationKind.POLYGON, *points, plane=plane)
    inside = [
        PLAIN.hu[tuple(int(x) for x in at(plane, u, v))]
        for u in range(SHAPE[plane.across])
        for v in range(SHAPE[plane.down])
        if in_polygon(np.array(points), u, v)
    ]
    _equal(measure_annotation(polygon, PLAIN), inside)


def _equal(found: object, inside: list[np.int16]) -> None:
    assert found.voxels == len(inside)
    if not inside:
        assert found.note == NO_VOXEL
        assert found.mean_hu is found.sd_hu is found.min_hu is found.max_hu is None
        return
    hu = np.array(inside, np.float64)
    assert found.mean_hu == pytest.approx(hu.mean())
    assert found.sd_hu == pytest.approx(hu.std())
    assert (found.min_hu, found.max_hu) == (hu.min(), hu.max())


@given(st.integers(3, 40), st.floats(1, 12), st.floats(0, 6))
def test_a_regular_polygon_has_the_area_of_its_triangles(
    count: int, radius: float, turn: float
) -> None:
    angle = turn + np.arange(count) * 2 * np.pi / count
    points = np.stack([15 + radius * np.cos(angle), 15 + radius * np.sin(angle)], axis=1)
    polygon = annotation(AnnotationKind.POLYGON, *points.tolist())
    expected = count / 2 * radius**2 * np.sin(2 * np.pi / count) * 0.7 * 0.8
    assert measure_annotation(polygon, PLAIN).area_mm2 == pytest.approx(expected, rel=1e-6)


def test_a_polygon_that_crosses_itself_encloses_both_of_its_parts() -> None:
    bow = annotation(AnnotationKind.POLYGON, (0, 0), (10, 10), (10, 0), (0, 10))
    assert measure_annotation(bow, PLAIN).area_mm2 == pytest.approx(50 * 0.7 * 0.8)


def test_the_middle_of_a_star_is_enclosed_twice_and_does_not_count() -> None:
    angle = np.arange(5) * 4 * np.pi / 5
    star = np.stack([20 + 15 * np.cos(angle), 20 + 15 * np.sin(angle)], axis=1)
    found = measure_annotation(annotation(AnnotationKind.POLYGON, *star.tolist()), PLAIN)
    assert found.voxels == sum(in_polygon(star, u, v) for u in range(40) for v in range(50))
    assert found.area_mm2 == pytest.approx(found.voxels * 0.7 * 0.8, rel=0.05)


def test_area_of_a_region_follows_a_tilted_grid() -> None:
    matrix = np.diag([1.0, 1.0, 2.0, 1.0])
    matrix[1, 2] = 0.8  # a tilted gantry: the sagittal plane's voxels are no rectangles
    square = annotation(
        AnnotationKind.POLYGON, (2, 2), (12, 2), (12, 12), (2, 12), plane=Plane.SAGITTAL
    )
    assert measure_annotation(square, volume_on(Affine(matrix))).area_mm2 == pytest.approx(
        100 * 2.0
    )


def test_a_probe_tells_the_voxel_it_lies_in_also_at_the_scans_edge() -> None:
    def probe(u: float, v: float) -> int | None:
        return measure_annotation(annotation(AnnotationKind.PROBE, (u, v)), PLAIN).hu

    assert probe(10.4, 20.6) == PLAIN.hu[10, 21, 7]
    assert probe(-0.5, 49.5) == PLAIN.hu[0, 49, 7]


def test_lengths_are_marked_where_the_scan_leaves_its_size_open() -> None:
    doubt = ScanIssue("no-spacing", Severity.WARNING, "No spacing.", "", Concern.MM)
    ruler = annotation(AnnotationKind.RULER, (1, 2), (3, 4))
    assert measure_annotation(ruler, PLAIN).mm_reliable
    assert not measure_annotation(ruler, volume_on(PLAIN.affine, doubt)).mm_reliable


def test_a_reading_has_the_figures_of_its_kind_alone() -> None:
    found = measure_annotation(annotation(AnnotationKind.RULER, (1, 2), (3, 4)), PLAIN)
    assert list(found.of_kind(AnnotationKind.RULER)) == ["length_mm"]
    for kind in AnnotationKind:
        assert set(found.of_kind(kind)) <= set(vars(found))
    arrow = Annotation(AnnotationKind.ARROW, Plane.AXIAL, 7, (at(Plane.AXIAL, 1, 1),) * 2, "here")
    assert measure_annotation(arrow, PLAIN).of_kind(arrow.kind) == {}
