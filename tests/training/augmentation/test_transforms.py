from __future__ import annotations

import pytest
import torch
from torch import Tensor

from training.augmentation.transforms import intensity, jpeg, liver_intensity, spatial
from training.config.augmentation_config import Augmentation
from training.config.field_of_view import LIVER_VIEW, TRUNK_VIEW, FieldOfView

QUIET = Augmentation(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
WHOLE = FieldOfView((64, 96), (64, 96))


def block(rows: slice, columns: slice, count: int = 16) -> tuple[Tensor, Tensor, Tensor]:
    """Images whose brightness is their label, the labels, and the middle of the liver."""
    labels = torch.zeros(count, 64, 96, dtype=torch.long)
    labels[:, rows, columns] = 1
    center = torch.tensor(
        [(rows.start + rows.stop) / 64 - 1, (columns.start + columns.stop) / 96 - 1]
    )
    return labels[:, None].float().repeat(1, 3, 1, 1), labels, center.repeat(count, 1)


def test_nothing_changes_where_every_range_is_zero() -> None:
    torch.manual_seed(0)
    images, labels, centers = block(slice(20, 50), slice(30, 70))
    moved, moved_labels = spatial(QUIET, images, labels, centers, WHOLE)
    torch.testing.assert_close(moved, images, atol=1e-4, rtol=0)
    assert torch.equal(moved_labels, labels)
    torch.testing.assert_close(intensity(QUIET, images), images, atol=2e-4, rtol=0)


def test_images_and_labels_move_together() -> None:
    torch.manual_seed(0)
    moved, labels = spatial(Augmentation(), *block(slice(20, 50), slice(30, 70)), WHOLE)
    assert moved.shape == (16, 3, 64, 96)
    assert ((moved[:, 1] > 0.5) == (labels == 1)).float().mean() > 0.98
    assert labels.flatten(1).sum(1).float().std() > 5


def test_the_liver_stays_on_its_side_unless_flips_are_asked_for() -> None:
    torch.manual_seed(0)
    images, labels, centers = block(slice(20, 44), slice(10, 30), 32)
    _, kept = spatial(Augmentation(), images, labels, centers, WHOLE)
    assert (kept[:, :, 48:].sum((1, 2)) == 0).all()
    _, flipped = spatial(Augmentation(flip_probability=1.0), images, labels, centers, WHOLE)
    assert (flipped[:, :, :48].sum((1, 2)) == 0).all()


def test_the_closer_look_has_the_liver_in_its_middle_at_its_scale() -> None:
    torch.manual_seed(0)
    look = FieldOfView((32, 48), (128, 192))
    assert look.extent == (0.25, 0.25)
    _, labels = spatial(QUIET, *block(slice(40, 48), slice(10, 22)), look)
    rows, columns = torch.nonzero(labels[0], as_tuple=True)
    assert (int(rows.min()), int(rows.max())) == (8, 23)
    assert (int(columns.min()), int(columns.max())) == (12, 35)


def test_looks_know_roughly_how_large_a_pixel_is() -> None:
    assert TRUNK_VIEW.extent == (1.0, 1.0)
    assert 1.5 < TRUNK_VIEW.pixel_mm < 2.5
    assert 0.9 < LIVER_VIEW.pixel_mm < 1.4


def test_the_order_of_the_slices_is_reversed_in_half_of_the_images() -> None:
    torch.manual_seed(0)
    images = torch.zeros(400, 3, 8, 8)
    images[:, 0] = 1
    labels = torch.zeros(400, 8, 8, dtype=torch.long)
    moved, _ = spatial(QUIET, images, labels, torch.zeros(400, 2), FieldOfView((8, 8), (8, 8)))
    first, last = moved[:, 0].mean((1, 2)) > 0.5, moved[:, 2].mean((1, 2)) > 0.5
    assert torch.equal(first, ~last)
    assert 140 < int(first.sum()) < 260


def test_intensities_stay_in_range_and_differ_between_images() -> None:
    torch.manual_seed(0)
    varied = intensity(Augmentation(degrade=1.0), torch.full((16, 3, 32, 48), 0.5))
    assert 0 <= float(varied.min()) <= float(varied.max()) <= 1
    assert float(varied.mean((1, 2, 3)).std()) > 0.05


def test_jpeg_keeps_flat_pictures_and_loses_fine_texture() -> None:
    torch.manual_seed(0)
    flat = torch.full((2, 3, 20, 30), 100 / 255)
    assert float((jpeg(flat, (0.2, 0.2)) - flat).abs().max()) < 0.01
    noisy = torch.rand(2, 3, 20, 30)
    fine, coarse = jpeg(noisy, (0.1, 0.1)), jpeg(noisy, (2.0, 2.0))
    assert fine.shape == noisy.shape
    assert (fine - noisy).abs().mean() < (coarse - noisy).abs().mean()


@pytest.mark.parametrize("shape", [(16, 16), (17, 23)])
def test_a_picture_of_any_size_comes_back_at_its_place(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    ramp = torch.linspace(0, 1, shape[1]).expand(1, 1, *shape)
    assert float((jpeg(ramp, (0.05, 0.05)) - ramp).abs().max()) < 0.05


def test_the_liver_alone_changes_its_tone() -> None:
    torch.manual_seed(0)
    labels = torch.zeros(32, 64, 96, dtype=torch.long)
    labels[:, 20:44, 10:40] = 1
    labels[:, 30:34, 20:24] = 2
    images = torch.full((32, 3, 64, 96), 0.5)
    images[:, 0, :22] = 0.0  # air
    shaded = liver_intensity(Augmentation(tone_chance=1.0), images, labels)
    change = (shaded - images)[:, 1]
    assert not change[:, 50:].any()
    assert float(change[:, 30, 15].min()) < -0.2
    assert float(change[:, 30, 15].max()) > 0.1
    torch.testing.assert_close(change[:, 32, 22], change[:, 30, 15])
    assert not (shaded - images)[:, 0, :22].any()
    assert torch.equal(liver_intensity(Augmentation(tone_chance=0.0), images, labels), images)
