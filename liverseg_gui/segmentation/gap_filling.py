"""Gap filling between slices in which the network found liver.

The dome of the liver, seen slice by slice, looks like the heart beside it, and now and then a few
slices are lost.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from liverseg_gui.core.labels import LIVER

LONGEST_GAP_MM = 16.0
"""Between the slice below and the one above."""
NARROWEST_MM = 9.0
"""What a square of this side does not fit into is a fissure or an edge, and stays as it is."""
_FAR = 16000
"""Slices to an organ that is not there: more than any gap, and two of them fit 16 bits."""
_LIKE_LIVER = 1.5
"""How many standard deviations from the liver's median level liver may be."""


def bridge_gaps(
    labels: NDArray[np.uint8], slices: NDArray[np.uint8], spacing_mm: tuple[float, float, float]
) -> NDArray[np.uint8]:
    """`labels` (n, rows, columns) with liver in gaps along n where `slices` look like liver.

    `spacing_mm` is that of slices, rows and columns. Returns new labels where there is a gap, else
    `labels` themselves.
    """
    gaps = _gaps(labels > 0, LONGEST_GAP_MM / spacing_mm[0])
    sides = (_side(spacing_mm[1]), _side(spacing_mm[2]))
    lost = [n for n in np.flatnonzero(gaps.any(axis=(1, 2))) if _opened(gaps[n], sides).any()]
    if not lost:
        return labels
    liver = slices[labels == LIVER]
    middle, spread = (np.median(liver), liver.std()) if len(liver) else (0.0, 0.0)
    out = labels
    for n in lost:
        level = ndimage.uniform_filter(slices[n].astype(np.float32), 3)
        alike = np.abs(level - middle) < _LIKE_LIVER * spread
        gap = _opened(gaps[n] & alike, sides)
        if gap.any():
            out = labels.copy() if out is labels else out
            out[n][gap] = LIVER
    return out


def _side(pixel_mm: float) -> int:
    """`NARROWEST_MM` in pixels."""
    return max(1, round(NARROWEST_MM / pixel_mm))


def _opened(mask: NDArray[np.bool_], sides: tuple[int, int]) -> NDArray[np.bool_]:
    """What of the 2D `mask` rectangles with these `sides` in it cover."""
    eroded = ndimage.minimum_filter(mask.view(np.uint8), sides, mode="constant")
    back = tuple(side % 2 - 1 for side in sides)  # an even window leans to one side
    return ndimage.maximum_filter(eroded, sides, mode="constant", origin=back).view(np.bool_)


def _gaps(organ: NDArray[np.bool_], longest: float) -> NDArray[np.bool_]:
    """What is not `organ` and has organ before and behind it, less than `longest` slices apart."""
    n = len(organ)
    before = np.empty(organ.shape, np.int16)
    last = np.full(organ.shape[1:], -_FAR, np.int16)
    for k in range(n):
        last = np.where(organ[k], k, last)
        before[k] = last
    gaps = np.zeros(organ.shape, bool)
    following = np.full(organ.shape[1:], _FAR, np.int16)
    for k in range(n - 1, -1, -1):
        following = np.where(organ[k], k, following)
        gaps[k] = ~organ[k] & (following - before[k] <= longest)
    return gaps
