"""Images of the formats with a text header, NRRD and MetaImage.

SimpleITK reads these too, but a damaged header makes it crash (an overlong line) or allocate
whatever the header promises; so the program reads them itself, and the tests compare.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.orientations import OrientationError
from numpy.typing import NDArray

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.io.formats import gzip_stream
from liverseg_gui.io.formats.voxel_stream import Encoding, Start, VoxelStream

_SLAB_BYTES = 2 << 20
_FARTHEST_MM = 1e6
_MOST_FILES = 100_000
_NUMBERED = re.compile(r"[^%]*%0?\d{0,2}[diu][^%]*")


@dataclass(frozen=True)
class RawImage:
    """Where the voxels of a file lie, in the patient and on the disk.

    `shape` is the file's, fastest axis first. `grid` is that of one volume: all axes but
    `extra_axis`, along which lie volumes or, where `color`, the parts of a voxel. The voxels start
    `skip_lines` and then `offset` bytes into each of `files`; an offset of -1 means that they end
    with the file. `notes` are what the header says beyond that.
    """

    path: Path
    shape: tuple[int, ...]
    extra_axis: int | None
    color: bool
    grid: StoredGrid
    dtype: np.dtype[Any]
    encoding: Encoding
    files: tuple[Path, ...]
    offset: int = 0
    skip_lines: int = 0
    header_bytes: int = 0
    oriented: bool = True
    spaced: bool = True
    unit: str = "mm"
    modality: str = "CT"
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many volumes the file holds."""
        return 1 if self.color or self.extra_axis is None else self.shape[self.extra_axis]

    @property
    def streams(self) -> bool:
        """Whether one slice can be read without those before it."""
        return self.encoding is Encoding.RAW and len(self.files) == 1

    def _stream(self) -> VoxelStream:
        return VoxelStream(
            self.files,
            prod(self.shape) * self.dtype.itemsize // len(self.files),
            Start(self.header_bytes, self.skip_lines, self.offset),
            self.encoding,
            self.dtype,
        )

    def require_room(self) -> None:
        """Check that the files can hold what the header promises, before it is allocated.

        Raises:
            UnreadableFileError: they cannot.
            OSError: one cannot be looked at.
        """
        size = sum(file.stat().st_size for file in self.files) - self.header_bytes
        numbers = prod(self.shape)
        room = {
            Encoding.RAW: numbers * self.dtype.itemsize <= size,
            Encoding.DEFLATED: numbers * self.dtype.itemsize <= size * gzip_stream.GZIP_RATIO,
            Encoding.TEXT: numbers <= size,
            Encoding.HEX: numbers * self.dtype.itemsize <= size // 2,
        }
        if not room[self.encoding] or numbers * self.dtype.itemsize % len(self.files):
            raise gzip_stream.cut_short(self.path)

    def read(self) -> NDArray[Any]:
        """Every number, of the file's shape and type, in Fortran order.

        Raises:
            UnreadableFileError: the file is damaged.
        """
        array = np.empty(self.shape, self.dtype, order="F")
        with self._stream() as stream:
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
        with self._stream() as stream:
            stream.skip((index * slices if last else 0) * slice_bytes + first * slice_bytes)
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
        UnreadableFileError: the header makes no sense, or promises more than its files can hold.
        OSError: a data file cannot be looked at.
    """
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
        extra_axis = None if extra_axis == len(shape) else extra_axis
    spatial = tuple(n for axis, n in enumerate(shape) if axis != extra_axis)
    if len(spatial) != 3 or min(shape) < 1:
        raise UnreadableFileError(
            f"{path} has {len(shape)} dimensions ({' x '.join(map(str, shape[:6]))}).",
            "Open a scan with three.",
        )
    try:
        if not np.abs(matrix).max() < _FARTHEST_MM:
            raise ValueError("its numbers are out of all proportion")
        grid = StoredGrid((spatial[0], spatial[1], spatial[2]), Affine(matrix))
        grid.ras_affine  # noqa: B018
    except (ValueError, OrientationError) as problem:
        raise UnreadableFileError(
            f"{path} does not say where its voxels lie ({problem}).", "Convert it again from DICOM."
        ) from problem
    image = RawImage(path, shape, extra_axis, grid=grid, **details)
    image.require_room()
    return image


def numbered(pattern: str) -> list[str]:
    """The file names of a pattern with a first and a last number and a step.

    Raises:
        ValueError: it makes no sense.
    """
    form, first, last, step = pattern.split()[:4]
    count = (int(last) - int(first)) // int(step) + 1 if int(step) else 0
    if not 0 < count <= _MOST_FILES or not _NUMBERED.fullmatch(form):
        raise ValueError("no files")
    return [form % (int(first) + n * int(step)) for n in range(count)]


def detached(path: Path, names: list[str]) -> tuple[Path, ...]:
    """The data files that the header `path` names.

    Raises:
        UnreadableFileError: one is not there.
        ValueError: it names none.
    """
    if not names:
        raise ValueError("no data file")
    files = tuple(path.parent / name for name in names)
    for file in files:
        if not file.is_file():
            raise UnreadableFileError(
                f"{path} keeps its voxels in {file.name}, which is not beside it.",
                "Copy both from their source into one folder.",
            )
    return files


def damaged(path: Path) -> UnreadableFileError:
    """The error for a header that makes no sense."""
    return UnreadableFileError(
        f"{path} is no NRRD or MetaImage file or is damaged.",
        "Copy it again from its source, or open the original DICOM folder.",
    )
