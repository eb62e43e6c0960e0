"""Geometry of a DICOM stack: slices on one even grid, or uneven and askew.

Order and distance come from ImagePositionPatient along the slice normal, never from file names,
InstanceNumber, SliceThickness or SpacingBetweenSlices.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core import scan_checks as checks
from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.scan_issues import Concern, ScanIssue, info, warning
from liverseg_gui.core.slices import median_step
from liverseg_gui.io.dicom.stacks import Slice, Stack

_POSITION_TOLERANCE_MM = 0.05
_STEP_TOLERANCE = 0.02
_PLACE_TOLERANCE = 0.1
_UNSEEN = 0.4
"""From this share of the usual distance on, what lies between two slices was not seen."""

_DRIFT_MM = 0.5
_STATED = 0.05
_ROUNDINGS_MM = (1.0, 0.1)
_MOST_ROUNDED = 0.15
"""Of the distance of slices: positions rounded more coarsely do not tell by themselves whether it
is even."""
_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])  # positions in DICOM are LPS


@dataclass(frozen=True)
class StackGeometry:
    """The places of a stack's slices. `affines` map (column, row, 0) of each to RAS mm."""

    shape: tuple[int, int]
    affines: tuple[Affine, ...]
    even: bool
    issues: tuple[ScanIssue, ...]

    @cached_property
    def grid(self) -> StoredGrid:
        """The grid (column, row, slice) of evenly stacked slices."""
        matrix = self.affines[0].matrix.copy()
        if len(self.affines) > 1:
            path = self.affines[-1].matrix[:3, 3] - matrix[:3, 3]
            normal = matrix[:3, 2] / np.linalg.norm(matrix[:3, 2])
            step = float(path @ normal) / (len(self.affines) - 1)
            if step:  # images that all lie at one place are refused; they keep their thickness
                matrix[:3, 2] = normal * step
        return StoredGrid((*self.shape, len(self.affines)), Affine(matrix))


def stack_geometry(stack: Stack) -> StackGeometry:
    """Find out how the slices of `stack` lie, and what is remarkable about it."""
    slices = stack.slices
    issues: list[ScanIssue] = []
    row, column = _axes(slices[0], issues)
    normal = np.cross(row, column)
    positions = np.array([s.plane.position for s in slices])
    depths = positions @ normal
    rounded = _evenly_rounded(stack, positions, normal)
    uneven = [] if rounded else _step_issues(stack, np.diff(depths))
    shifted = _shift_issues(positions, normal)
    issues += [*uneven, *shifted]
    affines = tuple(_affine(s, row, column, normal, positions[n]) for n, s in enumerate(slices))
    shape = (stack.first.columns, stack.first.rows)
    even = not uneven and not shifted
    if not even:
        issues += checks.even_grid_issues(shape, affines)
    return StackGeometry(shape, affines, even, tuple(issues))


