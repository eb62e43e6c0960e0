"""Cases at one size, ready for random access, and the slices that training draws from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from liverseg_gui.core.geometry import bounding_box
from liverseg_gui.segmentation.preprocessing import TrunkBox, context_indices, to_input
from training.data.case import Case
from training.data.data_check import SeenCase

GRID = (256, 384)
"""Rows and columns of the prepared trunk: about 1 mm a pixel, finer than any network's input."""

SHARES = (0.2, 0.4, 0.4)
"""What is drawn: slices without liver, with liver and no tumor, with tumor."""

_CHUNK = 16


@dataclass(frozen=True, eq=False)
class PreparedCase:
    """A case's trunk resampled to `GRID`: `images` and `labels`, uint8 (n, rows, columns).

    The arrays may be memory-mapped. `z` and `gap` are the case's. `seen` is what the check of the
    data says of a case that was prepared from files.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    z: NDArray[np.float64]
    gap: float
    seen: SeenCase | None = None

    def liver_center(self) -> tuple[float, float]:
        """Middle of the liver over all slices, (row, column) in -1..1 from edge to edge."""
        box = bounding_box(self.labels)
        if box is None:
            return 0.0, 0.0
        middle = [(s.start + s.stop) / n - 1 for s, n in zip(box, self.labels.shape, strict=True)]
        return middle[1], middle[2]


def prepare(case: Case) -> PreparedCase:
    """Resample `case` to `GRID`."""
    box = case.trunk(GRID[1] / GRID[0])
    images = to_input(case.slices, box, GRID)
    return PreparedCase(case.name, images, _labels_to_grid(case.labels, box), case.z, case.gap)


class SliceDataset:
    """Slices of several cases.

    Items are the slice and its neighbours (`channels`, rows, columns), uint8; the middle of the
    case's liver (row, column), float32; and the labels (rows, columns), uint8. `weights` are the
    chances of drawing each slice, `index` says of each item which slice of which of the `cases` it
    is.
    """

    def __init__(self, cases: Sequence[PreparedCase], channels: int) -> None:
        self.cases = tuple(cases)
        self._context = [context_indices(case.z, case.gap, channels) for case in cases]
        self._centers = [torch.tensor(case.liver_center()) for case in cases]
        self.index = [(c, n) for c, case in enumerate(cases) for n in range(len(case.images))]
        kinds = [case.labels.max(axis=(1, 2)) for case in cases]
        values = np.concatenate([_values(part) for part in kinds])
        self.weights = sampling_weights(np.concatenate(kinds), values)

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        c, n = self.index[index]
        case = self.cases[c]
        images = torch.from_numpy(np.array(case.images[self._context[c][n]]))
        return images, self._centers[c], torch.from_numpy(np.array(case.labels[n]))


def sampling_weights(kinds: NDArray[np.uint8], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Chances of drawing each slice, whose highest label is in `kinds`: see `SHARES`.

    Within its kind a slice is drawn in proportion to its value. A kind that does not occur leaves
    its share to the others.
    """
    totals = np.bincount(kinds, weights=values, minlength=3)
    weights = (np.array(SHARES) / np.maximum(totals, 1e-9))[kinds] * values
    return np.asarray(weights / weights.sum(), np.float64)


def _values(kinds: NDArray[np.uint8]) -> NDArray[np.float64]:
    """How much the slices of one case count within their kind.

    A patient counts as the root of the number of slices: long scans and large tumors do not crowd
    out the others. Slices without liver count less the further they are from it.
    """
    counts = np.bincount(kinds, minlength=3)
    return 1 / np.sqrt(counts[kinds]) / (1 + _slices_from_liver(kinds) / 10)


def _slices_from_liver(kinds: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How many slices each slice of a case lies beyond the liver's ends; 0 where there is none."""
    liver = np.flatnonzero(kinds)
    if not len(liver):
        return np.zeros(len(kinds), np.int64)
    n = np.arange(len(kinds))
    return np.maximum(0, np.maximum(liver[0] - n, n - liver[-1]))


def _labels_to_grid(labels: NDArray[np.uint8], box: TrunkBox) -> NDArray[np.uint8]:
    """Labels on the grid: the class that covers most of each pixel. A few slices at a time."""
    out = np.zeros((len(labels), *GRID), np.uint8)
    for start in range(0, len(labels), _CHUNK):
        part = labels[start : start + _CHUNK]
        if part.any():
            shares = [to_input((part == c).astype(np.uint8) * 255, box, GRID) for c in (1, 2)]
            liver, tumor = (share.astype(np.int16) for share in shares)
            classes = np.where(liver + tumor >= 128, np.where(tumor >= liver, 2, 1), 0)
            out[start : start + _CHUNK] = classes
    return out
