"""Spatial and intensity transforms of whole batches, on any device."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from training.config.augmentation_config import Augmentation
from training.config.field_of_view import FieldOfView

_JPEG_LUMINANCE = (  # ITU-T T.81, Annex K
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
    """`images` (n, c, h, w), float 0..1, as after JPEG compression; each with a random coarseness.

    8 x 8 cosine transform, rounded, and back (ITU-T T.81). Coarseness 1 is the standard's
    table (quality 50), 0.2 quality 90.
    """
    n, _, height, width = images.shape
    low, high = coarseness
    factor = low + (high - low) * torch.rand(n, 1, 1, 1, 1, 1, device=images.device)
    steps = torch.tensor(_JPEG_LUMINANCE, device=images.device, dtype=images.dtype) / 255 * factor
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


def spatial(
    config: Augmentation, images: Tensor, labels: Tensor, centers: Tensor, view: FieldOfView
) -> tuple[Tensor, Tensor]:
    """Cut `view` out of `images` (n, c, h, w), float 0..1, and `labels` (n, h, w), int64.

    The trunk's middle, or for the liver view `centers` (n, 2: row, column in -1..1), lies in the
    middle but for a random shift.
    """
    n = len(images)
    grid = _grid(config, images, centers if view.extent != (1.0, 1.0) else centers * 0, view)
    images = _shrink(images, view)
    moved = F.grid_sample(images, grid, "bilinear", "zeros", align_corners=False)
    nearest = F.grid_sample(labels[:, None].float(), grid, "nearest", "zeros", align_corners=False)
    reverse = _rand(n, images) < 0.5  # the order of the slices
    moved = torch.where(reverse.view(-1, 1, 1, 1), moved.flip(1), moved)
    return moved, nearest[:, 0].long()


def liver_intensity(config: Augmentation, images: Tensor, labels: Tensor) -> Tensor:
    """Make the whole liver, tumors and all, darker or brighter than the tissue around it.

    Fatty livers are darker than the spleen, and phases differ in how bright the liver is
    beside all else; no change of a whole picture shows that.
    """
    n = len(images)
    low, high = config.tone
    offset = low + (high - low) * _rand(n, images)
    offset = torch.where(_rand(n, images) < config.tone_chance, offset, 0.0)
    organ = F.avg_pool2d((labels > 0).float()[:, None], 3, 1, 1)
    tissue = images > 0.1  # in the slices beside it air may lie where the liver is
    return (images + _per_image(offset) * organ * tissue).clamp(0, 1)


def intensity(config: Augmentation, images: Tensor) -> Tensor:
    """Change the intensities of `images` (n, c, h, w), float 0..1."""
    n = len(images)
    for change in (_blur, _coarsen, jpeg):
        # Chosen on the CPU: a GPU is not waited for.
        chosen = (torch.rand(n) < config.degrade).nonzero()[:, 0]
        if len(chosen):
            chosen = chosen.to(images.device)
            images = images.index_copy(0, chosen, change(images[chosen]))
    contrast = _per_image(torch.exp(_uniform(n, images, config.contrast)))
    brightness = _per_image(_uniform(n, images, config.brightness))
    gamma = _per_image(torch.exp(_uniform(n, images, config.gamma)))
    noise = _per_image(_rand(n, images).square() * config.noise)
    images = (images - 0.5) * contrast + 0.5 + brightness
    images = images.clamp(1e-4, 1).pow(gamma)
    return (images + torch.randn_like(images) * noise).clamp(0, 1)


def _grid(config: Augmentation, images: Tensor, centers: Tensor, view: FieldOfView) -> Tensor:
    n, _, height, width = images.shape
    angle = _uniform(n, images, math.radians(config.rotation_degrees))
    zoom = torch.exp(_uniform(n, images, math.log1p(config.scale)))
    mirror = torch.where(_rand(n, images) < config.flip_probability, -1.0, 1.0)
    cos, sin, aspect = angle.cos() * zoom, angle.sin() * zoom, width / height
    rows, columns = view.extent
    theta = torch.zeros(n, 2, 3, device=images.device)
    theta[:, 0, 0], theta[:, 0, 1] = cos * mirror * columns, -sin / aspect * rows
    theta[:, 1, 0], theta[:, 1, 1] = sin * aspect * mirror * columns, cos * rows
    theta[:, 0, 2] = centers[:, 1] + _uniform(n, images, config.shift)
    theta[:, 1, 2] = centers[:, 0] + _uniform(n, images, config.shift)
    grid = F.affine_grid(theta, [n, 1, *view.size], align_corners=False)
    if not config.elastic:
        return grid
    coarse = torch.randn(n, 2, 5, 7, device=images.device) * config.elastic / 2
    bend = F.interpolate(coarse, view.size, mode="bicubic", align_corners=True)
    return grid + bend.movedim(1, -1)


def _shrink(images: Tensor, view: FieldOfView) -> Tensor:
    """Average pixels first where the view is much coarser, so that noise does not alias."""
    factor = int(images.shape[2] / view.of_trunk[0] + 0.1)
    return F.avg_pool2d(images, factor) if factor > 1 else images


def _blur(images: Tensor) -> Tensor:
    soft = F.avg_pool2d(images, 3, 1, 1, count_include_pad=False)
    share = _per_image(_rand(len(images), images))
    return images + (soft - images) * share


def _coarsen(images: Tensor) -> Tensor:
    small = F.interpolate(images, scale_factor=0.5, mode="bilinear", antialias=True)
    return F.interpolate(small, images.shape[2:], mode="bilinear")


def _per_image(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1, 1)


def _rand(n: int, like: Tensor) -> Tensor:
    return torch.rand(n, device=like.device)


def _uniform(n: int, like: Tensor, limit: float) -> Tensor:
    return (_rand(n, like) * 2 - 1) * limit
