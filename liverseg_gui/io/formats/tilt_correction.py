"""Tilt correction: scans on a sheared grid (a tilted gantry), resampled onto an upright one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.geometry import StoredGrid
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.scan_issues import ScanIssue
from liverseg_gui.core.slices import SourceSlices, even_grid, resample_even, slice_affines
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.io.formats.hu import slices_together


def upright_volume(
    hu: NDArray[np.int16],
    grid: StoredGrid,
    path: Path,
    issues: tuple[ScanIssue, ...],
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
    return Volume(slices_together(upright), even, origin, issues)
