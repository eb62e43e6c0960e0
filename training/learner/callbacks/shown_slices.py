"""Which validation slices are shown after each epoch: the same ones through a whole training."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, zip_longest

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.labels import TUMOR
from training.data.slice_dataset import PreparedCase

SHOWN = 6
_NEAR = 2
"""Slices so near to one that is shown already come last."""


def shown_slices(cases: Sequence[PreparedCase], count: int = SHOWN) -> list[tuple[int, int]]:
    """(case, slice) of up to `count` slices, spread over the cases.

    First the slice of each case with the largest tumor, then those with the largest liver, then
    slices in between. Of more than `count` cases, so many are taken, evenly.
    """
    chosen = np.linspace(0, len(cases) - 1, min(count, len(cases))).round().astype(int).tolist()
    ranked = [[(c, n) for n in _ranked(cases[c].labels, count)] for c in chosen]
    turns = chain.from_iterable(zip_longest(*ranked))
    return sorted([turn for turn in turns if turn is not None][:count])


def _ranked(labels: NDArray[np.uint8], count: int) -> list[int]:
    """Slices of one case, the most telling first."""
    liver = np.array([np.count_nonzero(slice_) for slice_ in labels])
    tumor = np.array([np.count_nonzero(slice_ == TUMOR) for slice_ in labels])
    first = [int(size.argmax()) for size in (tumor, liver) if size.any()]
    held = np.flatnonzero(liver) if liver.any() else np.arange(len(labels))
    between = held[np.linspace(0, len(held) - 1, count + 2).round().astype(int)[1:-1]]
    apart = sorted(between.tolist(), key=lambda n: any(abs(n - m) <= _NEAR for m in first))
    return list(dict.fromkeys([*first, *apart]))
