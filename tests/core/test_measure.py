from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from liverseg_gui.core.errors import GridMismatchError
from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.labels import LIVER, TUMOR, LabelMap
from liverseg_gui.core.measure import axial_diameters, measure
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.volume import Origin, Volume


def study(
    labels: np.ndarray,
    spacing: tuple[float, float, float] = (1, 1, 1),
    thickness: float | None = 1.0,
) -> tuple[Volume, LabelMap]:
    grid = StoredGrid(labels.shape, Affine.from_spacing(spacing))
    hu = np.full(labels.shape, 60, np.int16)
    origin = Origin(Path("made"), slice_thickness_mm=thickness)
    return Volume(hu, grid, origin), LabelMap(labels.astype(np.uint8), grid)


def test_volumes_agree_with_the_phantoms_truth_within_one_percent(phantom: Phantom) -> None:
    found = measure(phantom.volume, phantom.truth)
    assert found.liver_ml == pytest.approx(phantom.liver_ml, rel=0.01)
    assert found.tumor_ml == pytest.approx(phantom.tumor_ml, rel=0.01)
    assert found.tumor_burden_percent == pytest.approx(
        100 * phantom.tumor_ml / phantom.liver_ml, rel=0.01
    )
    assert found.liver_ml == pytest.approx(found.liver_without_tumor_ml + found.tumor_ml)


def test_each_tumor_of_the_phantom_is_a_lesion_of_its_size(phantom: Phantom) -> None:
    lesions = measure(phantom.volume, phantom.truth).lesions
    assert [lesion.number for lesion in lesions] == [1, 2, 3]
    for lesion, tumor in zip(lesions, phantom.tumors, strict=True):
        assert lesion.volume_ml == pytest.approx(tumor.volume_ml, rel=0.04)
        np.testing.assert_allclose(lesion.centroid_mm, tumor.center_mm, atol=1.0)
        assert tumor.diameter_mm <= lesion.longest_axial_mm <= tumor.diameter_mm + 2 * 3 * 1.42
        assert lesion.mean_hu < 95


def test_a_volume_is_voxels_times_the_determinant_of_the_affine() -> None:
    matrix = np.array([[0.8, 0.1, 0, 5], [0, -0.7, 0.3, 7], [0, 0.2, 2.5, 9], [0, 0, 0, 1.0]])
    labels = np.zeros((6, 6, 6), np.uint8)
    labels[1:3, 1:4, 2:5] = LIVER
    labels[2, 2, 3] = TUMOR
    grid = StoredGrid(labels.shape, Affine(matrix))
    volume = Volume(np.zeros(labels.shape, np.int16), grid, Origin(Path("sheared")))
    found = measure(volume, LabelMap(labels, grid))
    voxel_ml = abs(np.linalg.det(matrix[:3, :3])) / 1000
    assert found.liver_ml == pytest.approx(18 * voxel_ml)
    assert found.liver_without_tumor_ml == pytest.approx(17 * voxel_ml)
    assert found.tumor_burden_percent == pytest.approx(100 / 18)


def test_diameters_run_between_outer_corners() -> None:
    labels = np.zeros((20, 20, 3), bool)
    labels[2:12, 5:9, 1] = True
    longest, across, k = axial_diameters(labels, Affine.from_spacing((2.0, 1.0, 5.0)))
    assert longest == pytest.approx(np.hypot(20, 4))
    assert k == 1
    # The chord perpendicular to the diagonal of a 20 x 4 rectangle.
    assert across == pytest.approx(4 * np.hypot(20, 4) / 20, rel=1e-6)


def test_one_voxel_measures_its_own_diagonal() -> None:
    labels = np.zeros((3, 3, 3), bool)
    labels[1, 1, 1] = True
    longest, across, _ = axial_diameters(labels, Affine.from_spacing((0.8, 0.8, 5.0)))
    assert longest == pytest.approx(0.8 * np.sqrt(2))
    assert across == pytest.approx(longest)


