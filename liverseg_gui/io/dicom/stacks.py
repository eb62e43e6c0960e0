"""Stacks: slices that make one volume each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from liverseg_gui.core.scan_issues import ScanIssue
from liverseg_gui.io.dicom.headers import FramePlane, ImageHeader
from liverseg_gui.io.entries import Role

NO_IMAGES = ("SEG", "RTSTRUCT", "RTDOSE", "RTPLAN", "SR", "PR", "KO", "REG")
SAME_PLACE_MM = 0.02


@dataclass(frozen=True)
class Slice:
    """One frame of an image and where it lies.

    All slices of a stack have one orientation, so that they are in order along one direction.
    """

    header: ImageHeader
    frame: int
    plane: FramePlane

    @cached_property
    def normal(self) -> tuple[float, float, float]:
        """The direction from slice to slice, LPS."""
        a, b, c, d, e, f = self.plane.orientation
        return b * f - c * e, c * d - a * f, a * e - b * d

    @cached_property
    def depth(self) -> float:
        """Where the slice lies along its normal, mm."""
        return sum(n * p for n, p in zip(self.normal, self.plane.position, strict=True))

    @property
    def instance(self) -> int | None:
        """Its number in the series, or None."""
        try:
            return int(self.header.instance) + self.frame
        except ValueError:
            return None

    @cached_property
    def acquisition(self) -> str:
        """The number of the acquisition that it comes from, or nothing."""
        return self.plane.acquisition or self.header.acquisition

    @cached_property
    def time(self) -> str:
        """When it was acquired, as the file writes it (HHMMSS, a date before it or not)."""
        header = self.header
        return (
            dict(self.plane.traits).get("time")
            or header.acquisition_time
            or header.acquisition_moment
        )


@dataclass(frozen=True)
class Stack:
    """Slices that make one volume, sorted by depth. `part` tells it from others of its series."""

    slices: tuple[Slice, ...]
    role: Role
    part: str = ""
    issues: tuple[ScanIssue, ...] = ()

    @property
    def first(self) -> ImageHeader:
        """The header that speaks for all."""
        return self.slices[0].header


def visits(ordered: Sequence[Slice]) -> int:
    """How often the most visited position occurs in slices sorted by depth."""
    most = run = 1
    for before, after in pairwise(ordered):
        run = run + 1 if after.depth - before.depth <= SAME_PLACE_MM else 1
        most = max(most, run)
    return most
