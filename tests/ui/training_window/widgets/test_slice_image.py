"""The small picture of a labelled case."""

from __future__ import annotations

import numpy as np

from liverseg_gui.core.display import LABEL_COLORS
from liverseg_gui.core.labels import LIVER, TUMOR
from liverseg_gui.segmentation.preprocessing import axial_slices
from liverseg_gui.ui.training_window.widgets.slice_image import SIDE_PX, case_thumbnail
from tests.training.layouts import small, true_labels
from training.data.case import Case


def case(labels: np.ndarray, grey: np.ndarray | None = None, pixel_mm=(1.0, 1.0)) -> Case:
    slices = np.full(labels.shape, 100, np.uint8) if grey is None else grey
    return Case("a", slices, labels, np.arange(len(labels), dtype=float), 1.0, pixel_mm, "a")


def blank(n: int = 5, rows: int = 80, columns: int = 80) -> np.ndarray:
    return np.zeros((n, rows, columns), np.uint8)


def colored(picture: np.ndarray, label: int) -> np.ndarray:
    """Where the picture is tinted like `label`."""
    tint = 0.55 * 100 + 0.45 * np.array(LABEL_COLORS[label])
    return np.abs(picture - tint).max(axis=2) < 1


def test_the_mask_lies_where_it_was_drawn_unmirrored() -> None:
    labels = blank()
    labels[2, 10:30, 5:25] = LIVER
    labels[2, 60:70, 60:75] = TUMOR
    picture = case_thumbnail(case(labels))
    liver, tumor = (np.argwhere(colored(picture, label)).mean(axis=0) for label in (LIVER, TUMOR))
    np.testing.assert_allclose(liver / len(picture), (20 / 80, 15 / 80), atol=0.02)
    np.testing.assert_allclose(tumor / len(picture), (65 / 80, 67.5 / 80), atol=0.02)
    assert tuple(picture[-1, 0]) == (100, 100, 100)


def test_it_is_the_slice_with_half_of_the_liver_on_either_side() -> None:
    labels = blank(9)
    for k in range(4, 9):
        labels[k, 10:20, 10:20] = LIVER
    grey = np.repeat(np.arange(40, 49, dtype=np.uint8), 80 * 80).reshape(9, 80, 80)
    assert case_thumbnail(case(labels, grey))[-1, -1, 0] == 46


def test_without_a_liver_it_is_the_middle_of_the_scan() -> None:
    grey = np.repeat(np.arange(40, 49, dtype=np.uint8), 80 * 80).reshape(9, 80, 80)
    assert case_thumbnail(case(blank(9), grey))[0, 0, 0] == 44


def test_a_liver_lies_on_the_left_of_the_picture_and_the_spine_below() -> None:
    phantom = small(1)
    slices = axial_slices(phantom.volume)
    picture = case_thumbnail(case(true_labels(phantom), slices, (5.5, 5.0)))
    green = picture[:, :, 1].astype(int) - picture[:, :, 0] > 30
    assert np.argwhere(green)[:, 1].mean() < 0.45 * picture.shape[1]
    bone = (picture.min(axis=2) == 255).sum(axis=1)
    assert np.average(np.arange(len(bone)), weights=bone) > 0.5 * len(bone)


def test_pixels_are_square_whatever_the_spacing() -> None:
    labels = blank(3, 40, 80)
    labels[1, 10:20, 10:20] = LIVER
    rows, columns, _ = case_thumbnail(case(labels, pixel_mm=(2.0, 1.0))).shape
    assert (rows, columns) == (SIDE_PX, SIDE_PX)
    rows, columns, _ = case_thumbnail(case(labels)).shape
    assert (rows, columns) == (SIDE_PX // 2, SIDE_PX)


def test_air_around_the_body_is_cut_away_but_never_the_mask() -> None:
    labels, grey = blank(3), blank(3)
    grey[:, 30:50, 20:60] = 100
    labels[1, 35:40, 30:35] = LIVER
    assert case_thumbnail(case(labels, grey)).shape[0] < 0.7 * SIDE_PX
    labels[1, 5, 5] = LIVER
    assert colored_or_tinted(case_thumbnail(case(labels, grey)))
    empty = case_thumbnail(case(blank(3), blank(3)))
    assert empty.shape == (SIDE_PX, SIDE_PX, 3)


def colored_or_tinted(picture: np.ndarray) -> bool:
    """Whether the lone voxel of mask in air is in the picture's upper left."""
    corner = picture[: SIDE_PX // 4, : SIDE_PX // 4]
    return bool((corner[:, :, 1] > corner[:, :, 0] + 20).any())
