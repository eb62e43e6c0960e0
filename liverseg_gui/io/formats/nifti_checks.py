"""Checks of NIfTI headers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from liverseg_gui.core import scan_checks as checks
from liverseg_gui.core.geometry import StoredGrid
from liverseg_gui.core.scan_issues import Concern, ScanIssue, info, warning

_SAME_MM = 0.05


def nifti_header_issues(header: Any, grid: StoredGrid, count: int) -> Iterator[ScanIssue]:
    """Everything remarkable about a NIfTI-1 or NIfTI-2 `header` of `count` scans on `grid`."""
    yield from checks.spacing_issues(grid.affine, grid.shape)
    yield from checks.skew_issues(grid)
    yield from _orientation(header, grid)
    yield from _units(header)
    if header.get_data_dtype().kind == "f":
        yield info("float-data", "The values are fractions; they are rounded to whole HU.")
    if header.get_data_dtype().itemsize == 1:
        yield checks.EIGHT_BIT
    if count > 1:
        yield checks.several_volumes(count)
    yield checks.PHASE_UNKNOWN


def _orientation(header: Any, grid: StoredGrid) -> Iterator[ScanIssue]:
    qform, sform = int(header["qform_code"]), int(header["sform_code"])
    if qform <= 0 and sform <= 0:
        if np.allclose(grid.affine.spacing_mm, 1.0, rtol=0, atol=1e-6):
            yield checks.unit_spacing("and no position")
        yield warning(
            "no-orientation",
            "The file does not say how the patient lies: left and right may be swapped.",
            "Compare the liver's side with another picture of the patient, or convert the scan "
            "again from DICOM.",
        )
        return
    if qform > 0 and sform > 0 and not _forms_agree(header):
        yield warning(
            "forms-disagree",
            "The file gives two different positions (qform and sform): the sform is used, and "
            "other programs may show this scan elsewhere.",
            "Convert the scan again from DICOM, or check saved masks in the other program.",
        )
    stated = np.abs(np.asarray(header.get_zooms()[:3], np.float64))
    used = np.array(grid.affine.spacing_mm[: len(stated)])
    if not np.allclose(stated, used, rtol=0.01, atol=1e-3):
        given = [" x ".join(f"{mm:.3g}" for mm in size) for size in (stated, used)]
        yield warning(
            "spacing-differs",
            f"The file gives two voxel sizes, {given[0]} mm and (by its position matrix, which is "
            f"used) {given[1]} mm: mm and ml are not reliable.",
            "Open the original DICOM series instead, or have the file repaired.",
            Concern.MM,
        )


def _units(header: Any) -> Iterator[ScanIssue]:
    try:
        unit = header.get_xyzt_units()[0]
    except KeyError:
        unit = "an unknown unit"
    if unit not in ("mm", "unknown"):
        yield warning(
            "units",
            f"The file gives lengths in {unit}, read as mm: mm and ml are not reliable.",
            "Convert the scan again from DICOM.",
            Concern.MM,
        )


def _forms_agree(header: Any) -> bool:
    try:
        qform = header.get_qform()
    except (ValueError, np.linalg.LinAlgError):
        return False
    return bool(np.allclose(qform, header.get_sform(), atol=_SAME_MM))
