"""NRRD (.nrrd, .nhdr) and MetaImage (.mha, .mhd) scans, read through SimpleITK.

SimpleITK's (z, y, x) arrays and LPS millimetres end here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.core.findings import Finding, by_severity
from liverseg_gui.core.geometry import Affine, Int3, StoredGrid
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.io import checks
from liverseg_gui.io.entries import ShowPreview, VolumeEntry
from liverseg_gui.io.itk_checks import color, header_findings
from liverseg_gui.io.itk_header import TextHeader, damaged, read_header
from liverseg_gui.io.nifti import Tally, to_hu
from liverseg_gui.io.preview import one_slice, thumbnail
from liverseg_gui.io.upright import needs_upright, upright_volume

ENDINGS = (".nrrd", ".nhdr", ".mha", ".mhd")

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_SLAB_VOXELS = 4 << 20
_MODALITIES = {"MET_MOD_MR": "MR", "MET_MOD_NM": "NM", "MET_MOD_US": "US"}


@dataclass(frozen=True)
class ItkFile:
    """The header of an NRRD or MetaImage file. `grid` is that of one of its `count` volumes.

    `dtype` is that of a number; None where a voxel is a complex one. `components` are the numbers
    in a voxel; `listed` says that they are volumes of a list rather than a color or a vector.
    """

    path: Path
    header: TextHeader
    grid: StoredGrid
    size: tuple[int, ...]
    dtype: np.dtype[Any] | None
    components: int
    listed: bool

    @property
    def count(self) -> int:
        """How many volumes the file holds."""
        if self.listed:
            return self.components
        return self.size[3] if len(self.size) == 4 else 1

    @property
    def color(self) -> bool:
        """Whether a voxel is more than one real number."""
        return self.dtype is None or (self.components > 1 and not self.listed)


def itk_entries(path: Path) -> list[VolumeEntry]:
    """The volume of an NRRD or MetaImage file, or one for each of a 4D file's.

    Raises:
        UnreadableFileError: it is neither, is damaged, or is not three-dimensional.
    """
    file = open_itk(path)
    findings = by_severity(tuple(header_findings(file)))
    modality = _MODALITIES.get(file.header.fields.get("Modality", ""), "CT")
    names = [path.name]
    if file.count > 1:
        names = [f"{path.name} volume {n + 1} of {file.count}" for n in range(file.count)]
    return [
        VolumeEntry(
            path,
            name,
            modality,
            file.grid.shape,
            file.grid.affine.spacing_mm,
            partial(_read, file, n, Origin(path, name, modality=modality), findings),
            findings,
            thumbnail=partial(_thumbnail, file, n),
        )
        for n, name in enumerate(names)
    ]


def open_itk(path: Path) -> ItkFile:
    """Read the header of the NRRD or MetaImage file `path`.

    Raises:
        UnreadableFileError: it is neither, makes no sense, or promises more than it can hold.
    """
    try:
        header = read_header(path)
        reader = _reader(path, header)
        reader.ReadImageInformation()
        size = tuple(int(n) for n in reader.GetSize())
        components = int(reader.GetNumberOfComponents())
        dtype = _dtype(reader.GetPixelID())
        position = reader.GetSpacing(), reader.GetOrigin(), reader.GetDirection()
    except FileNotFoundError as problem:
        raise UnreadableFileError(f"{path} does not exist. Check the path.") from problem
    except (RuntimeError, OSError, ValueError, TypeError, OverflowError) as problem:
        if "number of domain axes" in str(problem):
            raise UnreadableFileError(
                f"{path} holds a series in time that this program can't take apart. Export the "
                "volume you need to a file of its own."
            ) from problem
        raise damaged(path) from problem
    spatial = _spatial_shape(path, size)
    if not header.holds(prod(size) * components, dtype.itemsize if dtype else 1):
        raise UnreadableFileError(
            f"{path} is cut short or damaged: it promises {' x '.join(map(str, size))} voxels, "
            "more than the file can hold. Copy it again from its source."
        )
    listed = components > 1 and len(size) == 3 and _is_list(header)
    grid = _grid(path, spatial, *position)
    return ItkFile(path, header, grid, size, dtype, components, listed)


def read_layers(file: ItkFile) -> tuple[NDArray[Any], ...]:
    """Every volume of `file` in stored i, j, k order and the file's own number type.

    Raises:
        UnreadableFileError: the voxels are damaged, or are no plain numbers.
    """
    if file.color:
        raise UnreadableFileError(str(color(file)))
    image = _execute(file)
    return tuple(_volume(file, _view(image), n).copy(order="K") for n in range(file.count))


def _reader(path: Path, header: TextHeader) -> Any:
    import SimpleITK as sitk  # noqa: N813

    reader = sitk.ImageFileReader()
    reader.SetImageIO(header.reader)
    reader.SetFileName(str(path))
    return reader


def _dtype(pixel_id: int) -> np.dtype[Any] | None:
    import SimpleITK as sitk  # noqa: N813

    for name in ("UInt8", "Int8", "UInt16", "Int16", "UInt32", "Int32", "UInt64", "Int64"):
        if pixel_id in (getattr(sitk, f"sitk{name}"), getattr(sitk, f"sitkVector{name}")):
            return np.dtype(name.lower())
    for name in ("Float32", "Float64"):
        if pixel_id in (getattr(sitk, f"sitk{name}"), getattr(sitk, f"sitkVector{name}")):
            return np.dtype(name.lower())
    return None


def _is_list(header: TextHeader) -> bool:
    return "list" in header.fields.get("kinds", "").lower().split()


def _spatial_shape(path: Path, size: tuple[int, ...]) -> Int3:
    if len(size) not in (3, 4) or min(size) < 1:
        raise UnreadableFileError(
            f"{path} has {len(size)} dimensions ({' x '.join(map(str, size))}). Open a scan with "
            "three."
        )
    return size[0], size[1], size[2]


def _grid(
    path: Path,
    shape: Int3,
    spacing: tuple[float, ...],
    origin: tuple[float, ...],
    direction: tuple[float, ...],
) -> StoredGrid:
    """The stored grid in RAS+ mm from SimpleITK's LPS position."""
    count = len(spacing)
    lps = np.eye(4)
    turn = np.array(direction, np.float64).reshape(count, count)[:3, :3]
    lps[:3, :3] = turn * np.array(spacing[:3])
    lps[:3, 3] = origin[:3]
    try:
        grid = StoredGrid(shape, Affine(_LPS_TO_RAS @ lps))
        grid.ras_affine  # noqa: B018
    except ValueError as problem:
        raise UnreadableFileError(
            f"{path} does not say where its voxels lie ({problem}). Convert it again from DICOM."
        ) from problem
    return grid


