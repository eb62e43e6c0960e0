"""Tumors painted into real livers while training, and masses painted beside them.

Real tumors are few; Hu et al. (CVPR 2023) come near to training on real ones with painted ones
alone. Ellipsoids with noise-distorted surfaces are darker or brighter than the liver around them,
some with a rim, large ones with a darker core, and push the tissue around them aside. Masses
outside the liver carry no label: a network that has seen them does not take every mass for tumor.

The chances are here, for whoever shows or stores a recipe;
`training.augmentation.synthetic_tumors` needs torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class SyntheticTumors:
    """How often and what is painted. Chances are per image, radii in millimetres (roughly).

    Images that hold a real tumor get one with half the chance.
    """

    chance: float = 0.4
    mass_chance: float = 0.15
    radius_mm: tuple[float, float] = (2.0, 30.0)
    bright_chance: float = 0.12

    def __call__(self, images: Tensor, labels: Tensor, pixel_mm: float) -> tuple[Tensor, Tensor]:
        """Paint into copies of `images` (n, c, h, w), float 0..1, and `labels` (n, h, w)."""
        from training.augmentation.synthetic_tumors import paint_tumors

        return paint_tumors(self, images, labels, pixel_mm)
