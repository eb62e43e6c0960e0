"""NIfTI-1 and NIfTI-2 scans (.nii, .nii.gz, .hdr with .img).

nibabel reads the header; the voxels go straight into the array that is kept.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core import scan_checks as checks
from liverseg_gui.core.errors import UnreadableFileError, cannot_read
from liverseg_gui.core.geometry import Affine, Int3, StoredGrid
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.scan_issues import ScanIssue, by_severity, error
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.core.window_level import NamedWindow, stated_window
from liverseg_gui.io.entries import ShowPreview, VolumeEntry
from liverseg_gui.io.file_endings import NIFTI
from liverseg_gui.io.formats import gzip_stream, nifti_checks
from liverseg_gui.io.formats.hu import Tally, slices_together, to_hu
from liverseg_gui.io.formats.nifti_header import load_header
from liverseg_gui.io.formats.tilt_correction import upright_volume
from liverseg_gui.io.preview import one_slice, thumbnail
from liverseg_gui.system.regular_file import open_regular, require_regular

logging.getLogger("nibabel.global").setLevel(logging.CRITICAL)  # its doubts are ours to tell

POSITION_FIELDS = (
    *("pixdim", "qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d"),
    *("qoffset_x", "qoffset_y", "qoffset_z", "srow_x", "srow_y", "srow_z", "xyzt_units"),
)
_SLAB_BYTES = 2 << 20


def nifti_entries(path: Path) -> list[VolumeEntry]:
    """The volume of a NIfTI file, or one for each of a 4D file's.

    Raises:
        UnreadableFileError: the file is no NIfTI image, is damaged, or is not three-dimensional.
    """
    file = open_header(path)
    issues = [
        *file.issues,
        *nifti_checks.nifti_header_issues(file.header, file.grid, file.count),
    ]
    if file.on_time_axis:
        slices = file.grid.shape[2], file.grid.affine.spacing_mm[2]
        issues.append(checks.slices_on_time_axis(*slices))
    if file.color:
        issues.append(
            error(
                "color",
                f"{path} is a color or complex image, not a CT scan.",
                "Open the CT scan it was made from.",
            )
        )
    count = file.count
    return [
        VolumeEntry(
            path,
            path.name if count == 1 else f"{path.name} volume {n + 1} of {count}",
            "CT",
            file.grid.shape,
            file.grid.affine.spacing_mm,
            partial(_read, file, n, by_severity(tuple(issues))),
            by_severity(tuple(issues)),
            thumbnail=partial(_thumbnail, file, n),
            files=tuple(dict.fromkeys((path, file.data_path))),
            key=str(n),
            modality_stated=False,
        )
        for n in range(count)
    ]


@dataclass(frozen=True)
class NiftiFile:
    """The header of a NIfTI file and where its voxels lie.

    `on_time_axis` where the slices of its one volume are stored as if they were volumes.
    """

    path: Path
    data_path: Path
    header: Any
    grid: StoredGrid
    count: int
    dtype: np.dtype[Any]
    offset: int
    slope: float
    inter: float
    issues: tuple[ScanIssue, ...] = ()
    """What was replaced in the header."""
    on_time_axis: bool = False

    @cached_property
    def compressed(self) -> bool:
        """Whether the voxels are gzipped."""
        return gzip_stream.is_gzip(self.data_path)

    @property
    def color(self) -> bool:
        """Whether a voxel is more than one real number."""
        return self.dtype.fields is not None or self.dtype.kind not in "iuf"

    @cached_property
    def volume_bytes(self) -> int:
        """Bytes of one stored volume."""
        i, j, k = self.grid.shape
        return i * j * k * self.dtype.itemsize

    def require_whole(self) -> None:
        """Check that the file can hold what its header promises.

        Raises:
            UnreadableFileError: it cannot.
        """
        promised = self.offset + self.count * self.volume_bytes
        gzip_stream.require_room(self.data_path, promised, self.compressed)


def open_header(path: Path) -> NiftiFile:
    """Read the header of the NIfTI file `path`; for a pair, of either half.

    Raises:
        UnreadableFileError: it is no NIfTI image or makes no sense.
    """
    try:
        with open_regular(path) as stream:
            stream.read(1)  # nibabel takes what may not be read for another format
        loaded = load_header(path)
        image = loaded.image
        proxy, shape = image.dataobj, tuple(int(n) for n in image.shape)
        data_path = Path(image.file_map["image"].filename)
        dtype = np.dtype(image.get_data_dtype())
        offset = int(proxy.offset) if loaded.offset is None else loaded.offset
        slope, inter = float(proxy.slope), float(proxy.inter)
        matrix = np.asarray(image.affine, np.float64)
        if offset < 0:
            raise ValueError("no voxels")
        if not data_path.exists():
            raise UnreadableFileError(
                f"{path} keeps its voxels in {data_path.name}, which is not beside it.",
                "Copy both from their source into one folder.",
            )
        require_regular(data_path)
    except (MemoryError, UnreadableFileError):
        raise
    except OSError as problem:
        if problem.errno is None:  # gzip's own
            raise _no_image(path) from problem
        raise cannot_read(problem.filename or path, problem) from problem
    except Exception as problem:  # a damaged header breaks nibabel in any way it likes
        raise _no_image(path) from problem
    spatial, count = _spatial_shape(path, shape)
    try:
        matrix[:3] *= nifti_checks.header_mm_per_unit(image.header, matrix)
        grid = StoredGrid(spatial, Affine(matrix))
        # made when first asked for: an affine without an orientation is refused here, not later
        grid.ras_affine  # noqa: B018
    except ValueError as problem:
        raise UnreadableFileError(
            f"{path} does not say where its voxels lie ({problem}).", "Convert it again from DICOM."
        ) from problem
    file = NiftiFile(
        path,
        data_path,
        image.header.copy(),
        grid,
        count,
        dtype,
        offset,
        slope,
        inter,
        loaded.issues,
        on_time_axis=spatial[2] != shape[2],
    )
    file.require_whole()
    return file


def _no_image(path: Path) -> UnreadableFileError:
    return UnreadableFileError(
        f"{path} is no NIfTI image or is damaged.",
        "Copy it again from its source, or open the original DICOM folder.",
    )


def read_stored(file: NiftiFile, index: int = 0) -> NDArray[Any]:
    """Volume `index` as stored: the file's type and i, j, k order, Fortran order, unscaled.

    Raises:
        UnreadableFileError: the file ends before it.
    """
    stored = np.empty(file.grid.shape, file.dtype, order="F")
    start = file.offset + index * file.volume_bytes
    with gzip_stream.opened(file.data_path, file.compressed, start) as stream:
        gzip_stream.fill(stream, stored)
    return stored


def _spatial_shape(path: Path, shape: tuple[int, ...]) -> tuple[Int3, int]:
    """The three spatial sizes, and how many volumes there are.

    A single slice of many volumes is one volume of many slices: converters leave CT like that.
    """
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) > 3 and set(shape[2:-1]) == {1}:
        shape = (*shape[:2], shape[-1])
    if len(shape) not in (3, 4) or min(shape) < 1:
        raise UnreadableFileError(
            f"{path} has {len(shape)} dimensions ({' x '.join(map(str, shape))}).",
            "Open a scan with three.",
        )
    return (shape[0], shape[1], shape[2]), shape[3] if len(shape) == 4 else 1


def _read(
    file: NiftiFile,
    index: int,
    issues: tuple[ScanIssue, ...],
    progress: Progress,
    preview: ShowPreview | None = None,
) -> Volume:
    progress.update(0.0, f"Reading {file.path.name}")
    if preview is not None and not file.compressed:
        preview(_slice(file, index, file.grid.shape[2] // 2))
    hu, seen = _read_hu(file, index, progress.part(0.0, 0.9))
    issues = by_severity((*issues, *seen, *checks.value_issues(hu)))
    if checks.needs_upright(file.grid):
        upright = upright_volume(hu, file.grid, file.path, issues, progress.part(0.9, 1.0))
        return replace(
            upright,
            origin=replace(upright.origin, windows=_windows(file.header), modality_stated=False),
        )
    ordered = slices_together(file.grid.to_ras(hu))
    progress.update(1.0, f"Reading {file.path.name}")
    origin = Origin(
        file.path,
        file.path.name,
        nifti_header=_nifti1(file.header),
        windows=_windows(file.header),
        modality_stated=False,
    )
    return Volume(ordered, file.grid, origin, issues)


def _windows(header: Any) -> tuple[NamedWindow, ...]:
    """The range the file asks to be shown in (cal_min to cal_max), where it states one."""
    low, high = float(header["cal_min"]), float(header["cal_max"])
    window = stated_window("", high - low, (low + high) / 2)
    return () if window is None else (window,)


def _nifti1(header: Any) -> Any:
    """Positions, codes and units of `header`, bit for bit, as those of a single NIfTI-1 file."""
    own = nib.Nifti1Header()
    own.set_data_shape(header.get_data_shape())
    with np.errstate(over="ignore"):  # NIfTI-2 has room for numbers that mean nothing
        for field in POSITION_FIELDS:
            own[field] = header[field]
    return own


def _read_hu(
    file: NiftiFile, index: int, progress: Progress
) -> tuple[NDArray[np.int16], tuple[ScanIssue, ...]]:
    """The HU in stored order, a slab at a time, and what was remarkable about the numbers."""
    shape = file.grid.shape
    hu = np.empty(shape, np.int16, order="F")
    slab = max(1, min(shape[2], _SLAB_BYTES * shape[2] // file.volume_bytes))
    plain = file.dtype == np.int16 and file.dtype.isnative and (file.slope, file.inter) == (1, 0)
    buffer = hu if plain else np.empty((*shape[:2], slab), file.dtype, order="F")
    tally = Tally()
    start = file.offset + index * file.volume_bytes
    with gzip_stream.opened(file.data_path, file.compressed, start) as stream:
        for k in range(0, shape[2], slab):
            progress.update(k / shape[2], f"Reading {file.path.name}")
            part = hu[:, :, k : k + slab]
            if plain:
                gzip_stream.fill(stream, part)
            else:
                stored = buffer[:, :, : part.shape[2]]
                gzip_stream.fill(stream, stored)
                part[:] = to_hu(stored, file.slope, file.inter, tally)
    return hu, tally.issues()


def _slice(file: NiftiFile, index: int, k: int) -> Volume:
    """Slice `k` as a volume of its own."""
    slice_bytes = file.volume_bytes // file.grid.shape[2]
    stored = np.empty((*file.grid.shape[:2], 1), file.dtype, order="F")
    start = file.offset + index * file.volume_bytes + k * slice_bytes
    with gzip_stream.opened(file.data_path, file.compressed, start) as stream:
        gzip_stream.fill(stream, stored)
    hu = to_hu(stored, file.slope, file.inter, Tally())
    return one_slice(hu, file.grid, k, Origin(file.path, file.path.name))


def _thumbnail(file: NiftiFile, index: int) -> NDArray[np.uint8]:
    return thumbnail(_slice(file, index, file.grid.shape[2] // 2))


def looks_like_mask(path: Path) -> bool:
    """Whether `path` is a NIfTI file of 8-bit numbers, which no CT is stored in."""
    if not path.name.lower().endswith(NIFTI):
        return False
    try:
        return open_header(path).dtype.itemsize == 1
    except UnreadableFileError:
        return False
