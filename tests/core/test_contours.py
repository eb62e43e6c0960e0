from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from liverseg_gui.core.contours import smooth_contours, voxel_edges

Labels = NDArray[np.uint8]
slices = arrays(
    np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 2)
)
labels_shown = st.sampled_from([1, 2])


def area(segments: NDArray[np.float64]) -> float:
    """The area around which directed segments (N, 2, 2) run, by the shoelace formula."""
    (x0, y0), (x1, y1) = segments[:, 0].T, segments[:, 1].T
    return float((x0 * y1 - x1 * y0).sum() / 2)


def sides_of(inside: NDArray[np.bool_]) -> set[tuple[float, float]]:
    """The middles of all voxel sides between inside and outside, found one voxel at a time."""
    padded = np.pad(inside, 1)
    found = set()
    for row, column in np.argwhere(padded):
        for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            if not padded[row + down, column + right]:
                found.add((column - 0.5 + right / 2, row - 0.5 + down / 2))
    return found


def sampled(points: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Points at most `step` apart along a polyline (N, 2)."""
    parts = [
        np.linspace(a, b, int(np.ceil(np.linalg.norm(b - a) / step)) + 1)
        for a, b in itertools.pairwise(points)
    ]
    return np.concatenate(parts)


@settings(deadline=None)
@given(slices, labels_shown)
def test_voxel_edges_enclose_exactly_the_voxels(labels: Labels, label: int) -> None:
    segments = voxel_edges(labels, label)
    assert area(segments) == np.count_nonzero(labels >= label)
    middles = set()
    for (x0, y0), (x1, y1) in segments:
        length = abs(x1 - x0) + abs(y1 - y0)
        assert (x0 == x1) != (y0 == y1)
        for n in range(int(length)):
            share = (n + 0.5) / length
            middles.add((float(x0 + share * (x1 - x0)), float(y0 + share * (y1 - y0))))
    assert middles == sides_of(labels >= label)
    assert len(middles) == sum(abs(b - a).sum() for a, b in segments)


def test_straight_borders_are_single_segments_with_the_inside_on_their_right() -> None:
    labels = np.zeros((6, 8), np.uint8)
    labels[1:4, 2:7] = 1
    segments = {tuple(map(tuple, segment)) for segment in voxel_edges(labels, 1).tolist()}
    assert segments == {
        ((2, 1), (7, 1)),
        ((7, 4), (2, 4)),
        ((7, 1), (7, 4)),
        ((2, 4), (2, 1)),
    }


@settings(deadline=None)
@given(slices, labels_shown, st.integers(0, 2))
def test_smooth_contours_stay_within_half_a_pixel_of_the_border_and_follow_all_of_it(
    labels: Labels, label: int, rounds: int
) -> None:
    curves = smooth_contours(labels, label, rounds)
    segments = voxel_edges(labels, label)
    if not (labels >= label).any():
        assert curves == []
        return
    border = np.concatenate([sampled(segment, 0.02) for segment in segments])
    drawn = np.concatenate([sampled(curve, 0.02) for curve in curves])
    assert cKDTree(border).query(drawn)[0].max() < 0.27
    assert cKDTree(drawn).query(border)[0].max() < 0.37


@settings(deadline=None)
@given(slices, labels_shown)
def test_smooth_contours_are_closed_and_one_for_each_part_and_hole(
    labels: Labels, label: int
) -> None:
    inside = np.pad(labels >= label, 1)
    curves = smooth_contours(labels, label)
    for curve in curves:
        assert len(curve) >= 5
        assert (curve[0] == curve[-1]).all()
    _, parts = ndimage.label(inside)
    _, outside = ndimage.label(~inside, np.ones((3, 3)))
    assert len(curves) == parts + outside - 1


@settings(deadline=None)
@given(slices)
def test_the_middle_of_every_voxel_lies_on_the_right_side_of_the_smooth_contours(
    labels: Labels,
) -> None:
    curves = smooth_contours(labels, 1)
    for row, column in np.ndindex(labels.shape):
        turns = sum(winding(curve, column + 0.5, row + 0.5) for curve in curves)
        assert abs(turns) == (labels[row, column] >= 1)


def winding(curve: NDArray[np.float64], x: float, y: float) -> int:
    """How often a closed curve runs around a point."""
    angles = np.arctan2(curve[:, 1] - y, curve[:, 0] - x)
    steps = np.diff(angles)
    return round(float(((steps + np.pi) % (2 * np.pi) - np.pi).sum() / (2 * np.pi)))


def test_a_single_voxel_keeps_a_visible_contour_even_in_the_corner_of_the_slice() -> None:
    labels = np.zeros((4, 4), np.uint8)
    labels[0, 3] = 2
    for label in (1, 2):
        (curve,) = smooth_contours(labels, label)
        assert curve.min(axis=0) == pytest.approx([3, 0], abs=0.15)
        assert curve.max(axis=0) == pytest.approx([4, 1], abs=0.15)


def test_the_liver_contour_runs_around_its_tumor_and_never_between_them() -> None:
    labels = np.zeros((20, 20), np.uint8)
    labels[4:16, 4:16] = 1
    labels[4:10, 8:12] = 2
    whole = np.minimum(labels, 1)
    assert np.array_equal(voxel_edges(labels, 1), voxel_edges(whole, 1))
    (curve,) = smooth_contours(labels, 1)
    assert np.array_equal(curve, smooth_contours(whole, 1)[0])
    assert len(smooth_contours(labels, 2)) == 1


def test_corners_turn_gently() -> None:
    labels = np.zeros((12, 12), np.uint8)
    labels[2:10, 2:10] = 1
    (curve,) = smooth_contours(labels, 1)
    way = np.diff(curve, axis=0)
    angles = np.unwrap(np.arctan2(way[:, 1], way[:, 0]))
    assert np.abs(np.diff(angles)).max() < np.radians(15)
    assert len(curve) == 4 * 8 + 1


def test_contourpy_is_not_loaded_before_a_contour_is_drawn() -> None:
    code = "import sys, liverseg_gui.core.contours; assert 'contourpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
