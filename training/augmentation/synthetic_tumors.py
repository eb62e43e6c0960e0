"""Synthetic tumors in the livers of a batch, and masses beside them.

Real tumors are few; Hu et al. (CVPR 2023) come near to training on real ones with painted ones
alone. Ellipsoids with noise-distorted surfaces are darker or brighter than the liver around them,
some with a rim, large ones with a darker core, and push the tissue around them aside. Masses
outside the liver carry no label: a network that has seen them does not take every mass for tumor.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from liverseg_gui.core.labels import LIVER, TUMOR
from liverseg_gui.segmentation.preprocessing import CONTEXT_MM, WINDOW_HU
from training.config.augmentation_config import SyntheticTumors

_HU = 1 / (WINDOW_HU[1] - WINDOW_HU[0])
_SMALLEST_LIVER = 300  # pixels: less of the liver is no place for a tumor


def paint_tumors(
    config: SyntheticTumors, images: Tensor, labels: Tensor, pixel_mm: float
) -> tuple[Tensor, Tensor]:
    """Paint into copies of `images` (n, c, h, w), float 0..1, and `labels` (n, h, w).

    What is painted is decided on the CPU, so that a GPU is waited for once a batch.
    """
    images, labels = images.clone(), labels.clone()
    pixels = torch.stack([(labels >= LIVER).sum((1, 2)), (labels == TUMOR).sum((1, 2))])
    for n, (liver, tumor) in enumerate(pixels.T.tolist()):
        if liver < _SMALLEST_LIVER:
            continue
        organ = labels[n] >= LIVER
        if _happens(config.mass_chance):
            tissue = ~organ & (images[n].mean(0) > 0.3)
            images[n], _ = _paint(config, images[n], tissue, organ, pixel_mm)
        if _happens(config.chance / 2 if tumor else config.chance):
            for _ in range(1 + min(int(torch.empty(1).exponential_(1.2)), 4)):
                images[n], painted = _paint(config, images[n], organ, organ, pixel_mm)
                labels[n].masked_fill_(painted & organ, TUMOR)
    return images, labels


def _paint(
    config: SyntheticTumors, image: Tensor, where: Tensor, organ: Tensor, pixel_mm: float
) -> tuple[Tensor, Tensor]:
    """One mass whose middle lies in `where` (h, w): the image, and where it is (h, w).

    Where `where` is nowhere nothing is painted.
    """
    place = _random_pixel(where)
    low, high = (math.log(r) for r in config.radius_mm)
    radius_mm = math.exp(_uniform(low, high))
    distance = _distances(image, place, radius_mm, pixel_mm)
    level = (image * organ).sum() / (organ.sum() * len(image))
    if _happens(0.5) and radius_mm > 8:
        image = _push_aside(image, place, radius_mm / pixel_mm)
    sharp = radius_mm / pixel_mm * _uniform(0.7, 2.5)
    cover = torch.sigmoid((1 - distance) * sharp)
    inside = F.avg_pool2d(where[None].float(), 3, 1, 1)
    cover = cover * inside
    tone = _tone(config, image, distance, radius_mm)
    kept = _uniform(0.3, 0.7)  # how much of the liver's own texture shines through
    painted = level + (image - level) * kept + tone
    return (image + (painted - image) * cover).clamp(0, 1), cover[len(image) // 2] > 0.5


def _tone(config: SyntheticTumors, image: Tensor, distance: Tensor, radius_mm: float) -> Tensor:
    """How much brighter than the liver each pixel of the mass is, in parts of the window."""
    bright = _happens(config.bright_chance)
    offset = _uniform(15, 60) * _HU if bright else -_uniform(12, 75) * _HU
    texture = _noise(image, 10) * _uniform(0, 10) * _HU
    tone = offset + texture
    if _happens(0.3):  # a rim
        rim = torch.exp(-(((distance - 0.9) / 0.12) ** 2))
        tone = tone + rim * _uniform(-15, 45) * _HU
    if radius_mm > 12 and _happens(0.4):  # a necrotic core
        core = torch.sigmoid((_uniform(0.4, 0.8) - distance - _noise(image, 6) * 0.1) * 12)
        tone = tone - core * _uniform(10, 50) * _HU
    return tone


def _random_pixel(where: Tensor) -> Tensor:
    """A pixel of the mask `where` (h, w), each as likely as any other: (row, column)."""
    drawn = torch.rand(where.shape, device=where.device).masked_fill_(~where, -1.0)
    best = drawn.flatten().argmax()
    return torch.stack([best // where.shape[1], best % where.shape[1]])


def _distances(image: Tensor, place: Tensor, radius_mm: float, pixel_mm: float) -> Tensor:
    """Distance from the middle, 1 on the surface, in each slice: (c, h, w)."""
    channels, height, width = image.shape
    rows = (torch.arange(height, device=image.device) - place[0]).float()[:, None] * pixel_mm
    columns = (torch.arange(width, device=image.device) - place[1]).float()[None] * pixel_mm
    angle, flat = _uniform(0, math.pi), _uniform(0.6, 1.0)
    u = columns * math.cos(angle) + rows * math.sin(angle)
    v = (rows * math.cos(angle) - columns * math.sin(angle)) / flat
    above = torch.arange(channels, device=image.device) - channels // 2
    w = above * CONTEXT_MM + _uniform(-0.8, 0.8) * radius_mm
    square = (u.square() + v.square())[None] + w.view(-1, 1, 1).square()
    bumps = _noise(image[:1], max(3, int(radius_mm / pixel_mm / 1.5))) * _uniform(0.03, 0.2)
    return square.sqrt() / radius_mm + bumps


def _push_aside(image: Tensor, place: Tensor, radius: float) -> Tensor:
    """The tissue around a mass, pressed outwards: it is looked up nearer to the middle."""
    _, height, width = image.shape
    rows = torch.arange(height, device=image.device).float()[:, None] - place[0]
    columns = torch.arange(width, device=image.device).float()[None] - place[1]
    distance = (rows.square() + columns.square()).sqrt() / radius
    pull = 1 - 0.25 * torch.exp(-(((distance - 1) / 0.5) ** 2))
    y = (place[0] + rows * pull + 0.5) * 2 / height - 1
    x = (place[1] + columns * pull + 0.5) * 2 / width - 1
    grid = torch.stack([x, y], -1)[None]
    return F.grid_sample(image[None], grid, "bilinear", "border", align_corners=False)[0]


def _noise(like: Tensor, step: int) -> Tensor:
    """Smooth noise of `like`'s shape (c, h, w), about one bump every `step` pixels, SD about 1."""
    _, height, width = like.shape
    size = (height // step + 2, width // step + 2)
    coarse = torch.randn(1, 1, *size, device=like.device)
    fine = F.interpolate(coarse, (height, width), mode="bicubic", align_corners=False)
    return fine[0].expand_as(like) * 1.4


def _happens(chance: float) -> bool:
    return float(torch.rand(1)) < chance


def _uniform(low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand(1))
