"""Preprocessing, shared by training and inference: windowed axial slices of the trunk.

A slice is shown as a radiologist sees it: rows run from anterior to posterior, columns from the
patient's right to the left. HU are clipped to the model's window and stored in 8 bits. The trunk
(muscle wall and organs, without skin, fat and table) is found once per scan and fills the
network's input, so that field of view and body size matter little (docs/adr/0003).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from liverseg_gui.core.labels import TUMOR
from liverseg_gui.core.volume import Volume
from liverseg_gui.segmentation.components import largest_component

if TYPE_CHECKING:
    import torch  # seconds to load: the functions that resample load it

WINDOW_HU = (-40.0, 160.0)
CONTEXT_MM = 2.5
MARGIN = 0.08
LIVER_ROOM = 0.06
"""Room left around the liver, as a part of the trunk: two centimetres or so."""
_CHUNK = 16
_MUSCLE = 76  # 8-bit level of 20 HU
_QUARTER = 4  # edges are looked at on every fourth pixel
_TOUCHING = 4  # so many of them at an edge are more than a speck

Where: TypeAlias = tuple[slice, slice, slice]
"""A part of axial slices (n, rows, columns)."""
Touched: TypeAlias = tuple[tuple[bool, bool], ...]
"""For each axis, whether its low and its high side is reached."""


def window_to_uint8(
    hu: NDArray[np.int16], window_hu: tuple[float, float] = WINDOW_HU
) -> NDArray[np.uint8]:
    """Clip `hu` to the window and scale it to 0..255."""
    return _levels(*window_hu)[hu.view(np.uint16)]


@lru_cache(maxsize=4)
def _levels(low: float, high: float) -> NDArray[np.uint8]:
    """The 8-bit level of each HU, at the index that its bits are as uint16."""
    table = (np.arange(-32768, 32768, dtype=np.float64) - low) * (255.0 / (high - low))
    return np.roll(np.clip(np.rint(table), 0, 255).astype(np.uint8), 32768)


class AxialSlices:
    """The windowed axial slices of a RAS+ volume, made when asked for: a scan of 800 slices is
    never copied whole. Indexed as an array (k, rows, columns) of uint8 is."""

    def __init__(self, volume: Volume, window_hu: tuple[float, float] = WINDOW_HU) -> None:
        self._hu = volume.hu[::-1, ::-1, :].transpose(2, 1, 0)
        self._window_hu = window_hu
        self.shape: tuple[int, ...] = self._hu.shape

    def __len__(self) -> int:
        return len(self._hu)

    def __getitem__(self, key: Any) -> NDArray[np.uint8]:
        return window_to_uint8(self._hu[key], self._window_hu)


def axial_slices(volume: Volume, window_hu: tuple[float, float] = WINDOW_HU) -> NDArray[np.uint8]:
    """All windowed axial slices of a RAS+ volume at once: uint8, shape (k, rows, columns)."""
    slices = AxialSlices(volume, window_hu)
    out = np.empty(slices.shape, np.uint8)
    for k in range(len(slices)):
        out[k] = slices[k]
    return out


Slices: TypeAlias = NDArray[np.uint8] | AxialSlices
"""Axial slices (n, rows, columns) of uint8."""


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


def find_trunk(slices: Slices, pixel_mm: tuple[float, float], aspect: float) -> TrunkBox:
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


def to_input(
    slices: Slices,
    box: TrunkBox,
    size: tuple[int, int],
    chosen: NDArray[np.int64] | None = None,
) -> NDArray[np.uint8]:
    """Resample the box of each slice, or of the `chosen` ones, to `size` (rows, columns).

    Returns uint8, shape (n, *size).
    """
    import torch
    import torch.nn.functional as F

    r0, c0, r1, c1 = _pixels(box)
    inside, source = _overlap(box, slices.shape[1:])
    chosen = np.arange(len(slices)) if chosen is None else chosen
    out = np.empty((len(chosen), *size), np.uint8)
    for start in range(0, len(chosen), _CHUNK):
        part = slices[chosen[start : start + _CHUNK], *source]
        crop = torch.zeros(len(part), 1, r1 - r0, c1 - c0)
        crop[:, 0, *inside] = torch.from_numpy(part).float()
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
    coarse: NDArray[np.uint8], trunk: TrunkBox, of_trunk: tuple[int, int], step: int = 1
) -> Region | None:
    """The region around the largest organ in `coarse` labels (n, rows, columns) of the trunk.

    `coarse` holds every `step`-th slice. The region's size has the scale at which the whole trunk
    is `of_trunk` (rows, columns), and multiples of 32. None where there is no organ.
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
    room = max(2, step)
    return Region(
        max(box[0].start * step - room, 0),
        (box[0].stop - 1) * step + room + 1,
        TrunkBox(
            trunk.top + rows[0] * row_px,
            trunk.left + columns[0] * column_px,
            rows[1] * row_px,
            columns[1] * column_px,
        ),
        (rows[1], columns[1]),
    )


