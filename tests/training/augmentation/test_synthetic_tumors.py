from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from training.augmentation.synthetic_tumors import paint_tumors
from training.config.augmentation_config import SyntheticTumors

LIVER_LEVEL = 0.7


def livers(count: int = 12) -> tuple[Tensor, Tensor]:
    """Flat livers in darker tissue: images (n, 5, 128, 192), labels (n, 128, 192)."""
    labels = torch.zeros(count, 128, 192, dtype=torch.long)
    labels[:, 30:100, 20:120] = 1
    images = torch.where(labels[:, None] > 0, LIVER_LEVEL, 0.45).repeat(1, 5, 1, 1)
    return images, labels


def test_tumors_are_painted_into_the_liver_and_labelled() -> None:
    torch.manual_seed(0)
    images, labels = livers()
    painted, painted_labels = paint_tumors(SyntheticTumors(1.0, 0.0), images, labels, 2.0)
    tumor = painted_labels == 2
    assert (tumor.flatten(1).any(1)).sum() >= 9  # the slice may lie beyond a tumor's end
    assert not (tumor & (labels == 0)).any()
    assert ((painted_labels >= 1) == (labels >= 1)).all()
    change = (painted[:, 2] - images[:, 2]).abs()
    assert float(change[tumor].mean()) > 0.05
    assert float(change[(painted_labels == 1)].mean()) < 0.02
    assert torch.equal(images, livers()[0])


def test_most_tumors_are_darker_and_some_are_brighter() -> None:
    torch.manual_seed(1)
    painted, labels = paint_tumors(SyntheticTumors(1.0, 0.0, bright_chance=0.0), *livers(40), 2.0)
    dark = [float(p[2][m == 2].mean()) for p, m in zip(painted, labels, strict=True) if 2 in m]
    assert np.mean(np.array(dark) < LIVER_LEVEL) > 0.85
    painted, labels = paint_tumors(SyntheticTumors(1.0, 0.0, bright_chance=1.0), *livers(40), 2.0)
    bright = [float(p[2][m == 2].mean()) for p, m in zip(painted, labels, strict=True) if 2 in m]
    assert np.mean(np.array(bright) > LIVER_LEVEL) > 0.7


@pytest.mark.parametrize("radius_mm", [6.0, 24.0])
def test_a_tumor_has_the_size_it_was_given(radius_mm: float) -> None:
    torch.manual_seed(2)
    images, labels = livers(60)
    paint = SyntheticTumors(1.0, 0.0, radius_mm=(radius_mm, radius_mm * 1.001))
    _, labels = paint_tumors(paint, images, labels, 2.0)
    sizes = [
        np.count_nonzero(parts == n) * 4.0
        for parts, count in (ndimage.label(m.numpy() == 2) for m in labels)
        for n in range(1, count + 1)
    ]
    largest = np.pi * radius_mm**2
    assert 0.3 * largest < np.percentile(sizes, 75) < 1.3 * largest


def test_masses_outside_the_liver_change_the_image_and_no_label() -> None:
    torch.manual_seed(0)
    images, labels = livers()
    painted, same = paint_tumors(SyntheticTumors(0.0, 1.0), images, labels, 2.0)
    assert torch.equal(same, labels)
    outside = (painted - images).abs().amax(1)[labels == 0]
    assert float(outside.max()) > 0.05


def test_images_without_enough_liver_are_left_alone() -> None:
    torch.manual_seed(0)
    images, labels = livers(4)
    labels = torch.where(torch.arange(128)[None, :, None] < 32, labels, 0)
    painted, same = paint_tumors(SyntheticTumors(1.0, 1.0), images, labels, 2.0)
    assert torch.equal(painted, images)
    assert torch.equal(same, labels)


def test_the_same_seed_paints_the_same() -> None:
    outcomes = []
    for _ in range(2):
        torch.manual_seed(7)
        outcomes.append(paint_tumors(SyntheticTumors(), *livers(), 1.1))
    assert torch.equal(outcomes[0][0], outcomes[1][0])
    assert torch.equal(outcomes[0][1], outcomes[1][1])