def _axes(one: Slice, issues: list[ScanIssue]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Directions along a row and along a column (LPS), made orthonormal where they are not."""
    cosines = np.array(one.plane.orientation)
    row, column = cosines[:3], cosines[3:]
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if max(abs(lengths[0] - 1), abs(lengths[1] - 1), abs(row @ column)) > 1e-4:
        issues.append(
            warning(
                "not-orthonormal",
                "The directions of rows and columns are not exactly at a right angle or of length "
                "one; they were straightened.",
                "Nothing to do, unless other programs refuse the scan.",
            )
        )
    row = row / lengths[0]
    column = column - (column @ row) * row
    return row, column / np.linalg.norm(column)


def _affine(
    one: Slice,
    row: NDArray[np.float64],
    column: NDArray[np.float64],
    normal: NDArray[np.float64],
    position: NDArray[np.float64],
) -> Affine:
    down, across = one.plane.pixel_mm
    lps = np.eye(4)
    lps[:3, 0], lps[:3, 1] = row * across, column * down
    lps[:3, 2] = normal * (one.header.thickness or 1.0)
    lps[:3, 3] = position
    return Affine(_TO_RAS @ lps)


def _shift_issues(positions: NDArray[np.float64], normal: NDArray[np.float64]) -> list[ScanIssue]:
    """Whether slices are moved sideways against each other: evenly, by a tilt, or otherwise."""
    moved = positions - positions[0]
    depths = moved @ normal
    sideways = moved - np.outer(depths, normal)
    drift = float(np.linalg.norm(np.ptp(sideways, axis=0)))
    if drift <= _DRIFT_MM:
        return []
    slope = sideways.T @ depths / max(float(depths @ depths), 1e-9)
    if float(np.abs(sideways - np.outer(depths, slope)).max()) <= _DRIFT_MM:
        return [checks.tilted(float(np.degrees(np.arctan(np.linalg.norm(slope)))))]
    return [
        warning(
            "shifted-slices",
            f"The slices are moved sideways against each other by up to {drift:.1f} mm. The scan "
            "was resampled with each slice in its own place.",
            "Check that the pictures of neighboring slices fit together.",
        )
    ]


def _evenly_rounded(
    stack: Stack, positions: NDArray[np.float64], normal: NDArray[np.float64]
) -> bool:
    """Whether even distances, each position rounded to the digits it has, give these positions."""
    rounding = next((mm for mm in _ROUNDINGS_MM if _multiples(positions, mm)), 0.0)
    slack = rounding / 2 * float(np.abs(normal).sum())
    if len(positions) < 3 or not slack:
        return False
    depths, numbers = positions @ normal, np.arange(len(positions))
    step = float(depths[-1] - depths[0]) / (len(depths) - 1)
    reach = 2 * slack / (len(depths) - 1)  # the ends are rounded too
    off = [np.ptp(depths - numbers * s) for s in np.linspace(step - reach, step + reach, 41)]
    if float(min(off)) > 2.05 * slack or slack > step / 2:
        return False
    return slack <= _MOST_ROUNDED * step or _counted_in_steps(stack, step, reach)


def _counted_in_steps(stack: Stack, step: float, reach: float) -> bool:
    """Whether images are numbered without a gap and stated to be `step` mm apart, or thick."""
    jumps, numbered = _number_jumps(stack)
    stated = (stack.first.step, stack.first.thickness)
    near = any(abs(mm - step) <= reach + _STEP_TOLERANCE * step for mm in stated)
    return near and numbered and bool((np.abs(jumps) == 1).all())


def _multiples(positions: NDArray[np.float64], mm: float) -> bool:
    """Whether what differs between `positions` are whole numbers of `mm`."""
    moved = positions[:, np.ptp(positions, axis=0) > 0]
    return bool(np.allclose(moved / mm, np.rint(moved / mm), rtol=0, atol=1e-4))


def _step_issues(stack: Stack, steps: NDArray[np.float64]) -> list[ScanIssue]:
    """Tell missing slices from slices that were made at uneven distances."""
    if len(steps) == 0 or steps.min() <= 0:
        return []
    step = median_step(steps)
    tolerance = max(_POSITION_TOLERANCE_MM, _STEP_TOLERANCE * step)
    odd = np.abs(steps - step) > tolerance
    off = np.abs(np.cumsum(steps) - steps.mean() * np.arange(1, len(steps) + 1)).max()
    if not odd.any() and off <= max(_POSITION_TOLERANCE_MM, _PLACE_TOLERANCE * step):
        return []
    unseen = steps - max(stack.first.thickness, step)
    gap = odd & (unseen > _UNSEEN * step)
    multiple = np.rint(steps / step)
    jumps, numbered = _number_jumps(stack)
    sure = numbered and bool((np.abs(jumps) == multiple)[gap].all())
    issues = []
    if gap.any():
        issues.append(_missing(stack, steps, gap, step, sure))
    if (odd & ~gap).any() or not odd.any():
        issues.append(_uneven(steps))
    return issues


def _number_jumps(stack: Stack) -> tuple[NDArray[np.int64], bool]:
    """By how much InstanceNumber changes from slice to slice, and whether that can be trusted."""
    numbers = [s.instance for s in stack.slices]
    known = [n for n in numbers if n is not None]
    if len(known) < len(numbers) or len(set(known)) < len(known):
        return np.zeros(len(numbers) - 1, np.int64), False
    jumps = np.array([after - before for before, after in pairwise(known)], np.int64)
    return jumps, bool(np.median(np.abs(jumps)) == 1)


def _missing(
    stack: Stack,
    steps: NDArray[np.float64],
    gap: NDArray[np.bool_],
    step: float,
    numbered: bool,
) -> ScanIssue:
    lost = int(np.maximum(np.rint(steps[gap] / step) - 1, 1).sum())
    be = "is" if lost == 1 else "are"
    sure = be if numbered else f"{be} probably"
    which = ""
    if numbered:
        numbers = sorted(
            number
            for n in np.flatnonzero(gap)
            for number in _between(stack.slices[n].instance, stack.slices[n + 1].instance)
        )
        shown = ", ".join(str(n) for n in numbers[:8]) + (" ..." if len(numbers) > 8 else "")
        which = f" (image{'s' if lost > 1 else ''} {shown})"
    slices = "1 slice" if lost == 1 else f"{lost} slices"
    return warning(
        "missing-slices",
        f"{slices} {sure} missing{which}: gaps of up to {steps[gap].max():.4g} mm between slices "
        f"{step:.4g} mm apart. The gaps were filled by interpolation on an even grid, and mm and "
        "ml are not reliable.",
        "Export the series again from the archive, complete.",
        Concern.MM,
    )


def _between(a: int | None, b: int | None) -> range:
    if a is None or b is None:
        return range(0)
    return range(min(a, b) + 1, max(a, b))


def _uneven(steps: NDArray[np.float64]) -> ScanIssue:
    values = sorted({round(float(step), 1) for step in steps})
    shown = ", ".join(f"{mm:g}" for mm in values[:5]) + (" ..." if len(values) > 5 else "")
    return warning(
        "uneven-slices",
        f"The slices are unevenly spaced ({shown} mm apart). The scan was resampled to even "
        "slices, where it is measured and its mask is saved.",
        "Prefer an evenly spaced reconstruction; the mask can also be saved slice by slice.",
    )


def differing_issues(
    step_mm: float, tilt_degrees: float, thickness_mm: float, grid: StoredGrid
) -> list[ScanIssue]:
    """Where the files state another distance of the slices, or a tilt, than their positions have.

    `grid` is that of the positions, which are what counts.
    """
    issues = []
    distance = grid.affine.spacing_mm[2]
    gap = abs(distance - thickness_mm)  # some programs state this
    if step_mm and min(abs(step_mm - mm) for mm in (distance, gap)) > _STATED * distance:
        times = distance / step_mm
        between = times > 1.5 and abs(times - round(times)) < _STATED * times
        found = f"The files state {step_mm:g} mm between slices, which lie {distance:.4g} mm apart "
        found += "by their positions: the positions count."
        if between:
            found += f" Of {round(times)} slices only one may be there."
            remedy = "Compare with the series in the archive."
            issues.append(warning("stated-step-differs", found, remedy))
        else:
            issues.append(info("stated-step-differs", found))
    normal = np.abs(grid.affine.matrix[:3, 2]) / distance
    upright = float(normal.max()) > np.cos(np.radians(checks.TILT_DEGREES))
    if abs(tilt_degrees) > checks.TILT_DEGREES and upright:
        issues.append(
            warning(
                "stated-tilt-differs",
                f"The files state a gantry tilted by {tilt_degrees:g} degrees, and their slices "
                "lie straight: the scan may be sheared, and heights wrong.",
                "Compare the spine from the side with another picture of the patient.",
            )
        )
    return issues


def thickness_issue(thickness_mm: float, distance_mm: float) -> ScanIssue | None:
    """Where the stated slice thickness is not the distance of the slices."""
    if not thickness_mm or abs(thickness_mm - distance_mm) <= 0.05 * distance_mm:
        return None
    how = "overlap" if thickness_mm > distance_mm else "have gaps between them"
    return info(
        "thickness-differs",
        f"The slices are {thickness_mm:g} mm thick and {distance_mm:g} mm apart: they {how}. The "
        "distance is what volumes are computed with.",
    )