def enlarged(region: Region, touched: Touched, slices: int) -> Region:
    """The region with `slices` more, or 32 pixels of the input, on each side that is `touched`."""
    first, stop, top, bottom, left, right = (int(side) for axis in touched for side in axis)
    row_px, column_px = region.box.height / region.size[0], region.box.width / region.size[1]
    rows, columns = 32 * (top + bottom), 32 * (left + right)
    return Region(
        max(region.first - slices * first, 0),
        region.stop + slices * stop,
        TrunkBox(
            region.box.top - 32 * top * row_px,
            region.box.left - 32 * left * column_px,
            region.box.height + rows * row_px,
            region.box.width + columns * column_px,
        ),
        (region.size[0] + rows, region.size[1] + columns),
    )


def touched_sides(labels: NDArray[np.uint8], where: Where, shape: tuple[int, ...]) -> Touched:
    """Which sides of the part `where` of slices of `shape` the largest organ in its `labels`
    reaches. Sides that are the scan's own are never touched: there is nothing beyond."""
    organ = largest_component(labels[:, ::_QUARTER, ::_QUARTER] > 0)
    sides = []
    for axis, (part, extent) in enumerate(zip(where, shape, strict=True)):
        low, high = (np.count_nonzero(organ.take(end, axis)) >= _TOUCHING for end in (0, -1))
        sides.append((bool(low) and part.start > 0, bool(high) and part.stop < extent))
    return tuple(sides)


def _sides(side: slice, extent: int, fine: int) -> tuple[float, int]:
    """Start and length, in pixels of the finer trunk, of a side with room around it."""
    start, stop = side.start * fine / extent, side.stop * fine / extent
    length = 32 * math.ceil((stop - start + 2 * LIVER_ROOM * fine) / 32)
    return (start + stop - length) / 2, length


def from_input(
    scores: torch.Tensor, box: TrunkBox, shape: tuple[int, ...]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Labels and the chance of tumor from class `scores` (n, classes, rows, columns).

    Scores are interpolated before the arg-max, a few slices at a time, so that boundaries are as
    fine as the scan's pixels. Both are uint8 (n, rows, columns) on the part of the slices of
    `shape` (n, rows, columns) that the box covers (`box_on`); the chance is 0..255.
    """
    import torch
    import torch.nn.functional as F

    r0, c0, r1, c1 = _pixels(box)
    inside, _ = _overlap(box, shape[1:])
    full = F.interpolate(scores.float(), (r1 - r0, c1 - c0), mode="bilinear", align_corners=False)
    full = full[:, :, *inside]
    labels = full.argmax(1).to(torch.uint8)
    tumor = (full[:, TUMOR] - full.logsumexp(1)).exp_().mul_(255).round_().to(torch.uint8)
    return labels.cpu().numpy(), tumor.cpu().numpy()


def box_on(box: TrunkBox, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The rows and columns of slices of `shape` (n, rows, columns) that the box covers."""
    return _overlap(box, shape[1:])[1]


def on_slice(box: TrunkBox, size: tuple[int, int], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which pixels of an input of `size` show slices of `shape` (n, rows, columns), not what lies
    beyond: bool, (rows, columns)."""
    sides = ((box.top, box.height), (box.left, box.width))
    inside = []
    for (start, length), pixels, extent in zip(sides, size, shape[1:], strict=True):
        at = start + (np.arange(pixels) + 0.5) * length / pixels
        inside.append((at >= 0) & (at < extent))
    return np.asarray(inside[0][:, None] & inside[1][None, :], np.bool_)


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
