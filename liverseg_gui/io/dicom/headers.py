"""Headers of DICOM images, as values that a cache can keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

Floats = tuple[float, ...]
Windows = tuple[tuple[str, float, float], ...]
"""What a file calls a window, its width, and its center after rescaling."""

Remark = tuple[str, str]
"""The code of a finding about what a file states, and its message."""


@dataclass(frozen=True, slots=True)
class FramePlane:
    """Where one frame lies (patient mm, LPS as DICOM has it) and how its values become HU.

    `position` (3), `orientation` (6: along a row, along a column) and `pixel_mm` (row distance,
    column distance) are empty, `slope` and `intercept` None where the file does not say.
    `traits` is what else tells the frame from others at its place, by name.
    """

    position: Floats
    orientation: Floats
    pixel_mm: Floats
    slope: float | None = None
    intercept: float | None = None
    acquisition: str = ""
    traits: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """One DICOM image file. Texts are empty and numbers 0 where it does not say.

    `planes` has an item for each frame. `data_offset` is where the pixels start in the file, 0
    where they are compressed or fractions. `checksum` is that of the file's beginning, which this
    header is of. `unit` is what the values are in once rescaled ("HU",
    "MGML"), `value_table` whether a table (Modality LUT) takes the place of slope and intercept.
    `step` is what the file calls the distance of slices, `tilt` that of the gantry in degrees.
    `remarks` is what was odd about it.
    """

    path: str
    sop_class: str
    instance_uid: str
    modality: str
    patient: str
    patient_names: str
    patient_id: str
    study_uid: str
    study: str
    study_date: str
    series_uid: str
    frame_of_reference: str
    series_number: str
    description: str
    acquisition: str
    acquisition_time: str
    instance: str
    image_type: str
    contrast: str
    kernel: str
    echo: str
    temporal: str
    photometric: str
    lossy: str
    lossy_method: str
    unit: str
    acquisition_moment: str
    cardiac_phase: str
    trigger: str
    voltage: str
    b_value: str
    protocol: str
    comments: str
    patient_position: str
    concatenation: str
    concatenation_part: str
    concatenation_parts: str
    images_in_series: str
    images_in_acquisition: str
    value_table: bool
    thickness: float
    step: float
    tilt: float
    slice_location: float | None
    rows: int
    columns: int
    samples: int
    bits: int
    bits_stored: int
    high_bit: int
    signed: int
    padding: int | None
    padding_limit: int | None
    transfer_syntax: str
    data_offset: int
    checksum: int
    remarks: tuple[Remark, ...]
    windows: Windows
    planes: tuple[FramePlane, ...]

    def to_json(self, name: str) -> list[Any]:
        """Plain values, without the folder: `name` stands for the path."""
        values = [getattr(self, field) for field in _FIELDS[1:-1]]
        planes = [[getattr(p, field) for field in _PLANE_FIELDS] for p in self.planes]
        return [name, *values, planes]

    @classmethod
    def from_json(cls, values: Sequence[Any], folder: Path) -> ImageHeader:
        """The header that `to_json` took apart.

        Raises:
            TypeError: the values are no header's.
        """
        plane: Any = FramePlane
        planes = tuple(
            plane(*map(tuple, p[:3]), *p[3:6], tuple((name, value) for name, value in p[6]))
            for p in values[-1]
        )
        windows = tuple((name, width, center) for name, width, center in values[-2])
        remarks = tuple((code, message) for code, message in values[-3])
        plain: Any = cls
        header: ImageHeader = plain(
            f"{folder}/{values[0]}", *values[1:-3], remarks, windows, planes
        )
        return header


_FIELDS = tuple(field.name for field in fields(ImageHeader))
_PLANE_FIELDS = tuple(field.name for field in fields(FramePlane))
