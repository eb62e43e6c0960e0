from __future__ import annotations

import numpy as np
import pytest
import torch

from liverseg_gui.core.phantom import Phantom
from liverseg_gui.segmentation.preprocessing import (
    TrunkBox,
    axial_slices,
    context_step,
    find_trunk,
    from_axial,
    from_input,
    neighbours,
    to_input,
    window_to_uint8,
)


def test_the_window_is_mapped_to_8_bits() -> None:
    hu = np.array([-1000, -40, 61, 160, 3000], np.int16)
    assert window_to_uint8(hu).tolist() == [0, 0, 129, 255, 255]


def test_axial_slices_are_radiological_and_labels_find_back(phantom: Phantom) -> None:
    slices = axial_slices(phantom.volume)
    i, j, k = 100, 30, 20
    expected = window_to_uint8(phantom.volume.hu[i : i + 1, j, k])[0]
    assert slices[k, 127 - j, 127 - i] == expected
    marked = np.zeros_like(slices)
    marked[k, 127 - j, 127 - i] = 1
    assert np.argwhere(from_axial(marked)).tolist() == [[i, j, k]]


def test_the_trunk_box_holds_the_liver_and_leaves_the_air(phantom: Phantom) -> None:
    slices = axial_slices(phantom.volume)
    box = find_trunk(slices, (3.0, 3.0), 1.5)
    liver = np.argwhere((phantom.truth.labels > 0).any(axis=2))
    rows, columns = 127 - liver[:, 1], 127 - liver[:, 0]
    assert box.top <= rows.min()
    assert rows.max() < box.top + box.height
    assert box.left <= columns.min()
    assert columns.max() < box.left + box.width
    assert box.width == pytest.approx(1.5 * box.height)
    assert box.width < 140


def test_a_larger_field_of_view_gives_the_same_input(phantom: Phantom) -> None:
    slices = axial_slices(phantom.volume)
    wide = np.pad(slices, ((0, 0), (30, 10), (25, 45)))
    a = to_input(slices, find_trunk(slices, (3, 3), 1.5), (64, 96))
    b = to_input(wide, find_trunk(wide, (3, 3), 1.5), (64, 96))
    assert np.abs(a.astype(int) - b).mean() < 2


def test_pixels_that_are_not_square_keep_the_patients_shape() -> None:
    image = np.zeros((4, 100, 100), np.uint8)
    image[:, 20:80, 20:80] = 200
    box = find_trunk(image, (1.0, 2.0), 1.5)
    assert box.width * 2.0 == pytest.approx(1.5 * box.height * 1.0)


def test_nothing_to_see_gives_the_whole_slice() -> None:
    box = find_trunk(np.zeros((3, 40, 60), np.uint8), (1, 1), 1.5)
    assert box.height >= 40
    assert box.width >= 60


def test_labels_return_to_their_pixels_even_from_a_box_beyond_the_slice() -> None:
    labels = np.zeros((1, 50, 60), np.uint8)
    labels[0, 10:40, 5:30] = 1
    box = TrunkBox(-8.0, -12.0, 64.0, 96.0)
    seen = to_input(labels * 255, box, (128, 192))
    scores = torch.zeros(1, 3, 128, 192)
    scores[:, 1] = torch.from_numpy(seen.astype(np.float32)) / 255
    scores[:, 0] = 1 - scores[:, 1]
    np.testing.assert_array_equal(from_input(scores, box, (50, 60)), labels)


@pytest.mark.parametrize(("slice_mm", "step"), [(0.7, 4), (1.25, 2), (2.5, 1), (5.0, 1)])
def test_neighbours_lie_about_two_and_a_half_mm_away(slice_mm: float, step: int) -> None:
    assert context_step(slice_mm) == step


def test_neighbours_are_clamped_at_the_ends() -> None:
    assert neighbours(10, 0, 2) == (0, 0, 2)
    assert neighbours(10, 9, 2) == (7, 9, 9)