def _read(
    file: ItkFile,
    index: int,
    origin: Origin,
    findings: tuple[Finding, ...],
    progress: Progress,
    preview: ShowPreview | None = None,
) -> Volume:
    if file.color:
        raise UnreadableFileError(str(color(file)))
    phase = f"Reading {file.path.name}"
    progress.update(0.0, phase)
    if preview is not None and file.header.streams:
        preview(_slice(file, index, origin))
    hu, seen = _read_hu(file, index, progress.part(0.0, 0.9))
    findings = by_severity((*findings, *seen, *checks.value_findings(hu)))
    if needs_upright(file.grid):
        return upright_volume(hu, file.grid, file.path, findings, progress.part(0.9, 1.0))
    ordered = file.grid.to_ras(hu)
    strides = np.abs(ordered.strides)
    if strides[2] < max(strides[:2]):  # axial slices must lie together: they are shown most
        ordered = np.asfortranarray(ordered)
    progress.update(1.0, phase)
    return Volume(ordered, file.grid, origin, findings)


def _read_hu(
    file: ItkFile, index: int, progress: Progress
) -> tuple[NDArray[np.int16], tuple[Finding, ...]]:
    """The HU in stored order (Fortran), and what was remarkable about the numbers."""
    image = _execute(file)
    progress.update(0.5, f"Reading {file.path.name}")
    stored = _volume(file, _view(image), index)
    if stored.dtype == np.int16:
        return stored.copy(order="F"), ()
    tally = Tally()
    hu = np.empty(stored.shape, np.int16, order="F")
    slab = max(1, _SLAB_VOXELS // (stored.shape[0] * stored.shape[1]))
    for k in range(0, stored.shape[2], slab):
        progress.update(0.5 + 0.5 * k / stored.shape[2], f"Reading {file.path.name}")
        hu[:, :, k : k + slab] = to_hu(stored[:, :, k : k + slab], 1.0, 0.0, tally)
    return hu, tally.findings()


def _execute(file: ItkFile, index: int | None = None, k: int | None = None) -> Any:
    """The image of `file`, or slice `k` of its volume `index` alone."""
    try:
        reader = _reader(file.path, file.header)
        if k is not None:
            more = [index or 0] if len(file.size) == 4 else []
            reader.SetExtractIndex([0, 0, k, *more])
            reader.SetExtractSize([*file.size[:2], 1, *[1 for _ in more]])
        return reader.Execute()
    except (RuntimeError, OSError, ValueError, OverflowError) as problem:
        raise UnreadableFileError(
            f"{file.path} is cut short or damaged. Copy it again from its source."
        ) from problem


def _view(image: Any) -> NDArray[Any]:
    """A view of the voxels of `image`, which must outlive it: ([t,] z, y, x[, component])."""
    import SimpleITK as sitk  # noqa: N813

    return sitk.GetArrayViewFromImage(image)


def _volume(file: ItkFile, array: NDArray[Any], index: int) -> NDArray[Any]:
    """Volume `index` of SimpleITK's `array` in i, j, k order."""
    if file.listed:
        array = array[..., index]
    elif len(file.size) == 4:
        array = array[index]
    return array.transpose(2, 1, 0)


def _slice(file: ItkFile, index: int, origin: Origin) -> Volume:
    """The middle slice of volume `index` as a volume of its own."""
    middle = file.grid.shape[2] // 2
    image = _execute(file, index, middle)
    stored = _volume(file, _view(image), index if file.listed else 0)
    return one_slice(to_hu(stored, 1.0, 0.0, Tally()), file.grid, middle, origin)


def _thumbnail(file: ItkFile, index: int) -> NDArray[np.uint8]:
    return thumbnail(_slice(file, index, Origin(file.path)))
