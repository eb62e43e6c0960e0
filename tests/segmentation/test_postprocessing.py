from __future__ import annotations

import numpy as np
import pytest

from liverseg_gui.core.errors import Cancelled
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.gap_filling import bridge_gaps
from liverseg_gui.segmentation.postprocessing import CleanUp, candidates, clean

SPACING_MM = (2.0, 2.0, 2.5)  # 0.01 ml a voxel


def liver() -> np.ndarray:
    labels = np.zeros((30, 30, 12), np.uint8)
    labels[5:25, 5:25, 2:10] = 1
    return labels


def test_only_the_largest_organ_stays() -> None:
    labels = liver()
    labels[27:29, 27:29, 5] = 1
    assert (clean(labels, SPACING_MM) == liver()).all()


def test_a_hole_becomes_liver() -> None:
    labels = liver()
    labels[10:13, 10:13, 5:7] = 0
    assert (clean(labels, SPACING_MM) == liver()).all()


def test_a_tumor_stays_and_its_speck_goes() -> None:
    labels = liver()
    labels[10:14, 10:14, 4:8] = 2
    labels[20, 20, 5] = 2
    out = clean(labels, SPACING_MM)
    assert (out[10:14, 10:14, 4:8] == 2).all()
    assert out[20, 20, 5] == 1


def test_tumor_away_from_the_liver_goes() -> None:
    labels = liver()
    labels[0:3, 0:3, 0:2] = 2
    assert not (clean(labels, SPACING_MM) == 2).any()


def test_nothing_stays_nothing_and_the_input_is_untouched() -> None:
    empty = np.zeros((4, 4, 4), np.uint8)
    assert not clean(empty, SPACING_MM).any()
    labels = liver()
    labels[27, 27, 5] = 1
    clean(labels, SPACING_MM)
    assert labels[27, 27, 5] == 1


def test_a_small_unsure_tumor_goes_a_small_sure_and_a_large_unsure_one_stay() -> None:
    labels = liver()
    labels[7:10, 7:10, 4:7] = labels[15:18, 15:18, 4:7] = 2
    labels[10:20, 20:24, 3:9] = 2
    chance = np.full(labels.shape, 140, np.uint8)
    chance[7:10, 7:10, 4:7] = 230
    out = clean(labels, SPACING_MM, chance)
    assert (out[7:10, 7:10, 4:7] == 2).all()
    assert (out[15:18, 15:18, 4:7] == 1).all()
    assert (out[10:20, 20:24, 3:9] == 2).all()


def test_a_mass_that_hangs_on_the_liver_by_little_is_no_tumor_of_it() -> None:
    labels = liver()
    labels[25:29, 8:20, 3:9] = 2  # on its surface: a fifth and more of it lies on liver
    labels[8:10, 25:27, 4:6] = 2  # a stalk,
    labels[4:16, 27:30, 2:10] = 2  # and what hangs on it
    out = clean(labels, SPACING_MM)
    assert (out[25:29, 8:20, 3:9] == 2).all()
    assert not out[4:16, 27:30, 2:10].any()


@pytest.mark.parametrize("round_one", [False, True])
def test_an_organ_that_is_all_tumor_stays(round_one: bool) -> None:
    i, j, k = np.indices((30, 30, 30)) - 15
    ball = i * i + j * j + k * k < 144
    labels = np.where(ball if round_one else np.abs(i) < 9, 2, 0).astype(np.uint8)
    np.testing.assert_array_equal(clean(labels, SPACING_MM), labels)


def test_candidates_know_their_volume_chance_and_contact() -> None:
    organ = np.ones((6, 6, 6), bool)
    tumor = np.zeros_like(organ)
    tumor[0:2, 2:4, 2:4] = True
    tumor[4, 4, 4] = True
    organ[4, 4, 5] = False
    chance = np.full(organ.shape, 51, np.uint8)
    parts, found = candidates(tumor, organ, (10.0, 10.0, 5.0), chance)
    assert parts.max() == 2
    assert [c.volume_ml for c in found] == [4.0, 0.5]
    assert [c.chance for c in found] == [pytest.approx(0.2)] * 2
    # faces of 50, 50 and 100 mm2; those at the scan's edge lie on nothing
    assert [c.contact for c in found] == [pytest.approx(1400 / 1600), pytest.approx(300 / 400)]


def test_every_step_can_be_left_out() -> None:
    labels = liver()
    labels[27, 27, 5] = 1
    labels[10, 10, 5] = 0
    labels[20, 20, 5] = 2
    nothing = CleanUp(one_organ=False, fill_holes=False, smallest_tumor_ml=0.0)
    np.testing.assert_array_equal(clean(labels, SPACING_MM, steps=nothing), labels)


def test_cleaning_up_can_be_cancelled() -> None:
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        clean(liver(), SPACING_MM, progress=progress)


def lost_slices() -> tuple[np.ndarray, np.ndarray]:
    """A liver of twelve slices of which three lost most, and its grey levels."""
    labels = np.zeros((12, 40, 40), np.uint8)
    labels[1:11, 5:35, 5:35] = 1
    noise = np.random.default_rng(0).normal(0, 6, labels.shape)
    grey = (np.where(labels > 0, 140, 60) + noise).astype(np.uint8)
    labels[5:8, 8:30, 8:30] = 0
    return labels, grey


def test_liver_that_is_lost_in_a_few_slices_comes_back() -> None:
    labels, grey = lost_slices()
    out = bridge_gaps(labels, grey, (2.5, 1.0, 1.0))
    assert np.count_nonzero(out[5:8, 8:30, 8:30]) > 0.9 * 3 * 22 * 22  # all but its corners
    assert (out[labels > 0] == labels[labels > 0]).all()
    assert not out[:, 0:5].any()


def test_what_does_not_look_like_liver_is_narrow_or_spans_too_far_stays_empty() -> None:
    labels, grey = lost_slices()
    vessel = grey.copy()
    vessel[5:8, 8:30, 8:30] = 240
    assert bridge_gaps(labels, vessel, (2.5, 1.0, 1.0)) is labels
    assert bridge_gaps(labels, grey, (6.0, 1.0, 1.0)) is labels
    fissure = np.where(labels > 0, labels, 0)
    fissure[5:8, 8:30, 8:30] = 1
    fissure[5:8, 8:30, 15:20] = 0
    assert bridge_gaps(fissure, grey, (2.5, 1.0, 1.0)) is fissure


@pytest.mark.parametrize("pixel_mm", [0.7, 1.0, 1.1, 3.0])
def test_only_the_gap_is_filled(pixel_mm: float) -> None:
    labels, grey = lost_slices()
    lost = labels == 0
    lost[:5] = lost[8:] = False
    lost[5:8, :8] = lost[5:8, 30:] = lost[5:8, :, :8] = lost[5:8, :, 30:] = False
    changed = bridge_gaps(labels, grey, (2.5, pixel_mm, pixel_mm)) != labels
    assert changed.any()
    assert not changed[~lost].any()


def test_tumor_is_never_changed_by_bridging() -> None:
    labels, grey = lost_slices()
    labels[3, 10:20, 10:20] = labels[9, 10:20, 10:20] = 2
    out = bridge_gaps(labels, grey, (2.5, 1.0, 1.0))
    np.testing.assert_array_equal(out == 2, labels == 2)
