"""What an NRRD or MetaImage header says that a reader of figures should know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from liverseg_gui.core.findings import Concern, Finding, error, info, warning
from liverseg_gui.io import checks

if TYPE_CHECKING:
    from liverseg_gui.io.itk import ItkFile


def color(file: ItkFile) -> Finding:
    """The finding for a voxel that is more than one real number."""
    return error(
        "color",
        f"{file.path} is a color, vector or complex image, not a CT scan.",
        "Open the CT scan it was made from.",
    )


def header_findings(file: ItkFile) -> Iterator[Finding]:
    """Everything remarkable about the header of `file`."""
    if file.color:
        yield color(file)
    spacing = checks.spacing_findings(file.grid.affine, file.grid.shape)
    yield from spacing
    if not file.header.spaced and not any(f.code == "unit-spacing" for f in spacing):
        yield warning(
            "unit-spacing",
            "The file gives no voxel size and 1 x 1 x 1 mm was assumed: mm and ml are not "
            "reliable.",
            "Open the original DICOM series instead, or have the spacing restored.",
            Concern.MM,
        )
    yield from checks.skew_findings(file.grid.affine)
    if not file.header.oriented:
        yield warning(
            "no-orientation",
            "The file does not say how the patient lies: left and right may be swapped.",
            "Compare the liver's side with another picture of the patient, or convert the scan "
            "again from DICOM.",
        )
    if file.dtype is not None and file.dtype.itemsize == 1:
        yield warning(
            "eight-bit",
            "The file holds 8-bit numbers, which no CT in HU fits into: it may be a mask or a "
            "picture.",
            "Open the scan it belongs to, and this file as its mask.",
            Concern.HU,
        )
    if file.count > 1:
        yield info(
            "four-dimensional",
            f"The file holds {file.count} volumes, often contrast phases.",
            "Choose one of them.",
        )
    yield checks.PHASE_UNKNOWN
