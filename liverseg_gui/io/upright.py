"""Scans whose grid is sheared (a tilted gantry), resampled onto an upright one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.findings import Finding
from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.slices import SourceSlices, even_grid, resample_even
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.io import checks


def needs_upright(grid: StoredGrid) -> bool:
    """Whether slices are stacked askew while their rows and columns are at a right angle."""
    in_plane, tilt = checks.skew_degrees(grid.affine)
    return grid.shape[2] > 1 and tilt > checks.TILT_DEGREES >= in_plane


def slice_affines(grid: StoredGrid) -> tuple[Affine, ...]:
    """The affine of each slice along k of `grid`: (column, row, 0) to patient mm."""
    matrix = grid.affine.matrix
    normal = np.cross(matrix[:3, 0], matrix[:3, 1])
    affines = []
    for k in range(grid.shape[2]):
        at = matrix.copy()
        at[:3, 2] = normal / np.linalg.norm(normal)
        at[:3, 3] += k * matrix[:3, 2]
        affines.append(Affine(at))
    return tuple(affines)


def upright_volume(
    hu: NDArray[np.int16],
    grid: StoredGrid,
    path: Path,
    findings: tuple[Finding, ...],
    progress: Progress,
) -> Volume:
    """`hu` of a sheared `grid` (stored order) as a volume on the upright grid that covers it.

    Raises:
        Cancelled: `progress` was cancelled.
    """
    affines = slice_affines(grid)
    columns_rows = grid.shape[:2]
    even = even_grid(columns_rows, affines)
    upright = even.to_ras(resample_even(hu, affines, even, progress))
    names = tuple(f"slice {k + 1}" for k in range(len(affines)))
    origin = Origin(path, path.name, source_slices=SourceSlices(names, columns_rows, affines))
    return Volume(np.asfortranarray(upright), even, origin, findings)
