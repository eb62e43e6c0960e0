"""Conversion of stored numbers of any kind to int16 HU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.scan_issues import Concern, ScanIssue, warning
from liverseg_gui.core.slices import AIR_HU


@dataclass
class Tally:
    """Counts the numbers that are no HU."""

    voxels: int = 0
    not_numbers: int = 0
    out_of_range: int = 0

    def issues(self) -> tuple[ScanIssue, ...]:
        """What the counts say."""
        issues = []
        if self.not_numbers:
            issues.append(
                warning(
                    "not-a-number",
                    f"{self.not_numbers:,} of {self.voxels:,} voxels hold no number; they are "
                    "shown as air.",
                    "Convert the scan again if they lie inside the body.",
                )
            )
        if self.out_of_range:
            issues.append(
                warning(
                    "absurd-hu",
                    f"{self.out_of_range:,} of {self.voxels:,} voxels lie beyond +-32767, which no "
                    "HU does; they are cut off there.",
                    "Check that this is a CT in HU: the model needs true HU.",
                    Concern.HU,
                )
            )
        return tuple(issues)


def to_hu(stored: NDArray[Any], slope: float, inter: float, tally: Tally) -> NDArray[np.int16]:
    """Stored values as rounded int16 HU; not-a-number becomes air."""
    values: NDArray[Any] = stored.astype(np.float32 if stored.dtype.itemsize <= 2 else np.float64)
    if (slope, inter) != (1, 0):
        with np.errstate(over="ignore", invalid="ignore"):
            values *= slope
            values += inter
    bad = np.isnan(values)
    wild = np.abs(values) > 32767
    tally.voxels += values.size
    tally.not_numbers += int(np.count_nonzero(bad))
    tally.out_of_range += int(np.count_nonzero(wild))
    values[bad] = AIR_HU
    return np.clip(np.rint(values), -32768, 32767).astype(np.int16)


def slices_together(hu: NDArray[np.int16]) -> NDArray[np.int16]:
    """`hu` in RAS+ order with axial slices, which are shown most, in one piece of memory each.

    A view where they are already, though its axes may run backwards: no second copy is made.
    """
    strides = np.abs(hu.strides)
    return np.asfortranarray(hu) if strides[2] < max(strides[:2]) else hu
