from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from liverseg_gui.evaluation.lesion_detection import LesionCounts, lesion_metrics
from tests.training.blobs import blob, box

SHAPE = (60, 40, 20)
MM = (1.0, 1.0, 2.0)
NOTHING = np.zeros(SHAPE, bool)


def lesion(i: int, length: int, j: int = 5) -> NDArray[np.bool_]:
    """A bar of `length` voxels along i, two thick and one slice high."""
    return box((i, i + length), (j, j + 2), (4, 5), shape=SHAPE)


def test_a_lesion_matches_only_above_half_of_the_union() -> None:
    half = lesion_metrics(lesion(0, 5), lesion(0, 10), MM)
    more = lesion_metrics(lesion(0, 6), lesion(0, 10), MM)
    assert half.over_half.every == LesionCounts(1, 0, 1, 0)
    assert half.any_overlap.every == LesionCounts(1, 1, 1, 1)
    assert more.over_half.every == LesionCounts(1, 1, 1, 1)


def test_lesions_that_touch_by_a_corner_are_one() -> None:
    corner = box((0, 3), (0, 3), (0, 3), shape=SHAPE) | box((3, 6), (3, 6), (3, 6), shape=SHAPE)
    apart = box((0, 3), (0, 3), (0, 3), shape=SHAPE) | box((4, 7), (4, 7), (4, 7), shape=SHAPE)
    assert lesion_metrics(NOTHING, corner, MM).over_half.every.true == 1
    assert lesion_metrics(NOTHING, apart, MM).over_half.every.true == 2


def test_one_found_lesion_over_two_true_ones_finds_both() -> None:
    found, truth = lesion(0, 11), lesion(0, 5) | lesion(6, 5)
    figures = lesion_metrics(found, truth, MM)
    assert figures.over_half.every == LesionCounts(1, 1, 2, 2)


def test_two_found_lesions_in_one_true_one_are_both_right() -> None:
    found, truth = lesion(0, 5) | lesion(6, 5), lesion(0, 11)
    counts = lesion_metrics(found, truth, MM).over_half.every
    assert counts == LesionCounts(2, 2, 1, 1)
    assert (counts.precision, counts.recall, counts.f1) == (1.0, 1.0, 1.0)


def test_a_true_lesion_goes_to_the_found_one_that_covers_most_of_it() -> None:
    truth = lesion(0, 10) | lesion(20, 10)
    found = lesion(2, 8) | lesion(18, 12) | lesion(40, 3)
    counts = lesion_metrics(found, truth, MM).over_half.every
    assert counts == LesionCounts(3, 2, 2, 2)
    assert counts.precision == pytest.approx(2 / 3)


def test_size_is_that_of_the_lesion_itself_and_the_border_belongs_to_the_middle() -> None:
    truth = lesion(0, 5) | lesion(8, 10, 12) | lesion(0, 25, 30)
    found = lesion(0, 5) | lesion(8, 2, 12)
    small, middle, large = lesion_metrics(found, truth, MM).over_half.by_size or ()
    assert small == LesionCounts(2, 1, 1, 1)
    assert middle == LesionCounts(0, 0, 1, 0)
    assert large == LesionCounts(0, 0, 1, 0)
    measurable = lesion_metrics(found, truth, MM).over_half.from_10_mm
    assert measurable == LesionCounts(0, 0, 2, 0)
    twice = lesion_metrics(found, truth, (2.0, 2.0, 2.0)).over_half.by_size
    assert twice == (LesionCounts(1, 0, 0, 0), LesionCounts(1, 1, 1, 1), LesionCounts(0, 0, 2, 0))


def test_sizes_are_axial_and_do_not_count_slices() -> None:
    column = box((5, 8), (5, 8), (0, 18), shape=SHAPE)
    small, _, _ = lesion_metrics(NOTHING, column, MM).over_half.by_size or ()
    assert small.true == 1


def test_without_spacing_there_are_counts_and_no_sizes() -> None:
    figures = lesion_metrics(lesion(0, 6), lesion(0, 10), None)
    assert figures.over_half.every == LesionCounts(1, 1, 1, 1)
    assert figures.over_half.by_size is None
    assert figures.any_overlap.from_10_mm is None


