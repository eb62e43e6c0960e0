"""Images of the formats with a text header, NRRD and MetaImage.

SimpleITK reads these too, but a damaged header makes it crash (an overlong line) or allocate
whatever the header promises; so the program reads them itself, and the tests compare.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from nibabel.orientations import OrientationError
from numpy.typing import NDArray

from liverseg_gui.core.errors import UnreadableFileError, UnsupportedFileError
from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.scan_checks import mm_per_unit
from liverseg_gui.io.formats import gzip_stream

_SLAB_BYTES = 2 << 20
_FARTHEST_MM = 1e6


@dataclass(frozen=True)
class RawImage:
    """Where the voxels of a file lie, in the patient and on the disk.

    `shape` is the file's, fastest axis first. `grid` is that of one volume: all axes but
    `extra_axis`, along which lie volumes or, where `color`, the parts of a voxel. The voxels start
    `header_bytes` into `file`. `modality` is empty where the header does not say. `on_time_axis`
    where slices are stored as if they were volumes. `notes` are what the header says beyond that.
    """

    path: Path
    shape: tuple[int, ...]
    extra_axis: int | None
    color: bool
    grid: StoredGrid
    dtype: np.dtype[Any]
    deflated: bool
    file: Path
    header_bytes: int = 0
    oriented: bool = True
    spaced: bool = True
    unit: str = "mm"
    unit_mm: float = 1.0
    modality: str = ""
    on_time_axis: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many volumes the file holds."""
        return 1 if self.color or self.extra_axis is None else self.shape[self.extra_axis]

    def _voxels(self, start: int = 0) -> AbstractContextManager[BinaryIO]:
        """The voxels as a stream, from byte `start` of them on."""
        if self.deflated:
            return gzip_stream.inflated(self.file, self.header_bytes, start)
        return gzip_stream.opened(self.file, False, self.header_bytes + start)

    def require_room(self) -> None:
        """Check that the file can hold what the header promises, before it is allocated.

        Raises:
            UnreadableFileError: it cannot.
            OSError: it cannot be looked at.
        """
        room = self.file.stat().st_size - self.header_bytes
        ratio = gzip_stream.GZIP_RATIO if self.deflated else 1
        if prod(self.shape) * self.dtype.itemsize > room * ratio:
            raise gzip_stream.cut_short(self.path)

    def read(self) -> NDArray[Any]:
        """Every number, of the file's shape and type, in Fortran order.

        Raises:
            UnreadableFileError: the file is damaged.
        """
        array = np.empty(self.shape, self.dtype, order="F")
        with self._voxels() as stream:
            gzip_stream.fill(stream, array)
        return array

    def layers(self) -> tuple[NDArray[Any], ...]:
        """The volumes in stored i, j, k order and the file's type, all in memory.

        Raises:
            UnreadableFileError: the file is damaged.
        """
        array = self.read()
        if self.extra_axis is None:
            return (array.reshape(self.grid.shape, order="F"),)
        return tuple(np.moveaxis(array, self.extra_axis, 0))

    def slabs(self, index: int, first: int = 0) -> Iterator[tuple[int, NDArray[Any]]]:
        """Volume `index` from slice `first` on: the slice each slab starts at, and its voxels.

        Slabs have shape (i, j, slices) and are overwritten by the next.

        Raises:
            UnreadableFileError: the file is damaged.
        """
        last = self.extra_axis == len(self.shape) - 1 and len(self.shape) == 4
        axes = self.shape[:3] if last else self.shape
        slice_bytes = prod(axes[:-1]) * self.dtype.itemsize
        slices = axes[-1]
        step = max(1, min(slices, _SLAB_BYTES // slice_bytes))
        buffer = np.empty((*axes[:-1], step), self.dtype, order="F")
        start = (index * slices if last else 0) + first
        with self._voxels(start * slice_bytes) as stream:
            for k in range(first, slices, step):
                slab = buffer[..., : min(step, slices - k)]
                gzip_stream.fill(stream, slab)
                if self.extra_axis is not None and not last:
                    slab = np.take(slab, index, axis=self.extra_axis)
                yield k, slab.reshape((*self.grid.shape[:2], -1), order="F")


def image_of(
    path: Path,
    shape: tuple[int, ...],
    extra_axis: int | None,
    matrix: NDArray[np.float64],
    **details: Any,
) -> RawImage:
    """The image of a header that was taken apart; `matrix` is the affine of its spatial axes.

    Raises:
        UnreadableFileError: the header makes no sense, or promises more than its file can hold.
        OSError: a data file cannot be looked at.
    """
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
        extra_axis = None if extra_axis == len(shape) else extra_axis
    on_time_axis = len(shape) == 4 and extra_axis == 3 and shape[2] == 1
    if on_time_axis:  # a single slice of many volumes is one volume of many slices
        shape, extra_axis = (*shape[:2], shape[3]), None
    spatial = tuple(n for axis, n in enumerate(shape) if axis != extra_axis)
    if len(spatial) != 3 or min(shape) < 1:
        raise UnreadableFileError(
            f"{path} has {len(shape)} dimensions ({' x '.join(map(str, shape[:6]))}).",
            "Open a scan with three.",
        )
    try:
        if not np.abs(matrix).max() < _FARTHEST_MM:
            raise ValueError("its numbers are out of all proportion")
        steps = np.linalg.norm(matrix[:3, :3], axis=0)
        factor = mm_per_unit(details.get("unit", "mm"), (steps[0], steps[1], steps[2]))
        matrix = np.diag([factor, factor, factor, 1.0]) @ matrix
        grid = StoredGrid((spatial[0], spatial[1], spatial[2]), Affine(matrix))
        # made when first asked for: an affine without an orientation is refused here, not later
        grid.ras_affine  # noqa: B018
    except (ValueError, OrientationError) as problem:
        raise UnreadableFileError(
            f"{path} does not say where its voxels lie ({problem}).", "Convert it again from DICOM."
        ) from problem
    image = RawImage(
        path, shape, extra_axis, grid=grid, unit_mm=factor, on_time_axis=on_time_axis, **details
    )
    image.require_room()
    return image


def detached(path: Path, where: str) -> Path:
    """The data file that the header `path` names: one in its folder, or below.

    A header may come from anywhere. A name that leads elsewhere is not even looked at: behind it
    could be any file of this computer's, a device, or another computer.

    Raises:
        UnreadableFileError: it is not there or elsewhere, is no ordinary file, or there are
            several.
        LookupError: there is no name.
    """
    if where.split()[0] == "LIST":
        raise unsupported(path, _IN_SEVERAL)
    if _leads_elsewhere(where):
        raise UnreadableFileError(
            f"{path} names a data file outside its own folder ({where[:80]}), which is not read.",
            "Put both into one folder, and the plain name of the data file into the header.",
        )
    file = path.parent / where
    if "\\" in where and not file.exists():
        file = path.parent.joinpath(*where.split("\\"))
    if file.is_file():
        return file
    if "%" in where:
        raise unsupported(path, _IN_SEVERAL)
    if file.exists():
        raise UnreadableFileError(
            f"{path} keeps its voxels in {file.name}, which is no ordinary file.",
            "Put header and data file into one folder.",
        )
    raise UnreadableFileError(
        f"{path} keeps its voxels in {file.name}, which is not beside it.",
        "Copy both from their source into one folder.",
    )


_IN_SEVERAL = "has its voxels in several files"


def _leads_elsewhere(where: str) -> bool:
    """Whether a name in a header is absolute, on another computer or drive, or climbs out."""
    parts = where.replace("\\", "/").split("/")
    return not parts[0] or ".." in parts or "://" in where or bool(re.match(r"[A-Za-z]:", where))


def bytes_before(file: Path, stated: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    """What precedes the voxels of a file of its own: `stated`, or by -1 all but the voxels.

    Raises:
        OSError: the file cannot be looked at.
    """
    if stated >= 0:
        return stated
    return max(0, file.stat().st_size - prod(shape) * dtype.itemsize)


def unsupported(path: Path, what: str) -> UnsupportedFileError:
    """The error for a file that is whole, but written in a way that scans are not."""
    return UnsupportedFileError(
        f"{path} {what}, which this program does not read.",
        "Open it in 3D Slicer and save it as .nrrd or .nii.gz.",
    )


def damaged(path: Path) -> UnreadableFileError:
    """The error for a header that makes no sense."""
    return UnreadableFileError(
        f"{path} is no NRRD or MetaImage file or is damaged.",
        "Copy it again from its source, or open the original DICOM folder.",
    )
