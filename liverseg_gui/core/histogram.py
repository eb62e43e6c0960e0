"""Histogram of a scan's HU, and the display windows that follow from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.geometry import Affine, Int3
from liverseg_gui.core.window_level import PRESETS, Window

LOWEST_HU, HIGHEST_HU = -1024, 3071
REGION_RADIUS_MM = 15.0
_BINS = HIGHEST_HU - LOWEST_HU + 1
_MOST_SAMPLED = 4_000_000
_TISSUE_HU = -500
_TAIL = 0.001
_DECADES = 3
_REGION_PERCENT = (5, 95)
_SPARE_HU = 50.0
_MOST_REACH = 40


@dataclass(frozen=True, eq=False)
class Histogram:
    """`counts` of each HU from -1024 to 3071; the ends also count what lies beyond them."""

    counts: NDArray[np.int64]

    def heights(self, low_hu: float, high_hu: float, columns: int) -> NDArray[np.float64]:
        """How high to draw `columns` equal parts of a range: 0 to 1, three powers of ten in all.

        The commonest tissue (above -500 HU) in the range reaches 1, and so does all that is
        commoner, as air is: scaled to air, tissue would be flat.
        """
        edges = np.linspace(low_hu, high_hu, columns + 1)
        whole = np.concatenate(([0], np.cumsum(self.counts)))
        # a bin of a HU reaches half a HU to either side of it
        below = np.interp(edges, np.arange(LOWEST_HU, HIGHEST_HU + 2) - 0.5, whole)
        per_column = np.diff(below)
        most = per_column[edges[:-1] >= _TISSUE_HU].max(initial=0.0) or per_column.max(initial=0.0)
        shares = per_column / most if most > 0 else np.zeros(columns)
        return np.clip(1 + np.log10(np.maximum(shares, 1e-9)) / _DECADES, 0, 1)

    def auto_window(self) -> Window:
        """The range of what is above -500 HU without 0.1 % at either end; Abdomen if nothing is."""
        from_hu = _TISSUE_HU + 1
        shares = np.cumsum(self.counts[from_hu - LOWEST_HU :], dtype=np.float64)
        if not shares[-1]:
            return PRESETS["Abdomen"]
        shares /= shares[-1]
        low, high = (from_hu + int(np.searchsorted(shares, at)) for at in (_TAIL, 1 - _TAIL))
        return Window(float(high - low), (high + low) / 2).clamped()


def hu_histogram(hu: NDArray[np.int16]) -> Histogram:
    """The histogram of about 4 million voxels of `hu` (any shape of three axes).

    Whole rows of memory are taken, evenly apart: reading a part of a row takes as long.
    """
    slowest_first = hu.transpose(np.argsort(-np.abs(hu.strides), kind="stable"))
    apart = max(hu.size // _MOST_SAMPLED, 1)
    between_rows = max(round(apart**0.5), 1)
    counts = np.zeros(_BINS, np.int64)
    for part in slowest_first[:: max(apart // between_rows, 1), ::between_rows]:
        within = np.clip(part, LOWEST_HU, HIGHEST_HU) - np.int16(LOWEST_HU)
        counts += np.bincount(within.ravel(), minlength=_BINS)
    return Histogram(counts)


def region_window(
    hu: NDArray[np.int16], voxel: Int3, affine: Affine, radius_mm: float = REGION_RADIUS_MM
) -> Window:
    """A window that shows what lies within `radius_mm` of `voxel` in detail.

    Of the ball's voxels on the same side of -500 HU as `voxel` (so that no air spoils tissue, and
    no chest wall lung), the middle 90 % count: their mean is the center, and their range with 50 HU
    to spare at either end is the width, which thus is never below 100 HU. Quiet liver gets about
    150 HU, as the liver preset has. Where the voxels are tiny, only some of them are looked at.
    """
    spacing = np.array(affine.spacing_mm)
    reach = np.minimum(np.floor(radius_mm / spacing), hu.shape).astype(int)
    apart = np.maximum(reach // _MOST_REACH, 1)
    axes = [
        _every(at, far, step, size)
        for at, far, step, size in zip(voxel, reach, apart, hu.shape, strict=True)
    ]
    i, j, k = ((at - middle) * mm for at, middle, mm in zip(axes, voxel, spacing, strict=True))
    ball = i[:, None, None] ** 2 + j[:, None] ** 2 + k**2 <= radius_mm**2
    values = hu[np.ix_(*axes)][ball]
    alike = values[(values > _TISSUE_HU) == (hu[voxel] > _TISSUE_HU)]
    least, most = np.percentile(alike, _REGION_PERCENT)
    middle = alike[(alike >= least) & (alike <= most)]
    return Window(float(most - least) + 2 * _SPARE_HU, round(float(middle.mean()))).clamped()


def _every(middle: int, reach: int, apart: int, size: int) -> NDArray[np.int64]:
    """`middle` and every `apart`-th index within `reach` of it, in an axis of `size`."""
    at = np.arange(middle - reach // apart * apart, middle + reach + 1, apart)
    return at[(at >= 0) & (at < size)]