def test_what_is_not_there_has_no_precision_and_no_recall() -> None:
    none = lesion_metrics(NOTHING, NOTHING, MM).over_half.every
    missed = lesion_metrics(NOTHING, lesion(0, 5), MM).over_half.every
    false = lesion_metrics(lesion(0, 5), NOTHING, MM).over_half.every
    assert (none.precision, none.recall, none.f1) == (None, None, None)
    assert (missed.precision, missed.recall, missed.f1) == (None, 0.0, 0.0)
    assert (false.precision, false.recall, false.f1) == (0.0, None, 0.0)


@pytest.mark.parametrize("seed", range(10))
def test_at_any_overlap_every_found_lesion_that_touches_a_true_one_is_right(seed: int) -> None:
    rng = np.random.default_rng(seed)
    found, truth = blob(rng, 0.1), blob(rng, 0.1)
    figures = lesion_metrics(found, truth, MM)
    half, touched = figures.over_half.every, figures.any_overlap.every
    parts, count = ndimage.label(found, np.ones((3, 3, 3)))
    true_parts, true_count = ndimage.label(truth, np.ones((3, 3, 3)))
    assert (touched.found, touched.true) == (count, true_count)
    assert touched.found_matched == len(set(parts[truth & found].tolist()))
    assert touched.true_matched <= len(set(true_parts[truth & found].tolist()))
    assert half.found_matched <= touched.found_matched
    assert half.true_matched <= touched.true_matched


def test_swapping_axes_of_the_slice_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    found, truth = blob(rng, 0.15), blob(rng, 0.15)
    swapped = lesion_metrics(found.swapaxes(0, 1), truth.swapaxes(0, 1), (0.8, 0.8, 3.0))
    assert swapped.over_half == lesion_metrics(found, truth, (0.8, 0.8, 3.0)).over_half


def test_the_memory_of_matching_grows_with_the_lesions_and_not_with_their_square() -> None:
    specks = np.zeros((192, 192, 2), bool)
    specks[::2, ::2, 0] = True
    tracemalloc.start()
    try:
        every = lesion_metrics(specks, specks, None).over_half.every
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (every.found_matched, every.true_matched) == (9216, 9216)
    assert peak < 9216 * 1000  # a table of all pairs would take 680 MB


@pytest.mark.parametrize("seed", range(6))
def test_matching_follows_the_rule_pair_by_pair(seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = rng.random((14, 12, 9)) < 0.12
    true = np.where(rng.random(found.shape) < 0.5, found, rng.random(found.shape) < 0.12)
    metrics = lesion_metrics(found, true, None)
    for least, detection in ((0.5, metrics.over_half), (0.0, metrics.any_overlap)):
        assert detection.every == by_the_rule(found, true, least)


def by_the_rule(found: np.ndarray, true: np.ndarray, least: float) -> LesionCounts:
    """The three steps that the module describes, with a table of all pairs."""
    (a, count_a), (b, count_b) = (ndimage.label(m, np.ones((3, 3, 3))) for m in (found, true))
    table = np.array(
        [
            [np.sum((a == m) & (b == n)) for n in range(1, count_b + 1)]
            for m in range(1, count_a + 1)
        ]
    )
    groups: dict[int, list[int]] = {}
    for n in range(count_b):
        if table[:, n].any():
            groups.setdefault(int(table[:, n].argmax()), []).append(n)
    joined = np.array([table[:, group].sum(axis=1) for group in groups.values()])
    right = [0, 0]
    for number, group in enumerate(groups.values()):
        mine = [
            m for m in range(count_a) if joined[:, m].argmax() == number and joined[number, m] > 0
        ]
        common = joined[number, mine].sum()
        sizes = sum(np.sum(a == m + 1) for m in mine) + sum(np.sum(b == n + 1) for n in group)
        if common > least * (sizes - common):
            right[0] += len(mine)
            right[1] += len(group)
    return LesionCounts(count_a, right[0], count_b, right[1])
