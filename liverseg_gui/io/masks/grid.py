"""The grid of a mask without its scan, for masks that are compared with each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.core.geometry import StoredGrid
from liverseg_gui.core.scan_checks import TILT_DEGREES, skew_degrees
from liverseg_gui.core.scan_issues import Concern, ScanIssue, by_severity, warning
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.io.file_endings import IMAGES, NIFTI
from liverseg_gui.io.formats import itk, nifti


def blank_scan(path: Path) -> Volume:
    """A scan of 0 HU, which takes no memory, on the grid of the mask file `path`.

    Its findings are the doubts about how large its voxels are, and no others.

    Raises:
        UnreadableFileError: the file is missing or damaged, or is no image on a grid of its own.
    """
    if not path.exists():
        raise UnreadableFileError(f"{path} does not exist. Check the path.")
    name = path.name.lower()
    if path.is_dir() or not name.endswith(IMAGES):
        raise UnreadableFileError(
            f"{path} does not say by itself on which voxels it lies. Name its scan with --scan, or "
            "save the mask as NIfTI, NRRD or MetaImage."
        )
    if name.endswith(NIFTI):
        grid = nifti.open_header(path).grid
        entries = nifti.nifti_entries(path)
    else:
        grid = itk.open_image(path).grid
        entries = itk.itk_entries(path)
    mm_issues = [f for entry in entries for f in entry.issues if f.spoils_mm]
    issues = by_severity((*dict.fromkeys(mm_issues), *_skewed(grid)))
    hu = np.broadcast_to(np.int16(0), grid.to_ras(np.broadcast_to(np.False_, grid.shape)).shape)
    return Volume(hu, grid, Origin(path, path.name), issues)


def _skewed(grid: StoredGrid) -> list[ScanIssue]:
    degrees = max(skew_degrees(grid.affine))
    if degrees <= TILT_DEGREES:
        return []
    return [
        warning(
            "not-orthonormal",
            f"The mask's axes are {degrees:.1f} degrees off a right angle: distances and sizes in "
            "mm are not reliable.",
            "Name its scan with --scan: the mask is then carried to an upright grid.",
            Concern.MM,
        )
    ]
