from __future__ import annotations

import numpy as np
import pytest
import torch

from liverseg_gui.core.phantom import Phantom
from liverseg_gui.segmentation.preprocessing import (
    CONTEXT_MM,
    LIVER_ROOM,
    AxialSlices,
    Region,
    TrunkBox,
    axial_slices,
    box_on,
    context_indices,
    enlarged,
    find_liver,
    find_trunk,
    from_axial,
    from_input,
    to_input,
    touched_sides,
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
    found, _ = from_input(scores, box, labels.shape)
    rows, columns = box_on(box, labels.shape)
    assert (rows, columns) == (slice(0, 50), slice(0, 60))
    np.testing.assert_array_equal(found, labels)


def test_the_chance_of_tumor_is_that_of_the_scores_on_the_boxs_part_of_the_slice() -> None:
    scores = torch.log(torch.tensor([0.1, 0.7, 0.2])).reshape(1, 3, 1, 1).expand(2, 3, 32, 32)
    labels, tumor = from_input(scores, TrunkBox(10.0, 20.0, 64.0, 64.0), (2, 50, 60))
    assert labels.shape == tumor.shape == (2, 40, 40)
    assert (labels == 1).all()
    assert (tumor == round(0.2 * 255)).all()


def test_slices_made_when_asked_for_are_those_made_at_once(phantom: Phantom) -> None:
    lazy, whole = AxialSlices(phantom.volume), axial_slices(phantom.volume)
    assert lazy.shape == whole.shape
    chosen = np.array([3, 5, 3])
    np.testing.assert_array_equal(lazy[chosen, 10:20, 5:90], whole[chosen, 10:20, 5:90])
    np.testing.assert_array_equal(lazy[::7, ::2, ::2], whole[::7, ::2, ::2])
    box = find_trunk(whole, (3, 3), 1.5)
    assert find_trunk(lazy, (3, 3), 1.5) == box
    np.testing.assert_array_equal(
        to_input(lazy, box, (64, 96), chosen), to_input(whole, box, (64, 96))[chosen]
    )


@pytest.mark.parametrize(("slice_mm", "step"), [(0.7, 4), (1.25, 2), (2.5, 1), (5.0, 1)])
def test_context_lies_about_two_and_a_half_mm_away(slice_mm: float, step: int) -> None:
    context = context_indices(np.arange(20) * slice_mm, CONTEXT_MM, 3)
    assert context[10].tolist() == [10 - step, 10, 10 + step]


def test_five_slices_reach_twice_as_far_and_stop_at_the_ends() -> None:
    context = context_indices(np.arange(6) * 2.5, CONTEXT_MM, 5)
    assert context[2].tolist() == [0, 1, 2, 3, 4]
    assert context[0].tolist() == [0, 0, 0, 1, 2]
    assert context[5].tolist() == [3, 4, 5, 5, 5]


def test_one_slice_is_its_own_context() -> None:
    assert context_indices(np.arange(3) * 2.5, CONTEXT_MM, 1).tolist() == [[0], [1], [2]]
    assert context_indices(np.zeros(1), CONTEXT_MM, 3).tolist() == [[0, 0, 0]]


def test_context_does_not_bridge_missing_slices() -> None:
    context = context_indices(np.array([0.0, 2, 4, 12, 14]), 2.0, 3)
    assert context.tolist() == [[0, 0, 1], [0, 1, 2], [1, 2, 2], [3, 3, 4], [3, 4, 4]]


def test_the_region_holds_the_largest_organ_with_room_around_it() -> None:
    coarse = np.zeros((30, 64, 96), np.uint8)
    coarse[10:20, 20:40, 12:50] = 1
    coarse[12:14, 30:34, 20:24] = 2
    coarse[0:3, 60:64, 90:96] = 1
    trunk = TrunkBox(10.0, 5.0, 320.0, 480.0)
    region = find_liver(coarse, trunk, (128, 192))
    assert region is not None
    assert (region.first, region.stop) == (8, 22)
    box = region.box
    assert region.size[0] % 32 == 0
    assert region.size[1] % 32 == 0
    assert box.height / region.size[0] == pytest.approx(320 / 128)
    assert box.width / region.size[1] == pytest.approx(480 / 192)
    room = LIVER_ROOM * 320
    assert box.top <= 10 + 20 * 5 - room
    assert box.top + box.height >= 10 + 40 * 5 + room
    assert box.left <= 5 + 12 * 5 - LIVER_ROOM * 480
    assert box.left + box.width >= 5 + 50 * 5 + LIVER_ROOM * 480


def test_a_region_found_on_every_third_slice_holds_the_slices_between() -> None:
    coarse = np.zeros((10, 64, 96), np.uint8)
    coarse[3:6, 20:40, 12:50] = 1  # slices 9, 12 and 15
    region = find_liver(coarse, TrunkBox(0.0, 0.0, 320.0, 480.0), (128, 192), step=3)
    assert region is not None
    assert (region.first, region.stop) == (6, 19)


def test_a_region_grows_on_the_sides_that_the_organ_reaches_and_the_scan_goes_beyond() -> None:
    labels = np.zeros((10, 60, 80), np.uint8)
    labels[0:5, 20:60, 0:50] = 1  # the first slice, the last row, the first column
    labels[8, 0:12, 70:80] = 1  # a smaller organ does not count
    where = (slice(4, 14), slice(30, 90), slice(0, 80))
    touched = touched_sides(labels, where, (20, 100, 100))
    assert touched == ((True, False), (False, True), (False, False))
    region = Region(4, 14, TrunkBox(30.0, -10.0, 60.0, 90.0), (96, 144))
    more = enlarged(region, touched, 3)
    assert (more.first, more.stop, more.size) == (1, 14, (128, 144))
    assert (more.box.top, more.box.left, more.box.width) == (30.0, -10.0, 90.0)
    assert more.box.height / more.size[0] == pytest.approx(60 / 96)


def test_without_an_organ_there_is_no_region() -> None:
    trunk = TrunkBox(0.0, 0.0, 64.0, 96.0)
    assert find_liver(np.zeros((4, 64, 96), np.uint8), trunk, (128, 192)) is None
