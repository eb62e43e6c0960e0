"""Worst slices of a prediction, to be looked at: fastai's top losses, for segmentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.display import grey
from liverseg_gui.core.labels import LIVER, TUMOR
from liverseg_gui.core.planes import Plane
from liverseg_gui.core.window_level import PRESETS

_SMALLEST_SHARE = 0.05
"""A slice with less of liver and tumor than this share of the largest slice is no worst one: at
the liver's ends a few pixels make any Dice."""


@dataclass(frozen=True, eq=False)
class WorstSlice:
    """An axial slice (rows, columns) as a reader sees it: labels found and true, grey if known.

    `score` is the mean Dice of the labels there, or the loss where losses were given
    (`is_loss`); `wrong` counts the pixels that differ. `pixel_mm` is (row, column).
    """

    name: str
    index: int
    score: float
    wrong: int
    found: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    shade: NDArray[np.uint8] | None = None
    pixel_mm: tuple[float, float] = (1.0, 1.0)
    is_loss: bool = False


def worst_slices(
    name: str,
    prediction: NDArray[np.uint8],
    reference: NDArray[np.uint8],
    scan: NDArray[np.int16] | NDArray[np.uint8] | None = None,
    *,
    axial_axis: int = 2,
    spacing_mm: Sequence[float] | None = None,
    losses: Sequence[float] | None = None,
    count: int = 2,
) -> list[WorstSlice]:
    """The `count` worst slices of one patient, the worst first; none that is right.

    `prediction` and `reference` are volumes (i, j, k) in RAS+ order (`axial_axis` 2) or slices
    (n, rows, columns) as a reader sees them (`axial_axis` 0), `scan` likewise in HU or 8-bit grey.
    `losses`, one a slice, replace the Dice as what slices are ranked by.
    """
    slices = range(prediction.shape[axial_axis])
    sizes = [_size(_cut(prediction, n, axial_axis), _cut(reference, n, axial_axis)) for n in slices]
    least = max(1.0, _SMALLEST_SHARE * max(sizes, default=0))
    pixel_mm = _pixel_mm(spacing_mm, axial_axis)
    shown: list[WorstSlice] = []
    for n in slices:
        a, b = _cut(prediction, n, axial_axis), _cut(reference, n, axial_axis)
        wrong = int(np.count_nonzero(a != b))
        if sizes[n] < least or not wrong:
            continue
        score = slice_dice(a, b) if losses is None else float(losses[n])
        shade = None if scan is None else _shade(_cut(scan, n, axial_axis))
        is_loss = losses is not None
        kept = a.copy(), b.copy()  # a view would keep the whole volume
        shown.append(WorstSlice(name, n, score, wrong, *kept, shade, pixel_mm, is_loss))
        shown = worst_of(shown, count)
    return shown


def worst_of(slices: Iterable[WorstSlice], count: int) -> list[WorstSlice]:
    """The `count` worst of `slices`: least Dice or highest loss, then most wrong pixels."""
    return sorted(slices, key=_badness)[:count]


def slice_dice(prediction: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float:
    """The mean Dice of liver and tumor over those of the two that occur in either slice."""
    dices = []
    for a, b in (
        (prediction >= LIVER, reference >= LIVER),
        (prediction == TUMOR, reference == TUMOR),
    ):
        total = np.count_nonzero(a) + np.count_nonzero(b)
        if total:
            dices.append(2.0 * np.count_nonzero(a & b) / total)
    return float(np.mean(dices)) if dices else 1.0


def _badness(slice_: WorstSlice) -> tuple[float, int]:
    return (-slice_.score if slice_.is_loss else slice_.score), -slice_.wrong


def _size(prediction: NDArray[np.uint8], reference: NDArray[np.uint8]) -> int:
    return int(np.count_nonzero(prediction | reference))


def _cut(array: NDArray[Any], n: int, axial_axis: int) -> NDArray[Any]:
    return Plane.AXIAL.cut(array, n) if axial_axis == Plane.AXIAL.normal else array[n]


def _shade(scan: NDArray[np.int16] | NDArray[np.uint8]) -> NDArray[np.uint8]:
    if scan.dtype == np.uint8:
        return scan.astype(np.uint8)
    return grey(scan.astype(np.int16), PRESETS["Liver"])


def _pixel_mm(spacing_mm: Sequence[float] | None, axial_axis: int) -> tuple[float, float]:
    if spacing_mm is None:
        return 1.0, 1.0
    a, b = (float(mm) for axis, mm in enumerate(spacing_mm) if axis != axial_axis)
    return (b, a) if axial_axis == Plane.AXIAL.normal else (a, b)
