"""Thumbnail of a labelled case: one slice in color with its mask laid over it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.display import LABEL_COLORS
from training.data.case import Case

SIDE_PX = 160
_OPACITY = 0.45
_MARGIN = 0.04
_AIR_GREY = 8
"""Grey levels of the window; below it is air."""


def case_thumbnail(case: Case) -> NDArray[np.uint8]:
    """The middle slice of the liver: RGB (rows, columns, 3), square pixels, at most `SIDE_PX`.

    As a radiologist sees it: anterior at the top, the patient's right on the left. Without a liver
    it is the middle slice of the scan.
    """
    k = _middle(case.labels)
    body = body_box(case.slices[k], case.labels[k])
    grey, labels = case.slices[k][body], case.labels[k][body]
    rows, columns = _sampled(grey.shape, case.pixel_mm or (1.0, 1.0))
    grid = np.ix_(rows, columns)
    rgb = np.repeat(grey[grid][:, :, None].astype(np.float32), 3, axis=2)
    for label, color in LABEL_COLORS.items():
        inside = labels[grid] == label
        rgb[inside] = (1 - _OPACITY) * rgb[inside] + _OPACITY * np.array(color, np.float32)
    return np.ascontiguousarray(rgb.round().astype(np.uint8))


def _middle(labels: NDArray[np.uint8]) -> int:
    """The slice that has half of the liver on either side."""
    share = np.count_nonzero(labels, axis=(1, 2)).cumsum()
    if not share[-1]:
        return len(labels) // 2
    return int(np.searchsorted(share, share[-1] / 2))


def body_box(grey: NDArray[np.uint8], labels: NDArray[np.uint8]) -> tuple[slice, slice]:
    """Rows and columns of what is not air, with a margin; all where there is only air."""
    box = []
    for axis in (1, 0):
        occupied = np.flatnonzero(
            (np.mean(grey > _AIR_GREY, axis=axis) > _MARGIN) | labels.any(axis=axis)
        )
        if not occupied.size:
            return slice(None), slice(None)
        margin = round(grey.shape[1 - axis] * _MARGIN)
        box.append(slice(max(occupied[0] - margin, 0), occupied[-1] + 1 + margin))
    return box[0], box[1]


def _sampled(
    shape: tuple[int, ...], pixel_mm: tuple[float, float]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows and columns that make a picture of `SIDE_PX` along its longer side."""
    size_mm = [n * mm for n, mm in zip(shape, pixel_mm, strict=True)]
    out = []
    for n, mm in zip(shape, size_mm, strict=True):
        count = max(round(SIDE_PX * mm / max(size_mm)), 1)
        out.append(((np.arange(count) + 0.5) * n / count).astype(np.int64))
    return out[0], out[1]


ShowSlice = Callable[[Path, int | None, int], None]
"""Shows the axial slice (from 0) of a scan, volume (from 1, None: the only one), in the window."""
