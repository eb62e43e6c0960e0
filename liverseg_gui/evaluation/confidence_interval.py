"""Confidence interval of a mean over patients, by the percentile bootstrap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

RESAMPLES = 2000
LEVEL = 0.95


def mean_interval(
    values: Sequence[float], seed: int = 0, level: float = LEVEL, resamples: int = RESAMPLES
) -> tuple[float, float] | None:
    """The interval that holds the mean of `values`, one a patient, with probability `level`.

    Patients are drawn anew with replacement `resamples` times; the interval runs between the
    percentiles of their means. The same `seed` gives the same interval. None below two patients.
    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    if len(values) < 2:
        return None
    given = np.asarray(values, np.float64)
    drawn = np.random.default_rng(seed).integers(0, len(given), (resamples, len(given)))
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(given[drawn].mean(axis=1), (tail, 100.0 - tail))
    return float(low), float(high)
