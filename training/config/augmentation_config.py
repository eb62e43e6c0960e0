"""Augmentation of whole batches, on whatever device they are.

What moves (rotation, scale, shift, elastic) moves slices and labels alike, in one resampling that
also cuts out what the network looks at. What changes intensity does so in terms of the window, as
contrast phases, scanners and reconstruction kernels do. Left-right flips are offered but off: the
liver's side is anatomy, and a network that is shown mirrored patients loses it.

The ranges are here, for whoever shows or stores a recipe;
`training.augmentation.transforms` needs torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from training.config.field_of_view import Look

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Augmentation:
    """Ranges of the random changes. Intensities are in units of the whole window.

    `shift` and `elastic` are parts of the trunk's size; `degrade` is the chance of each of blur,
    low resolution and JPEG, `tone_chance` that of the liver alone being darker or brighter, by up
    to `tone`.
    """

    rotation_degrees: float = 15.0
    scale: float = 0.2
    shift: float = 0.08
    elastic: float = 0.02
    flip_probability: float = 0.0
    brightness: float = 0.12
    contrast: float = 0.3
    gamma: float = 0.3
    noise: float = 0.06
    degrade: float = 0.1
    tone_chance: float = 0.35
    tone: tuple[float, float] = (-0.3, 0.2)

    def move(
        self, images: Tensor, labels: Tensor, centers: Tensor, look: Look
    ) -> tuple[Tensor, Tensor]:
        """Cut `look` out of a batch: `training.augmentation.transforms.move`."""
        from training.augmentation.transforms import move

        return move(self, images, labels, centers, look)

    def shade(self, images: Tensor, labels: Tensor) -> Tensor:
        """Change the tone of the whole liver: `training.augmentation.transforms.shade`."""
        from training.augmentation.transforms import shade

        return shade(self, images, labels)

    def vary(self, images: Tensor) -> Tensor:
        """Change the intensities: `training.augmentation.transforms.vary`."""
        from training.augmentation.transforms import vary

        return vary(self, images)
