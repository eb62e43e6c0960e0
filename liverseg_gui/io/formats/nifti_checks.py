"""Checks of NIfTI headers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core import scan_checks as checks
from liverseg_gui.core.geometry import StoredGrid
from liverseg_gui.core.scan_issues import Concern, ScanIssue, info, warning

_SAME_MM = 0.05


def nifti_header_issues(header: Any, grid: StoredGrid, count: int) -> Iterator[ScanIssue]:
    """Everything remarkable about a NIfTI-1 or NIfTI-2 `header` of `count` scans on `grid`."""
    yield from checks.spacing_issues(grid.affine, grid.shape)
    yield from checks.skew_issues(grid)
    yield from _orientation(header, grid)
    yield from checks.unit_issues(
        _unit(header), header_mm_per_unit(header, header.get_best_affine())
    )
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
    factor = header_mm_per_unit(header, header.get_best_affine())
    stated, used = stated * factor, np.array(grid.affine.spacing_mm[: len(stated)])
    if not np.allclose(stated, used, rtol=0.01, atol=1e-3):
        given = [" x ".join(f"{mm:.3g}" for mm in size) for size in (stated, used)]
        yield warning(
            "spacing-differs",
            f"The file gives two voxel sizes, {given[0]} mm and (by its position matrix, which is "
            f"used) {given[1]} mm: mm and ml are not reliable.",
            "Open the original DICOM series instead, or have the file repaired.",
            Concern.MM,
        )


def header_mm_per_unit(header: Any, matrix: NDArray[np.float64]) -> float:
    """By what the affine `matrix` of the file is multiplied to be in mm."""
    steps = np.linalg.norm(np.asarray(matrix, np.float64)[:3, :3], axis=0)
    return checks.mm_per_unit(_unit(header), (float(steps[0]), float(steps[1]), float(steps[2])))


def _unit(header: Any) -> str:
    """The unit of lengths, as `core.scan_checks` calls it."""
    try:
        unit = str(header.get_xyzt_units()[0])
    except KeyError:
        return "an unknown unit"
    return {"unknown": ""}.get(unit, unit)


def _forms_agree(header: Any) -> bool:
    try:
        qform = header.get_qform()
    except (ValueError, np.linalg.LinAlgError):
        return False
    return bool(np.allclose(qform, header.get_sform(), atol=_SAME_MM))
