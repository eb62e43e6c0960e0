from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from liverseg_gui.evaluation.overlap import VoxelCounts, count_voxels
from tests.training.blobs import box, labels


@pytest.mark.parametrize("seed", range(6))
def test_overlap_is_what_simpleitk_measures(seed: int) -> None:
    rng = np.random.default_rng(seed)
    found, truth = labels(rng), labels(rng)
    for counts, label in zip(count_voxels(found, truth), (1, 2), strict=True):
        theirs = sitk.LabelOverlapMeasuresImageFilter()
        a, b = (sitk.GetImageFromArray((m >= label).astype(np.uint8)) for m in (found, truth))
        theirs.Execute(a, b)
        assert counts.dice == pytest.approx(theirs.GetDiceCoefficient())
        assert counts.iou == pytest.approx(theirs.GetJaccardCoefficient())
        assert counts.voe == pytest.approx(100 * (1 - theirs.GetJaccardCoefficient()))
        assert counts.recall == pytest.approx(1 - theirs.GetFalseNegativeError())
        assert counts.precision == pytest.approx(1 - theirs.GetFalseDiscoveryRate())
        assert counts.both + counts.only_found + counts.only_true + counts.neither == found.size


def test_a_box_of_twice_the_size_has_the_figures_of_paper_and_pencil() -> None:
    truth = box((2, 6), (2, 6), (2, 6)).astype(np.uint8)
    found = box((2, 10), (2, 6), (2, 6)).astype(np.uint8)
    liver, tumor = count_voxels(found, truth)
    assert (liver.both, liver.only_found, liver.only_true) == (64, 64, 0)
    assert liver.dice == pytest.approx(2 / 3)
    assert (liver.voe, liver.rvd) == (pytest.approx(50.0), pytest.approx(100.0))
    assert (liver.precision, liver.recall) == (0.5, 1.0)
    assert liver.accuracy == pytest.approx(1 - 64 / truth.size)
    assert liver.empty_accuracy == pytest.approx(1 - 64 / truth.size)
    assert count_voxels(truth, found)[0].rvd == pytest.approx(-50.0)
    assert tumor == VoxelCounts(neither=truth.size)


def test_two_empty_masks_agree_and_one_alone_does_not() -> None:
    both, missed, false = VoxelCounts(0, 0, 0, 9), VoxelCounts(0, 0, 4, 5), VoxelCounts(0, 4, 0, 5)
    assert (both.dice, both.iou, both.voe) == (1.0, 1.0, 0.0)
    assert (both.rvd, both.precision, both.recall) == (None, None, None)
    assert (missed.dice, missed.iou, missed.voe, missed.rvd) == (0.0, 0.0, 100.0, -100.0)
    assert (missed.precision, missed.recall) == (None, 0.0)
    assert (false.dice, false.rvd, false.precision, false.recall) == (0.0, None, 0.0, None)


def test_an_empty_mask_is_accurate_where_tumors_are_small() -> None:
    truth = np.zeros((20, 20, 10), np.uint8)
    truth[3:5, 3:8, 2:4] = 2
    _, tumor = count_voxels(np.zeros_like(truth), truth)
    assert tumor.accuracy == tumor.empty_accuracy == pytest.approx(0.995)
    assert tumor.dice == 0.0


def test_memory_order_makes_no_difference() -> None:
    rng = np.random.default_rng(3)
    found, truth = labels(rng), labels(rng)
    mixed = count_voxels(np.asfortranarray(found), np.ascontiguousarray(truth))
    assert mixed == count_voxels(found, truth)
    assert count_voxels(found, np.asfortranarray(truth)) == mixed


def test_masks_of_different_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        count_voxels(np.zeros((3, 3, 3), np.uint8), np.zeros((3, 3, 4), np.uint8))
