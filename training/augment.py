"""Augmentation of whole batches, on whatever device they are.

Rotation, scale, shift, brightness, contrast, gamma, noise, and reversal of the slice order. Left-
right flips are offered but off: the liver's side is anatomy, and a network that is shown mirrored
patients loses it. Intensities vary as contrast phases do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Augmentation:
    """Ranges of the random changes. Intensities are in units of the whole window."""

    rotation_degrees: float = 15.0
    scale: float = 0.2
    shift: float = 0.08
    flip_probability: float = 0.0
    brightness: float = 0.12
    contrast: float = 0.3
    gamma: float = 0.3
    noise: float = 0.06

    def __call__(
        self, images: Tensor, labels: Tensor, size: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        """Change `images` (n, c, h, w), float 0..1, and `labels` (n, h, w), int64, alike.

        Both come back at `size` (rows, columns).
        """
        images, labels = self._move(images, labels, size)
        images = _reverse_some(images)
        return self._vary_intensity(images), labels

    def _move(self, images: Tensor, labels: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        n, channels, height, width = images.shape
        angle = _uniform(n, images, math.radians(self.rotation_degrees))
        zoom = torch.exp(_uniform(n, images, math.log1p(self.scale)))
        mirror = torch.where(_rand(n, images) < self.flip_probability, -1.0, 1.0)
        cos, sin, aspect = angle.cos() * zoom, angle.sin() * zoom, width / height
        theta = torch.zeros(n, 2, 3, device=images.device)
        theta[:, 0, 0], theta[:, 0, 1] = cos * mirror, -sin / aspect
        theta[:, 1, 0], theta[:, 1, 1] = sin * aspect * mirror, cos
        theta[:, 0, 2] = _uniform(n, images, self.shift)
        theta[:, 1, 2] = _uniform(n, images, self.shift)
        grid = F.affine_grid(theta, [n, channels, *size], align_corners=False)
        moved = F.grid_sample(images, grid, "bilinear", "zeros", align_corners=False)
        nearest = F.grid_sample(
            labels[:, None].float(), grid, "nearest", "zeros", align_corners=False
        )
        return moved, nearest[:, 0].long()

    def _vary_intensity(self, images: Tensor) -> Tensor:
        n = len(images)

        def per_image(values: Tensor) -> Tensor:
            return values.view(n, 1, 1, 1)

        contrast = per_image(torch.exp(_uniform(n, images, self.contrast)))
        brightness = per_image(_uniform(n, images, self.brightness))
        gamma = per_image(torch.exp(_uniform(n, images, self.gamma)))
        noise = per_image(_rand(n, images).square() * self.noise)
        images = (images - 0.5) * contrast + 0.5 + brightness
        images = images.clamp(1e-4, 1).pow(gamma)
        return (images + torch.randn_like(images) * noise).clamp(0, 1)


def _reverse_some(images: Tensor) -> Tensor:
    """Reverse the order of the context slices in half of the images."""
    flip = _rand(len(images), images) < 0.5
    return torch.where(flip.view(-1, 1, 1, 1), images.flip(1), images)


def _rand(n: int, like: Tensor) -> Tensor:
    return torch.rand(n, device=like.device)


def _uniform(n: int, like: Tensor, limit: float) -> Tensor:
    return (_rand(n, like) * 2 - 1) * limit
