"""What JPEG compression does to a picture: 8 x 8 cosine transform, rounded, and back.

Source: ITU-T T.81, the luminance table of its Annex K.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

_TABLE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)


def jpeg(images: Tensor, coarseness: tuple[float, float] = (0.2, 1.2)) -> Tensor:
    """`images` (n, c, h, w), float 0..1, as after compression; each with a random coarseness.

    1 is the standard's table (quality 50), 0.2 quality 90.
    """
    n, _, height, width = images.shape
    low, high = coarseness
    factor = low + (high - low) * torch.rand(n, 1, 1, 1, 1, 1, device=images.device)
    steps = torch.tensor(_TABLE, device=images.device, dtype=images.dtype) / 255 * factor
    basis = _basis(images)
    padded = F.pad(images, (0, -width % 8, 0, -height % 8), mode="replicate")
    blocks = padded.unfold(2, 8, 8).unfold(3, 8, 8)
    waves = basis @ blocks @ basis.T
    blocks = basis.T @ (torch.round(waves / steps) * steps) @ basis
    whole = blocks.transpose(3, 4).reshape(padded.shape)
    return whole[:, :, :height, :width].clamp(0, 1)


def _basis(like: Tensor) -> Tensor:
    """The orthonormal cosine transform of 8 samples as a matrix."""
    k = torch.arange(8, device=like.device, dtype=like.dtype)
    rows = torch.cos(math.pi / 8 * (k[None] + 0.5) * k[:, None]) / 2
    rows[0] /= math.sqrt(2)
    return rows
