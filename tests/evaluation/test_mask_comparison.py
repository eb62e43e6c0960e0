from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from liverseg_gui.core.display import LABEL_COLORS
from liverseg_gui.core.errors import Cancelled, GridMismatchError
from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.labels import LIVER, TUMOR, LabelMap
from liverseg_gui.core.progress import Progress
from liverseg_gui.evaluation.mask_comparison import (
    AGREE,
    COMPARED_COLORS,
    ONLY_A,
    ONLY_B,
    compare,
    measure_agreement,
)

SHAPE = (6, 5, 4)
SPACING_MM = (2.0, 2.5, 4.0)
VOXEL_ML = 0.02
Labels = NDArray[np.uint8]
volumes = arrays(np.uint8, SHAPE, elements=st.integers(0, 2))


def on_grid(labels: Labels, x_mm: float = 0.0) -> LabelMap:
    return LabelMap(labels, StoredGrid(SHAPE, Affine.from_spacing(SPACING_MM, (x_mm, 0.0, 0.0))))


def test_the_map_tells_agreement_from_voxels_of_one_mask_alone() -> None:
    a = np.array([[0, 1, 1, 0], [2, 2, 1, 0]], np.uint8)
    b = np.array([[0, 1, 0, 1], [2, 1, 2, 2]], np.uint8)
    assert compare(a, b, LIVER).tolist() == [[0, 1, 2, 3], [1, 1, 1, 3]]
    assert compare(a, b, TUMOR).tolist() == [[0, 0, 0, 0], [1, 2, 3, 3]]
    assert compare(a, b).tolist() == [[0, 1, 2, 3], [1, 2, 3, 3]]
    assert (AGREE, ONLY_A, ONLY_B) == (1, 2, 3)


@pytest.mark.parametrize("vision", ["normal", "protanopia", "deuteranopia", "tritanopia"])
def test_readers_who_are_color_blind_tell_the_colors_apart(vision: str) -> None:
    """CIE76 distances: about 2 is just noticed."""
    for colors, grays in ((COMPARED_COLORS, (60, 100, 128, 160)), (LABEL_COLORS, ())):
        seen = [lab(rgb, vision) for rgb in colors.values()]
        others = [lab((gray, gray, gray), vision) for gray in grays]
        for n, one in enumerate(seen):
            for other in [*seen[n + 1 :], *others]:
                assert np.linalg.norm(one - other) > 28


def lab(rgb: tuple[int, int, int], vision: str) -> NDArray[np.float64]:
    """CIE L*a*b* (D65) of an sRGB color as it is seen (Machado et al. 2009, severity 1)."""
    value = np.array(rgb) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    xyz = RGB_TO_XYZ @ np.clip(SEEN[vision] @ linear, 0, 1) / (0.9505, 1.0, 1.089)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


RGB_TO_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)
SEEN = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.01182, 0.04294, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.3039],
        ]
    ),
}


@settings(deadline=None)
@given(volumes, volumes)
def test_the_figures_are_those_of_the_map(a: Labels, b: Labels) -> None:
    found = measure_agreement(on_grid(a), on_grid(b))
    for label in (LIVER, TUMOR):
        where, figures = compare(a, b, label), found[label]
        count = {n: int(np.count_nonzero(where == n)) for n in (AGREE, ONLY_A, ONLY_B)}
        assert figures.agree_ml == pytest.approx(count[AGREE] * VOXEL_ML)
        assert figures.only_a_ml == pytest.approx(count[ONLY_A] * VOXEL_ML)
        assert figures.only_b_ml == pytest.approx(count[ONLY_B] * VOXEL_ML)
        whole = 2 * count[AGREE] + count[ONLY_A] + count[ONLY_B]
        assert figures.dice == pytest.approx(2 * count[AGREE] / whole if whole else 1.0)


@settings(deadline=None)
@given(volumes, volumes)
def test_exchanging_the_masks_turns_the_difference_and_keeps_dice(a: Labels, b: Labels) -> None:
    forth = measure_agreement(on_grid(a), on_grid(b))[LIVER]
    back = measure_agreement(on_grid(b), on_grid(a))[LIVER]
    assert forth.dice == back.dice
    assert forth.difference_ml == pytest.approx(-back.difference_ml)


def test_two_empty_masks_agree_and_one_empty_mask_does_not() -> None:
    empty, some = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
    some[1, 2, 3] = 1
    assert measure_agreement(on_grid(empty), on_grid(empty))[LIVER].dice == 1.0
    grown = measure_agreement(on_grid(empty), on_grid(some))
    assert grown[LIVER].dice == 0.0
    assert grown[LIVER].difference_percent is None
    assert grown[TUMOR].dice == 1.0


def test_the_difference_is_that_of_b_against_a() -> None:
    a, b = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
    a[:4], b[:3] = 1, 2
    figures = measure_agreement(on_grid(a), on_grid(b))[LIVER]
    assert figures.difference_ml == pytest.approx(-20 * VOXEL_ML)
    assert figures.difference_percent == pytest.approx(-25.0)
    assert figures.dice == pytest.approx(6 / 7)


def test_masks_of_other_voxels_are_not_compared() -> None:
    labels = np.ones(SHAPE, np.uint8)
    smaller = LabelMap(labels[:5], StoredGrid((5, 5, 4), Affine.from_spacing(SPACING_MM)))
    for other in (smaller, on_grid(labels, x_mm=1.0)):
        with pytest.raises(GridMismatchError, match="same scan"):
            measure_agreement(on_grid(labels), other)


def test_a_comparison_can_be_cancelled() -> None:
    progress = Progress()
    progress.cancel()
    labels = on_grid(np.ones(SHAPE, np.uint8))
    with pytest.raises(Cancelled):
        measure_agreement(labels, labels, progress)
