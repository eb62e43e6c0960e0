"""Splits by patient."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def split_patients(names: Sequence[str], folds: int, fold: int, seed: int) -> list[str]:
    """The held-out patients of `fold`: the same for the same names, folds and seed."""
    order = np.random.default_rng(seed).permutation(len(names))
    return sorted(names[i] for i in order[fold::folds])
