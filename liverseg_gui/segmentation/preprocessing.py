"""What the network sees: windowed axial slices of the trunk. Shared by training and inference.

A slice is shown as a radiologist sees it: rows run from anterior to posterior, columns from the
patient's right to the left. HU are clipped to the model's window and stored in 8 bits. The trunk
(muscle wall and organs, without skin, fat and table) is found once per scan and fills the
network's input, so that field of view and body size matter little (docs/adr/0003).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from liverseg_gui.core.volume import Volume

if TYPE_CHECKING:
    import torch  # seconds to load: the functions that resample load it

WINDOW_HU = (-40.0, 160.0)
CONTEXT_MM = 2.5
MARGIN = 0.08
LIVER_ROOM = 0.06
"""Room left around the liver, as a part of the trunk: two centimetres or so."""
_CHUNK = 16
_MUSCLE = 76  # 8-bit level of 20 HU


def window_to_uint8(
    hu: NDArray[np.int16], window_hu: tuple[float, float] = WINDOW_HU
) -> NDArray[np.uint8]:
    """Clip `hu` to the window and scale it to 0..255."""
    low, high = window_hu
    table = (np.arange(-32768, 32768, dtype=np.float64) - low) * (255.0 / (high - low))
    levels = np.clip(np.rint(table), 0, 255).astype(np.uint8)
    return levels[hu.astype(np.int32) + 32768]


def axial_slices(volume: Volume, window_hu: tuple[float, float] = WINDOW_HU) -> NDArray[np.uint8]:
    """Windowed axial slices of a RAS+ volume: uint8, shape (k, rows, columns)."""
    hu = volume.hu[::-1, ::-1, :].transpose(2, 1, 0)
    out = np.empty(hu.shape, np.uint8)
    for k in range(len(hu)):
        out[k] = window_to_uint8(hu[k], window_hu)
    return out


def from_axial(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Labels of axial slices (k, rows, columns) back in RAS+ order (i, j, k)."""
    return labels.transpose(2, 1, 0)[::-1, ::-1, :]


@dataclass(frozen=True)
class TrunkBox:
    """A rectangle of a slice in fractional pixels (may reach beyond it): rows, then columns."""

    top: float
    left: float
    height: float
    width: float


