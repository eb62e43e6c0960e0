"""Checks of NRRD and MetaImage headers."""

from __future__ import annotations

from collections.abc import Iterator

from liverseg_gui.core import scan_checks as checks
from liverseg_gui.core.scan_issues import Concern, ScanIssue, error, warning
from liverseg_gui.io.formats.raw_image import RawImage


def color(image: RawImage) -> ScanIssue:
    """The finding for a voxel that is more than one real number."""
    return error(
        "color",
        f"{image.path} is a color or vector image, not a CT scan.",
        "Open the CT scan it was made from.",
    )


def itk_header_issues(image: RawImage) -> Iterator[ScanIssue]:
    """Everything remarkable about the header of `image`."""
    if image.color:
        yield color(image)
    spacing = checks.spacing_issues(image.grid.affine, image.grid.shape)
    yield from spacing
    if not image.spaced and not any(f.code == "unit-spacing" for f in spacing):
        yield warning(
            "unit-spacing",
            "The file gives no voxel size and 1 x 1 x 1 mm was assumed: mm and ml are not "
            "reliable.",
            "Open the original DICOM series, or set the spacing (File menu, --spacing).",
            Concern.MM,
        )
    yield from checks.skew_issues(image.grid)
    if not image.oriented:
        yield warning(
            "no-orientation",
            "The file does not say how the patient lies: left and right may be swapped.",
            "Compare the liver's side with another picture of the patient, or convert the scan "
            "again from DICOM.",
        )
    yield from checks.unit_issues(image.unit, image.unit_mm)
    if image.dtype.itemsize == 1:
        yield checks.EIGHT_BIT
    if image.on_time_axis:
        yield checks.slices_on_time_axis(image.grid.shape[2], image.grid.affine.spacing_mm[2])
    if image.count > 1:
        yield checks.several_volumes(image.count)
    yield checks.PHASE_UNKNOWN