def test_voxels_that_meet_at_a_corner_are_one_lesion() -> None:
    labels = np.zeros((8, 8, 8), np.uint8)
    labels[2, 2, 2] = labels[3, 3, 3] = labels[6, 6, 6] = TUMOR
    assert [round(x.volume_ml * 1000) for x in measure(*study(labels)).lesions] == [2, 1]


def test_a_lesion_tells_its_box_middle_and_hu() -> None:
    labels = np.zeros((10, 10, 10), np.uint8)
    labels[2:5, 3:5, 4:8] = TUMOR
    volume, mask = study(labels, (2, 1, 3))
    hu = np.arange(labels.size, dtype=np.int16).reshape(labels.shape) % 97
    (lesion,) = measure(Volume(hu, volume.grid, volume.origin), mask).lesions
    inside = hu[labels == TUMOR].astype(float)
    assert lesion.box_ijk == ((2, 3, 4), (4, 4, 7))
    assert lesion.centroid_mm == pytest.approx(tuple(volume.affine.to_mm((3, 3.5, 5.5))))
    assert lesion.mean_hu == pytest.approx(inside.mean())
    assert lesion.sd_hu == pytest.approx(inside.std())
    assert lesion.median_hu == np.median(inside)


def test_a_mask_without_liver_measures_zero() -> None:
    found = measure(*study(np.zeros((4, 4, 4), np.uint8)))
    assert (found.liver_ml, found.tumor_burden_percent, found.lesions) == (0.0, None, ())
    assert not found.liver_found


def test_a_liver_cut_by_the_scan_is_called_incomplete() -> None:
    labels = np.zeros((8, 8, 8), np.uint8)
    labels[2:5, 2:5, 0:4] = LIVER
    labels[3, 3, 0] = TUMOR
    found = measure(*study(labels))
    assert "lowest slice" in found.warnings[0]
    assert "incomplete" in found.warnings[0]
    assert found.lesions[0].touches_edge


@pytest.mark.parametrize(
    ("pixels", "slice_mm", "thickness", "measurable"),
    [(8, 2.0, 2.0, True), (6, 2.0, 2.0, False), (13, 8.0, 8.0, True), (8, 8.0, 8.0, False)],
)
def test_measurable_needs_ten_mm_or_twice_a_thick_slice(
    pixels: int, slice_mm: float, thickness: float, measurable: bool
) -> None:
    labels = np.zeros((20, 20, 5), np.uint8)
    labels[3 : 3 + pixels, 4, 2] = TUMOR
    volume, mask = study(labels, (1.3, 1.3, slice_mm), thickness)
    assert measure(volume, mask).lesions[0].measurable is measurable


def test_slices_thicker_than_their_distance_decide_what_is_measurable() -> None:
    labels = np.zeros((20, 20, 5), np.uint8)
    labels[3:15, 4, 2] = TUMOR
    volume, mask = study(labels, (1.0, 1.0, 2.0), thickness=8.0)
    lesion = measure(volume, mask).lesions[0]
    assert not lesion.measurable
    assert "8 mm" in lesion.why


def test_without_a_stated_thickness_the_distance_decides_what_is_measurable() -> None:
    labels = np.zeros((20, 20, 5), np.uint8)
    labels[3:15, 4, 2] = TUMOR
    volume, mask = study(labels, (1.0, 1.0, 8.0), thickness=None)
    lesion = measure(volume, mask).lesions[0]
    assert not lesion.measurable
    assert "8 mm" in lesion.why


def test_a_mask_of_another_grid_is_refused() -> None:
    volume, _ = study(np.zeros((4, 4, 4), np.uint8))
    _, mask = study(np.zeros((4, 4, 4), np.uint8), (2, 1, 1))
    with pytest.raises(GridMismatchError, match="another"):
        measure(volume, mask)