def find_trunk(slices: NDArray[np.uint8], pixel_mm: tuple[float, float], aspect: float) -> TrunkBox:
    """The box around the trunk over all `slices` (n, rows, columns), `aspect` = width / height.

    `pixel_mm` is the (row, column) pixel distance; only its ratio matters. Falls back to the whole
    slice where no trunk is seen.
    """
    n, rows, columns = slices.shape
    step = max(1, min(rows, columns) // 128)
    chosen = slices[:: max(1, n // 48), ::step, ::step]
    solid = ndimage.binary_opening(
        ndimage.uniform_filter(chosen, (0, 3, 3)) > _MUSCLE, np.ones((1, 4, 4))
    )
    common = solid.mean(axis=0) > 0.12
    parts, count = ndimage.label(ndimage.binary_dilation(common, iterations=2))
    if count == 0:
        top, left, bottom, right = 0.0, 0.0, float(rows), float(columns)
    else:
        sizes = ndimage.sum_labels(common, parts, np.arange(1, count + 1))
        trunk = common & (parts == 1 + int(np.argmax(sizes)))
        r, c = (np.nonzero(trunk.any(axis=axis))[0] for axis in (1, 0))
        top, bottom = float(r[0] * step), float((r[-1] + 1) * step)
        left, right = float(c[0] * step), float((c[-1] + 1) * step)
    height_mm = (bottom - top) * pixel_mm[0] * (1 + 2 * MARGIN)
    width_mm = (right - left) * pixel_mm[1] * (1 + 2 * MARGIN)
    width_mm = max(width_mm, height_mm * aspect)
    height, width = width_mm / aspect / pixel_mm[0], width_mm / pixel_mm[1]
    return TrunkBox((top + bottom - height) / 2, (left + right - width) / 2, height, width)


def to_input(slices: NDArray[np.uint8], box: TrunkBox, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Resample the box of each slice to `size` (rows, columns): uint8, shape (n, *size)."""
    import torch
    import torch.nn.functional as F

    r0, c0, r1, c1 = _pixels(box)
    inside, source = _overlap(box, slices.shape[1:])
    out = np.empty((len(slices), *size), np.uint8)
    for start in range(0, len(slices), _CHUNK):
        part = slices[start : start + _CHUNK]
        crop = torch.zeros(len(part), 1, r1 - r0, c1 - c0)
        crop[:, 0, *inside] = torch.from_numpy(np.ascontiguousarray(part[:, *source])).float()
        small = F.interpolate(crop, size, mode="bilinear", antialias=True)
        out[start : start + _CHUNK] = small[:, 0].round_().clamp_(0, 255).to(torch.uint8).numpy()
    return out


@dataclass(frozen=True)
class Region:
    """Where the liver is: slices `first` to `stop` (excluded), the box, and its size as input."""

    first: int
    stop: int
    box: TrunkBox
    size: tuple[int, int]


def find_liver(
    coarse: NDArray[np.uint8], trunk: TrunkBox, of_trunk: tuple[int, int]
) -> Region | None:
    """The region around the largest organ in `coarse` labels (n, rows, columns) of the trunk.

    The input's size has the scale at which the whole trunk is `of_trunk` (rows, columns), and
    multiples of 32. None where there is no organ.
    """
    parts, count = ndimage.label(coarse > 0)
    if count == 0:
        return None
    largest = 1 + int(np.bincount(parts.ravel())[1:].argmax())
    box = ndimage.find_objects(parts, largest)[largest - 1]
    rows, columns = (
        _sides(side, extent, fine)
        for side, extent, fine in zip(box[1:], coarse.shape[1:], of_trunk, strict=True)
    )
    row_px, column_px = trunk.height / of_trunk[0], trunk.width / of_trunk[1]
    return Region(
        max(box[0].start - 2, 0),
        min(box[0].stop + 2, len(coarse)),
        TrunkBox(
            trunk.top + rows[0] * row_px,
            trunk.left + columns[0] * column_px,
            rows[1] * row_px,
            columns[1] * column_px,
        ),
        (rows[1], columns[1]),
    )


def _sides(side: slice, extent: int, fine: int) -> tuple[float, int]:
    """Start and length, in pixels of the finer trunk, of a side with room around it."""
    start, stop = side.start * fine / extent, side.stop * fine / extent
    length = 32 * math.ceil((stop - start + 2 * LIVER_ROOM * fine) / 32)
    return (start + stop - length) / 2, length


def from_input(scores: torch.Tensor, box: TrunkBox, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Labels on the slice's own pixels from class `scores` (n, classes, rows, columns).

    Scores are interpolated before the arg-max, a few slices at a time, so that boundaries are as
    fine as the scan's pixels. Returns uint8, shape (n, *shape).
    """
    import torch
    import torch.nn.functional as F

    r0, c0, r1, c1 = _pixels(box)
    inside, target = _overlap(box, shape)
    out = np.zeros((len(scores), *shape), np.uint8)
    full = F.interpolate(scores.float(), (r1 - r0, c1 - c0), mode="bilinear", align_corners=False)
    out[:, *target] = full.argmax(1).to(torch.uint8).cpu().numpy()[:, *inside]
    return out


def context_indices(z: NDArray[np.float64], gap: float, count: int) -> NDArray[np.int64]:
    """The slices the network sees beside each slice: indices of shape (n, `count`), `count` odd.

    `z` (n,) ascends; the neighbours lie `gap`, twice `gap`, ... before and behind, each the stored
    slice nearest to that place on its side. Where the scan ends or slices are missing the last one
    before the gap is repeated; slices further apart than `gap` all along are taken as they come.
    """
    n = len(z)
    reach = 1.5 * max(gap, float(np.diff(z).min()) if n > 1 else gap)
    out = np.empty((n, count), np.int64)
    middle = count // 2
    out[:, middle] = np.arange(n)
    for index in range(n):
        for side in (-1, 1):
            last = index
            for offset in range(1, middle + 1):
                others = np.arange(index) if side < 0 else np.arange(index + 1, n)
                if len(others):
                    away = np.abs(z[others] - (z[index] + side * offset * gap))
                    nearest = int(others[away.argmin()])
                    if abs(z[nearest] - z[last]) <= reach:
                        last = nearest
                out[index, middle + side * offset] = last
    return out


def _pixels(box: TrunkBox) -> tuple[int, int, int, int]:
    top, left = round(box.top), round(box.left)
    return top, left, top + max(1, round(box.height)), left + max(1, round(box.width))


def _overlap(
    box: TrunkBox, shape: tuple[int, ...]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """The part of the box that lies on the slice: in the box's and in the slice's own pixels."""
    r0, c0, r1, c1 = _pixels(box)
    rows = slice(max(r0, 0), min(r1, shape[0]))
    columns = slice(max(c0, 0), min(c1, shape[1]))
    inside = (
        slice(rows.start - r0, rows.stop - r0),
        slice(columns.start - c0, columns.stop - c0),
    )
    return inside, (rows, columns)
