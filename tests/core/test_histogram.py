from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from liverseg_gui.core.geometry import Affine
from liverseg_gui.core.histogram import LOWEST_HU, hu_histogram, region_window
from liverseg_gui.core.window_level import PRESETS, Window

ISOTROPIC = Affine.from_spacing((1.0, 1.0, 1.0))


def noisy(mean: float, sd: float, shape: tuple[int, int, int] = (40, 40, 40)) -> np.ndarray:
    return np.random.default_rng(0).normal(mean, sd, shape).round().astype(np.int16)


def test_every_voxel_of_a_small_scan_is_counted_at_its_hu() -> None:
    hu = np.array([-1024, -1000, 40, 40, 3071, 40], np.int16).reshape(1, 2, 3)
    counts = hu_histogram(hu).counts
    found = {int(n) + LOWEST_HU: int(counts[n]) for n in np.flatnonzero(counts)}
    assert found == {-1024: 1, -1000: 1, 40: 3, 3071: 1}


def test_what_lies_beyond_the_ends_is_counted_at_them() -> None:
    hu = np.array([-32768, -2000, 5000, 32767], np.int16).reshape(1, 2, 2)
    counts = hu_histogram(hu).counts
    assert (counts[0], counts[-1]) == (2, 2)


@pytest.mark.parametrize("order", ["F", "C"])
@pytest.mark.parametrize("flip", [1, -1])
def test_a_large_scan_is_sampled_evenly_however_it_lies_in_memory(order: str, flip: int) -> None:
    hu = np.full((300, 300, 120), -1000, np.int16, order=order)  # type: ignore[call-overload]
    hu[75:225, 75:225] = 50
    hu[:, :, 90:] = 700
    counts = hu_histogram(hu[::flip, :, ::flip]).counts
    assert 3e6 < counts.sum() < 1.1e7
    shares = [counts[value - LOWEST_HU] / counts.sum() for value in (-1000, 50, 700)]
    assert shares == pytest.approx([0.5625, 0.1875, 0.25], abs=0.02)


def test_auto_ignores_air_and_padding() -> None:
    hu = np.full((50, 50, 4), -2000, np.int16)
    hu[20:40, 20:40] = np.arange(400, dtype=np.int16).reshape(20, 20, 1) % 100
    window = hu_histogram(hu).auto_window()
    assert window.low == pytest.approx(0, abs=2)
    assert window.high == pytest.approx(99, abs=2)


def test_auto_of_pure_air_is_the_abdomen() -> None:
    assert hu_histogram(np.full((4, 4, 4), -1000, np.int16)).auto_window() == PRESETS["Abdomen"]


def test_the_commonest_tissue_is_drawn_highest_though_air_is_commoner() -> None:
    hu = np.full((100, 100, 20), -1000, np.int16)
    hu[:30, :30] = 50
    hu[:10, :10] = 150
    heights = hu_histogram(hu).heights(-1050, 450, 15)
    assert heights[11] == 1.0
    assert 0.6 < heights[12] < 0.8
    assert heights[0] == 1.0
    assert not heights[2:10].any()


def test_heights_of_a_range_without_voxels_are_nothing() -> None:
    histogram = hu_histogram(np.full((4, 4, 4), 50, np.int16))
    assert histogram.heights(1000, 2000, 10).tolist() == [0.0] * 10
    assert histogram.heights(5000, 6000, 10).tolist() == [0.0] * 10


def test_the_window_of_quiet_liver_is_about_the_liver_preset() -> None:
    window = region_window(noisy(105, 15), (20, 20, 20), ISOTROPIC)
    assert window.center == pytest.approx(105, abs=2)
    assert window.width == pytest.approx(150, abs=6)


def test_the_window_of_a_region_of_one_value_is_100_hu_wide() -> None:
    assert region_window(noisy(60, 0), (20, 20, 20), ISOTROPIC) == Window(100, 60)


def test_a_region_holds_what_lies_within_15_mm_whatever_the_spacing() -> None:
    affine = Affine.from_spacing((0.5, 1.0, 5.0))
    hu = np.full((100, 50, 20), 400, np.int16)
    i, j, k = np.indices(hu.shape)
    inside = ((i - 50) * 0.5) ** 2 + (j - 25.0) ** 2 + ((k - 10) * 5.0) ** 2 <= 15.0**2
    hu[inside] = 60
    assert region_window(hu, (50, 25, 10), affine) == Window(100, 60)


def test_a_region_of_tiny_voxels_is_looked_at_in_part() -> None:
    affine = Affine.from_spacing((1e-3, 1e-3, 1e-3))
    hu = np.full((400, 400, 60), 60, np.int16)
    tracemalloc.start()
    try:
        assert region_window(hu, (390, 3, 30), affine) == Window(100, 60)
        assert tracemalloc.get_traced_memory()[1] < hu.nbytes / 4
    finally:
        tracemalloc.stop()
    hu[390, 3, 30] = 700
    assert region_window(hu, (390, 3, 30), affine) == Window(100, 60)


def test_air_beside_tissue_does_not_count_nor_tissue_beside_lung() -> None:
    hu = np.full((40, 40, 40), -850, np.int16)
    hu[20:] = 60
    assert region_window(hu, (21, 20, 20), ISOTROPIC) == Window(100, 60)
    assert region_window(hu, (19, 20, 20), ISOTROPIC) == Window(100, -850)


def test_a_few_odd_voxels_do_not_move_the_window() -> None:
    hu = noisy(60, 0)
    hu[20, 20, 15:19] = 3000
    assert region_window(hu, (20, 20, 20), ISOTROPIC) == Window(100, 60)


@pytest.mark.parametrize("corner", [(0, 0, 0), (39, 39, 39)])
def test_a_region_at_the_edge_of_the_scan_has_a_window_too(corner: tuple[int, int, int]) -> None:
    window = region_window(noisy(60, 10), corner, ISOTROPIC)
    assert window.center == pytest.approx(60, abs=3)
