"""The second look, with networks that are simple rules."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.predictor import BEST, FAST, Augmentations, Predictor
from liverseg_gui.segmentation.preprocessing import TrunkBox
from liverseg_gui.segmentation.runtime.base import TorchRuntime

BOX = TrunkBox(0.0, 0.0, 160.0, 240.0)
COARSE, CLOSER = (64, 96), (128, 192)


class Bright(nn.Module):
    """Calls liver what is bright in the middle slice, and remembers the sizes it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[int, ...]] = []

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append(tuple(images.shape))
        level = images[:, images.shape[1] // 2] - 0.5
        return torch.stack([-level, level, torch.full_like(level, -9.0)], 1)


def scan() -> np.ndarray:
    """Twelve dark slices with a bright block in six of them, and a lone speck."""
    slices = np.zeros((12, 160, 240), np.uint8)
    slices[3:9, 41:83, 37:98] = 255
    slices[0, 150:153, 200:203] = 255
    return slices


def predict(
    network: nn.Module,
    slices: np.ndarray,
    closer: tuple[int, int] | None,
    augmentations: Augmentations = FAST,
    step: int = 1,
    crop: bool = True,
) -> np.ndarray:
    n = np.arange(len(slices))
    context = np.stack([np.maximum(n - 1, 0), n, np.minimum(n + 1, len(n) - 1)], 1)
    predictor = Predictor(TorchRuntime(network, "cpu"), COARSE, closer)
    found = predictor.predict(slices, context, BOX, Progress(), augmentations, step=step, crop=crop)
    out = np.zeros(slices.shape, np.uint8)
    if found is not None:
        out[found.where] = found.labels
    return out


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def test_the_second_look_draws_finer_borders_than_the_first() -> None:
    slices = scan()
    once, twice = predict(Bright(), slices, None), predict(Bright(), slices, CLOSER)
    truth = slices > 0
    truth[0] = False
    assert dice(twice > 0, truth) > dice(once > 0, truth)
    assert dice(twice > 0, truth) > 0.99


def test_only_the_region_of_the_largest_organ_is_looked_at_again() -> None:
    network = Bright()
    found = predict(network, scan(), CLOSER)
    first, second = network.seen[:3], network.seen[3:]
    assert {shape[2:] for shape in first} == {COARSE}
    assert {shape[2:] for shape in second} == {(64, 96)}
    assert sum(shape[0] for shape in second) == 10  # six slices, and two beyond each end
    assert not found[0].any()


def test_the_first_look_may_skip_slices_and_the_second_sees_them_all() -> None:
    network = Bright()
    found = predict(network, np.repeat(scan(), 3, 0), CLOSER, step=3)
    assert [shape[0] for shape in network.seen[:3]] == [4, 4, 4]  # every third of 36
    assert sum(shape[0] for shape in network.seen[3:]) == 22  # 6 to 27
    assert np.flatnonzero(found.any(axis=(1, 2))).tolist() == list(range(9, 27))


def test_without_the_crop_the_whole_trunk_is_looked_at_on_every_slice() -> None:
    network = Bright()
    found = predict(network, scan(), CLOSER, crop=False)
    assert {shape[2:] for shape in network.seen} == {CLOSER}
    assert found[0].any()


def test_a_region_that_was_too_small_is_enlarged() -> None:
    class Careful(Bright):
        """At the coarse look sees only a part of the block."""

        def forward(self, images: Tensor) -> Tensor:
            scores = super().forward(images)
            if len(self.seen) <= 3:
                scores[:, 1, :, 30:] = -9.0
            return scores

    slices = np.zeros((12, 160, 240), np.uint8)
    slices[3:9, 41:83, 37:170] = 255
    network = Careful()
    found = predict(network, slices, CLOSER)
    assert dice(found > 0, slices > 0) > 0.99
    narrow, *_, wide = (shape[3] for shape in network.seen[3:])
    assert wide > narrow


def test_further_slices_are_looked_at_alone_when_the_organ_goes_on() -> None:
    class Missing(Bright):
        """At the coarse look sees nothing beyond the eighth slice."""

        def forward(self, images: Tensor) -> Tensor:
            scores = super().forward(images)
            if 2 < len(self.seen) <= 5:
                scores[:, 1] = -9.0
            return scores

    slices = np.zeros((20, 160, 240), np.uint8)
    slices[3:17, 41:83, 37:98] = 255
    network = Missing()
    found = predict(network, slices, CLOSER)
    assert dice(found > 0, slices > 0) > 0.99
    slices_seen = sum(shape[0] for shape in network.seen[5:])
    assert slices_seen <= 20  # none twice


def test_the_second_look_sees_the_true_neighbours_at_the_regions_ends() -> None:
    class Above(nn.Module):
        """Calls liver what is bright in the slice before."""

        def forward(self, images: Tensor) -> Tensor:
            level = images[:, 0] - 0.5
            return torch.stack([-level, level, torch.full_like(level, -9.0)], 1)

    found = predict(Above(), scan(), CLOSER)
    assert np.flatnonzero(found.any(axis=(1, 2))).tolist() == [4, 5, 6, 7, 8, 9]


def test_what_the_first_look_marks_beyond_the_slice_is_nothing() -> None:
    class Corner(nn.Module):
        """Calls liver the last pixels of the input, whatever is there."""

        def forward(self, images: Tensor) -> Tensor:
            scores = torch.zeros(len(images), 3, *images.shape[2:])
            scores[:, 0] = 1.0
            scores[:, 1, -3:, -3:] = 2.0
            return scores

    predictor = Predictor(TorchRuntime(Corner(), "cpu"), COARSE, CLOSER)
    context = np.zeros((2, 3), np.int64)
    box = TrunkBox(-20.0, -95.0, 400.0, 600.0)
    slices = np.full((2, 256, 256), 120, np.uint8)
    assert predictor.predict(slices, context, box, Progress()) is None


def test_a_short_scan_of_thin_slices_is_not_skipped_through() -> None:
    slices = np.zeros((24, 160, 240), np.uint8)
    slices[5:23, 41:83, 37:98] = 255
    found = predict(Bright(), slices, CLOSER, step=25)
    assert dice(found > 0, slices > 0) > 0.99


def test_without_an_organ_nothing_is_looked_at_again() -> None:
    network = Bright()
    assert not predict(network, np.zeros((5, 160, 240), np.uint8), CLOSER).any()
    assert {shape[2:] for shape in network.seen} == {COARSE}


def test_the_best_quality_is_the_mean_of_both_orders_of_the_slices() -> None:
    class Ends(nn.Module):
        """Leans on the slice before more than on the one after."""

        def forward(self, images: Tensor) -> Tensor:
            before, after = images[:, 0] - 0.5, images[:, -1] - 0.5
            level = 4 * before + 2 * after + 0.3
            return torch.stack([-level, level, torch.full_like(level, -9.0)], 1)

    found = predict(Ends(), scan(), None)
    both = predict(Ends(), scan(), None, ((1.0, False), (1.0, True)))
    assert np.flatnonzero(found[:, 60, 60]).tolist() == [4, 5, 6, 7, 8, 9]
    assert np.flatnonzero(both[:, 60, 60]).tolist() == [2, 3, 4, 5, 6, 7, 8, 9]


def test_the_best_quality_looks_at_a_larger_scale_too_and_finds_the_same_block() -> None:
    network, slices = Bright(), scan()
    found = predict(network, slices, CLOSER, BEST)
    truth = slices > 0
    truth[0] = False
    assert dice(found > 0, truth) > 0.99
    assert {shape[2:] for shape in network.seen[3:]} == {(64, 96), (64, 128)}


def mirrored_share(slices: np.ndarray) -> float:
    n = np.arange(len(slices))
    context = np.stack([np.maximum(n - 1, 0), n, np.minimum(n + 1, len(n) - 1)], 1)
    predictor = Predictor(TorchRuntime(BrightOnTheLeft(), "cpu"), COARSE, CLOSER)
    return predictor.mirrored_share(slices, context, BOX, Progress())


class BrightOnTheLeft(Bright):
    """Knows what is bright on the left half of the picture only, as a liver is."""

    def forward(self, images: Tensor) -> Tensor:
        half = images.clone()
        half[..., half.shape[-1] // 2 :] = 0
        return super().forward(half)


def test_the_mirror_image_shows_more_where_right_and_left_are_swapped() -> None:
    slices = scan()
    assert mirrored_share(slices) < 0.1
    assert mirrored_share(slices[:, :, ::-1]) > 10
    assert mirrored_share(np.zeros_like(slices)) == 1.0
