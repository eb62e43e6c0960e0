"""Slope and intercept that bring the values of a stack's slices to HU, or what stands for them."""

from __future__ import annotations

from typing import NamedTuple

from liverseg_gui.core.scan_issues import Concern, ScanIssue, error, info, warning
from liverseg_gui.io.dicom.stacks import Slice, Stack

_LEAST_SPAN = 50.0
"""HU that all stored values together span at least; with a smaller slope all would look alike."""


class Rescale(NamedTuple):
    """HU are `slope` times the stored value plus `intercept`."""

    slope: float = 1.0
    intercept: float = 0.0

    def __str__(self) -> str:
        return f"slope {self.slope:g}, intercept {self.intercept:g}"


def stack_rescales(stack: Stack) -> tuple[tuple[Rescale, ...], list[ScanIssue]]:
    """The rescale of each slice of `stack`, and what is remarkable about it.

    Slices that state none take the one that all others share; where these differ, the scan cannot
    be opened.
    """
    slices = stack.slices
    if any(s.header.value_table for s in slices):
        return _by_table(slices)
    given = [_stated(s) for s in slices]
    lacking = [s for s, rescale in zip(slices, given, strict=True) if rescale is None]
    known = list(dict.fromkeys(r for r in given if r is not None))
    if not lacking:
        return tuple(r for r in given if r is not None), _each_its_own(known)
    if not known:
        return _none(slices)
    kinds = {(s.header.signed, s.header.bits) for s in slices}
    if len(known) > 1 or len(kinds) > 1:
        return tuple(r or _as_it_stands(s) for r, s in zip(given, slices, strict=True)), [
            error(
                "rescale-missing",
                f"{_count(lacking, slices)} not say how their values become HU ({_why(lacking)}), "
                "and the others do not agree on it.",
                "Export the series again from the archive.",
            )
        ]
    issue = warning(
        "rescale-missing",
        f"{_count(lacking, slices)} not say how their values become HU ({_why(lacking)}): those "
        f"of the others were taken ({known[0]}).",
        "Compare these slices with their neighbors, or export the series again.",
        Concern.HU,
    )
    return tuple(r or known[0] for r in given), [issue]


def _by_table(slices: tuple[Slice, ...]) -> tuple[tuple[Rescale, ...], list[ScanIssue]]:
    """The rescale of slices of which some or all have a table in its place."""
    without = [s for s in slices if not s.header.value_table]
    if all(_stated(s) for s in without):
        return tuple(
            Rescale() if s.header.value_table else _stated(s) or Rescale() for s in slices
        ), []
    return tuple(Rescale() for _ in slices), [
        error(
            "rescale-missing",
            f"{_count(without, slices)} not say how their values become HU, where the others have "
            "a table for it (Modality LUT).",
            "Export the series again from the archive.",
        )
    ]


def _each_its_own(known: list[Rescale]) -> list[ScanIssue]:
    if len(known) == 1:
        return []
    return [info("per-slice-rescale", "The slices are scaled to HU each in its own way.")]


def _none(slices: tuple[Slice, ...]) -> tuple[tuple[Rescale, ...], list[ScanIssue]]:
    rescales = tuple(_as_it_stands(s) for s in slices)
    if slices[0].header.modality != "CT":
        return rescales, []
    issue = warning(
        "rescale-missing",
        f"The files do not say how their values become HU ({_why(slices)}): {rescales[0]} was "
        "assumed.",
        "Check the air outside the body (about -1000 HU) and the liver (40 to 150 HU), or export "
        "the series again.",
        Concern.HU,
    )
    return rescales, [issue]


def _stated(one: Slice) -> Rescale | None:
    slope, intercept = one.plane.slope, one.plane.intercept
    if slope is None or intercept is None:
        return None
    return (
        Rescale(slope, intercept) if abs(slope) * 2**one.header.bits_stored > _LEAST_SPAN else None
    )


def _as_it_stands(one: Slice) -> Rescale:
    """What the slice states, and 1 and 0 for what it does not."""
    stated = _stated(one)
    return stated or Rescale(1.0, one.plane.intercept or 0.0)


def _count(lacking: list[Slice], slices: tuple[Slice, ...]) -> str:
    verb = "does" if len(lacking) == 1 else "do"
    return f"{len(lacking)} of {len(slices)} slices {verb}"


def _why(lacking: list[Slice] | tuple[Slice, ...]) -> str:
    slope, intercept = lacking[0].plane.slope, lacking[0].plane.intercept
    if slope is not None and intercept is not None:
        return f"RescaleSlope is {slope:g}"
    if slope is None and intercept is None:
        return "RescaleSlope and RescaleIntercept are missing or no numbers"
    return f"Rescale{'Slope' if slope is None else 'Intercept'} is missing or no number"
