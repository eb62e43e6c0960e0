"""DICOM series of single-frame images: found, split into volumes, ordered and read.

Slice order and distance come from ImagePositionPatient along the slice normal, never from file
names, InstanceNumber, SliceThickness or SpacingBetweenSlices.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import FileDataset

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.core.findings import error, warning
from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.io.entries import ShowPreview, VolumeEntry

_TAGS = [
    "SOPClassUID",
    "Modality",
    "SeriesInstanceUID",
    "SeriesDescription",
    "PatientName",
    "PatientID",
    "AcquisitionNumber",
    "AcquisitionTime",
    "ImageType",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "Rows",
    "Columns",
    "SliceThickness",
]
_LOWEST_HU = -1024
_POSITION_TOLERANCE_MM = 0.05
_TILT_TOLERANCE = np.cos(np.radians(0.5))


@dataclass(frozen=True)
class _Slice:
    """What a header says about one image."""

    path: Path
    header: FileDataset
    position: tuple[float, float, float]
    row: tuple[float, float, float]
    column: tuple[float, float, float]
    pixel_mm: tuple[float, float]

    @property
    def normal(self) -> NDArray[np.float64]:
        return np.cross(self.row, self.column)

    @property
    def depth(self) -> float:
        return float(np.dot(self.normal, self.position))

    def text(self, tag: str) -> str:
        return str(self.header.get(tag, "") or "").strip()


def dicom_entries(path: Path, progress: Progress) -> list[VolumeEntry]:
    """The volumes of a DICOM folder, or of the series that the file `path` belongs to.

    Raises:
        UnreadableFileError: no DICOM image is there.
    """
    folder = path if path.is_dir() else path.parent
    if path.is_file():
        wanted = _header(path)
        if wanted is None:
            raise UnreadableFileError(
                f"{path} is no CT scan this program reads. Open a NIfTI file (.nii, .nii.gz), a "
                "DICOM file or a DICOM folder."
            )
    files = sorted(f for f in folder.iterdir() if f.is_file())
    slices = []
    for n, file in enumerate(files):
        progress.update(n / len(files), f"Looking through {folder.name}")
        found = _header(file)
        if found is not None:
            slices.append(found)
    if not slices:
        raise UnreadableFileError(
            f"{path} holds no DICOM images. Choose the folder that holds the slices of a series."
        )
    groups = _series(slices)
    if path.is_file():
        groups = [group for group in groups if any(s.path.samefile(path) for s in group)]
    largest = max(len(group) for group in groups)
    volumes = [group for group in groups if len(group) > 1 or largest == 1]
    return [_entry(group) for group in volumes]


def _header(path: Path) -> _Slice | None:
    """The header of a single-frame image with a position, or None for any other file."""
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_TAGS)
        x, y, z = (float(v) for v in header.ImagePositionPatient)
        a, b, c, d, e, f = (float(v) for v in header.ImageOrientationPatient)
        down, across = (float(v) for v in header.PixelSpacing)
    except (pydicom.errors.InvalidDicomError, OSError, EOFError):
        return None
    except (AttributeError, TypeError, ValueError, KeyError, NotImplementedError):
        return None
    if not (down > 0 and across > 0 and np.isfinite([x, y, z, a, b, c, d, e, f]).all()):
        return None
    return _Slice(path, header, (x, y, z), (a, b, c), (d, e, f), (down, across))


def _series(slices: Sequence[_Slice]) -> list[list[_Slice]]:
    """Split images into stacks of one series, orientation and size, each position once."""
    stacks: dict[tuple[object, ...], list[_Slice]] = defaultdict(list)
    for s in slices:
        orientation = tuple(np.round([*s.row, *s.column, *s.pixel_mm], 3))
        size = s.header.get("Rows"), s.header.get("Columns")
        stacks[(s.text("SeriesInstanceUID"), orientation, size)].append(s)
    return [part for stack in stacks.values() for part in _one_per_position(stack)]


def _one_per_position(stack: list[_Slice]) -> list[list[_Slice]]:
    """Split a stack that visits positions more than once (phases, echoes) by their tags."""
    stack = sorted(stack, key=lambda s: s.depth)
    if not _repeats(stack):
        return [stack]
    for tag in ("AcquisitionNumber", "AcquisitionTime", "ImageType"):
        parts: dict[str, list[_Slice]] = defaultdict(list)
        for s in stack:
            parts[s.text(tag)].append(s)
        groups = list(parts.values())
        if len(groups) == _visits(stack) and not any(_repeats(group) for group in groups):
            return groups
    return [stack]


def _repeats(stack: Sequence[_Slice]) -> bool:
    return _visits(stack) > 1


def _visits(stack: Sequence[_Slice]) -> int:
    """How often the most visited position occurs."""
    return max(Counter(round(s.depth, 2) for s in stack).values())


def _entry(stack: list[_Slice]) -> VolumeEntry:
    first = stack[0]
    size = int(first.header.Columns), int(first.header.Rows), len(stack)
    acquisition = first.text("AcquisitionNumber")
    parts = [
        first.text("SeriesDescription"),
        acquisition and f"acquisition {acquisition}",
        first.text("AcquisitionTime"),
    ]
    description = ", ".join(part for part in parts if part)
    problem = _problem(stack)
    spacing = None if problem else _affine(stack).spacing_mm
    return VolumeEntry(
        first.path.parent,
        description,
        first.text("Modality") or "unknown",
        size,
        spacing,
        partial(_read, stack, description),
        (error("no-even-volume", problem, ""),) if problem else (),
    )


def _problem(stack: list[_Slice]) -> str:
    """Why these images make no even volume, or nothing."""
    folder = stack[0].path.parent
    if len(stack) == 1:
        return ""
    if _repeats(stack):
        return (
            f"{folder}: several images lie at the same place and nothing in them tells two scans "
            "apart. Export the series again from the archive."
        )
    steps = np.diff([s.depth for s in stack])
    if np.ptp(steps) > max(_POSITION_TOLERANCE_MM, 0.02 * float(np.median(steps))):
        seen = ", ".join(f"{mm:g}" for mm in sorted({round(float(s), 1) for s in steps})[:4])
        return (
            f"{folder}: the slices are unevenly spaced ({seen} mm apart), so volumes cannot be "
            "measured. Export the series again if slices are missing, or resample it to even "
            "slices first."
        )
    path = np.subtract(stack[-1].position, stack[0].position)
    if abs(np.dot(path, stack[0].normal)) < _TILT_TOLERANCE * np.linalg.norm(path):
        return (
            f"{folder}: the scan was made with a tilted gantry. Resample it to an upright grid "
            "first."
        )
    return ""


def _affine(stack: Sequence[_Slice]) -> Affine:
    """RAS affine of the stored (column, row, slice) order."""
    first, last = stack[0], stack[-1]
    down, across = first.pixel_mm
    if len(stack) > 1:
        step = np.subtract(last.position, first.position) / (len(stack) - 1)
    else:
        step = first.normal * (_number(first.header.get("SliceThickness")) or 1.0)
    lps = np.eye(4)
    lps[:3, 0] = np.multiply(first.row, across)
    lps[:3, 1] = np.multiply(first.column, down)
    lps[:3, 2] = step
    lps[:3, 3] = first.position
    return Affine(np.diag([-1.0, -1.0, 1.0, 1.0]) @ lps)


def _read(
    stack: list[_Slice], description: str, progress: Progress, preview: ShowPreview | None = None
) -> Volume:
    first = stack[0]
    rows, columns = int(first.header.Rows), int(first.header.Columns)
    stored = np.empty((len(stack), rows, columns), np.int16)
    for n, s in enumerate(stack):
        progress.update(n / len(stack), f"Reading slice {n + 1} of {len(stack)}")
        stored[n] = _hu(s.path, (rows, columns))
    grid = StoredGrid((columns, rows, len(stack)), _affine(stack))
    hu = grid.to_ras(stored.transpose(2, 1, 0))
    if hu.strides[2] < 0 or not hu.flags.f_contiguous:
        hu = np.asfortranarray(hu)
    origin = Origin(
        first.path.parent,
        description,
        first.text("PatientName") or first.text("PatientID"),
        first.text("Modality") or "unknown",
        _number(first.header.get("SliceThickness")),
    )
    doubts: tuple[str, ...] = ()
    if len(stack) == 1:
        doubts = ("The scan is a single slice: its volumes rest on the slice thickness alone.",)
    progress.update(1.0, "Reading done")
    return Volume(hu, grid, origin, tuple(warning("doubt", d, "") for d in doubts))


def _hu(path: Path, shape: tuple[int, int]) -> NDArray[np.int16]:
    """The HU of one image; padding below air becomes air."""
    try:
        image = pydicom.dcmread(path)
        raw = _pixels(image, path)
        if raw.shape != shape:
            raise ValueError(f"pixel data of {raw.shape}")
        slope, intercept = (
            float(image.get(tag, default))
            for tag, default in (("RescaleSlope", 1.0), ("RescaleIntercept", 0.0))
        )
    except Exception as error:
        if isinstance(error, MemoryError):
            raise
        raise UnreadableFileError(
            f"{path} is cut short or damaged. Copy the series again from its source."
        ) from error
    hu = (
        raw if (slope, intercept) == (1.0, 0.0) else raw * np.float32(slope) + np.float32(intercept)
    )
    return np.clip(np.rint(hu), _LOWEST_HU, 32767).astype(np.int16)


def _pixels(image: Any, path: Path) -> NDArray[Any]:
    """Stored pixel values; compressed ones through SimpleITK's decoders, without rescaling."""
    if int(image.get("SamplesPerPixel", 1)) != 1:
        raise ValueError("a colour image")
    if not image.file_meta.TransferSyntaxUID.is_compressed:
        pixels: NDArray[Any] = image.pixel_array
        return pixels
    return _decompress(path, image)


def _decompress(path: Path, image: Any) -> NDArray[Any]:
    import SimpleITK as sitk  # noqa: N813

    scaled: NDArray[Any] = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))[0]
    slope, intercept = float(image.get("RescaleSlope", 1)), float(image.get("RescaleIntercept", 0))
    return np.asarray(np.rint((scaled - intercept) / slope))


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None
