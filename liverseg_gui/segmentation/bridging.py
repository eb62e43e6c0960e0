"""Fill what the network left out between slices where it found liver: the dome of the liver, seen
slice by slice, looks like the heart beside it, and now and then a few slices are lost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from liverseg_gui.core.volume import LIVER

LONGEST_GAP_MM = 16.0
"""Between the slice below and the one above."""
SMALLEST_RADIUS_MM = 5.0
"""What a disk of this radius does not fit into is a fissure or an edge, and stays as it is."""
_FAR = 16000
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
    lost = np.flatnonzero(gaps.any(axis=(1, 2)))
    if len(lost) == 0:
        return labels
    liver = slices[labels == LIVER]
    middle, spread = (np.median(liver), liver.std()) if len(liver) else (0.0, 0.0)
    disk = _disk(SMALLEST_RADIUS_MM / spacing_mm[1], SMALLEST_RADIUS_MM / spacing_mm[2])
    out = labels
    for n in lost:
        level = ndimage.uniform_filter(slices[n].astype(np.float32), 3)
        alike = np.abs(level - middle) < _LIKE_LIVER * spread
        gap = ndimage.binary_opening(gaps[n] & alike, disk)
        if gap.any():
            out = labels.copy() if out is labels else out
            out[n][gap] = LIVER
    return out


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


def _disk(row_radius: float, column_radius: float) -> NDArray[np.bool_]:
    rows, columns = int(row_radius), int(column_radius)
    y, x = np.mgrid[-rows : rows + 1, -columns : columns + 1]
    return np.asarray(
        (y / max(row_radius, 1e-6)) ** 2 + (x / max(column_radius, 1e-6)) ** 2 <= 1.0, np.bool_
    )
