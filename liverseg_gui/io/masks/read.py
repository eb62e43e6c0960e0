"""Reader of masks of all formats, onto the grid of their scan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.errors import GridMismatchError, UnreadableFileError
from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.labels import LIVER, TUMOR, LabelMap
from liverseg_gui.core.slices import slice_affines
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.changes import require_readable
from liverseg_gui.io.dataset_names import ircadb
from liverseg_gui.io.file_endings import ITK, NIFTI
from liverseg_gui.io.formats import itk, nifti
from liverseg_gui.io.masks.dicom_seg import is_seg, read_seg
from liverseg_gui.io.masks.frames import Target, elsewhere, targets
from liverseg_gui.io.masks.grid_checks import Layers, dataset_segments, layers_of, slicer_segments
from liverseg_gui.io.masks.ircadb import ircadb_images, slice_files, structure_folders
from liverseg_gui.io.masks.label_values import (
    FileLabel,
    LabelMapping,
    UnknownLabelsError,
    own_mapping,
    parse_labels,
    signature,
)

__all__ = [
    "FileLabel",
    "LabelMapping",
    "UnknownLabelsError",
    "parse_labels",
    "read_mask",
    "signature",
]

Images = Callable[[], Iterator[tuple[Affine, NDArray[np.int_]]]]


class _Mask(Protocol):
    """A mask that lies on the scan, before its labels are known to be liver or tumor."""

    @property
    def labels(self) -> tuple[FileLabel, ...]: ...

    def paint(self, mapping: LabelMapping) -> NDArray[np.uint8]: ...


def read_mask(path: Path, volume: Volume, mapping: LabelMapping | None = None) -> LabelMap:
    """The mask at `path`, on the grid of `volume`; its axes may be stored in another order.

    It is a NIfTI, NRRD or MetaImage file, a DICOM SEG, or a folder of 3D-IRCADb-01 masks.
    `mapping` says what the file's values mean, where they are not this program's (0 background,
    1 liver, 2 tumor) and no names tell. Where segments overlap, tumor wins over liver. A mask on
    the slices a scan was resampled from is carried to the even grid by the nearest slice.

    Raises:
        UnknownLabelsError: there is no `mapping` and the file needs one.
        UnreadableFileError: the file is missing, damaged, or no mask.
        GridMismatchError: it does not lie on the scan's voxels.
    """
    mask = _placed_mask(path, volume)
    if mapping is None:
        mapping = own_mapping(mask.labels)
    if mapping is None:
        raise UnknownLabelsError(path, mask.labels)
    used = [label for label in mask.labels if label.voxels]
    if used and not any(mapping.get(label.value) for label in used):
        there = ", ".join(map(str, used[:12]))
        raise UnreadableFileError(
            f"{path} holds none of the labels that mean liver or tumor.",
            f"It holds {there}. Say what those mean with --labels, or choose another mask.",
        )
    return LabelMap(mask.paint(mapping), volume.grid)


def _placed_mask(path: Path, volume: Volume) -> _Mask:
    try:
        require_readable(path)
        if path.is_dir():
            return _of_folder(path, volume)
        if path.name.lower().endswith(NIFTI):
            return _of_nifti(path, volume)
        if path.name.lower().endswith(ITK):
            return _of_itk(path, volume)
        if is_seg(path):
            return _of_seg(path, volume)
    except OSError as problem:
        raise UnreadableFileError(
            f"{path} could not be read: {problem.strerror or problem}.",
            "Check that it may be opened.",
        ) from problem
    raise UnreadableFileError(
        f"{path} is no mask this program reads.",
        "Choose a NIfTI (.nii, .nii.gz), NRRD (.nrrd) or MetaImage (.mha, .mhd) file, or a DICOM "
        "segmentation (SEG).",
    )


def _of_nifti(path: Path, volume: Volume) -> _Mask:
    file = nifti.open_header(path)
    _require_one(path, file.count)
    if file.color:
        raise _color(path)

    def read() -> Layers:
        stored = nifti.read_stored(file)
        if (file.slope, file.inter) != (1, 0):
            stored = stored * file.slope + file.inter
        return layers_of(path, (stored,), dataset_segments(path))

    return _on_grid(file.grid, volume, read)


def _of_itk(path: Path, volume: Volume) -> _Mask:
    image = itk.open_image(path)
    try:
        segments = slicer_segments(image.notes, image.extra_axis is not None)
    except ValueError as problem:
        raise UnreadableFileError(
            f"{path} names its segments in a way that makes no sense.",
            "Save it again in 3D Slicer.",
        ) from problem
    if not segments:
        _require_one(path, image.count)
        segments = dataset_segments(path)
    if image.color and not segments:
        raise _color(path)
    return _on_grid(image.grid, volume, lambda: layers_of(path, image.layers(), segments))


def _of_seg(path: Path, volume: Volume) -> _Mask:
    seg = read_seg(path)

    def images() -> Iterator[tuple[Affine, NDArray[np.int_]]]:
        return ((frame.affine, image) for frame, image in seg.images())

    return _on_frames(images, seg.names, volume)


def _of_folder(path: Path, volume: Volume) -> _Mask:
    files = [file for file in sorted(path.iterdir()) if file.is_file()]
    segs = [file for file in files if is_seg(file)]
    if len(segs) == 1:
        return _of_seg(segs[0], volume)
    if segs:
        raise UnreadableFileError(
            f"{path} holds {len(segs)} DICOM segmentations.",
            f"Choose one of the files: {', '.join(file.name for file in segs[:5])}.",
        )
    folders = ircadb(path)
    labels = structure_folders(folders[1] if folders else path)
    mask = _on_frames(
        partial(ircadb_images, labels), {LIVER: "liver", TUMOR: "liver tumor"}, volume
    )
    slices = mask.target.slices(mask.first)
    for folder in labels:
        if (count := len(slice_files(folder))) < slices:
            raise UnreadableFileError(
                f"{folder} holds {count} of the scan's {slices} slices.",
                "Unpack the data set again.",
            )
    return mask


def _require_one(path: Path, count: int) -> None:
    if count > 1:
        raise UnreadableFileError(
            f"{path} holds {count} volumes, and a mask is one.",
            "Save the one you need to a file of its own.",
        )


def _color(path: Path) -> UnreadableFileError:
    return UnreadableFileError(
        f"{path} is a color or vector image, not a mask.", "Choose a mask of whole numbers."
    )


@dataclass(frozen=True)
class _GridMask:
    """A mask on the scan's voxels, stored on a grid of its own axis order."""

    grid: StoredGrid
    layers: Layers

    @property
    def labels(self) -> tuple[FileLabel, ...]:
        return self.layers.labels

    def paint(self, mapping: LabelMapping) -> NDArray[np.uint8]:
        out = np.empty(self.grid.shape, np.uint8, order="F")
        tables = self.layers.tables(mapping)
        for k in range(self.grid.shape[2]):
            out[:, :, k] = self.layers.cut(tables, k)
        return np.asfortranarray(self.grid.to_ras(out))


@dataclass(frozen=True)
class _AskewMask:
    """A mask on the sheared grid of a scan that was resampled upright."""

    affines: tuple[Affine, ...]
    layers: Layers
    target: Target

    @property
    def labels(self) -> tuple[FileLabel, ...]:
        return self.layers.labels

    def paint(self, mapping: LabelMapping) -> NDArray[np.uint8]:
        tables = self.layers.tables(mapping)
        for k, affine in enumerate(self.affines):
            image = self.layers.cut(tables, k)
            place = self.target.place(affine, (image.shape[0], image.shape[1]))
            if place is not None:
                place[:] = image
        return self.target.labels()


@dataclass(frozen=True)
class _FrameMask:
    """A mask of slices that were found in the scan; `first` is where one of them lies."""

    images: Images
    labels: tuple[FileLabel, ...]
    target: Target
    first: Affine

    def paint(self, mapping: LabelMapping) -> NDArray[np.uint8]:
        table = np.zeros(max((label.value for label in self.labels), default=0) + 1, np.uint8)
        for label in self.labels:
            table[label.value] = mapping.get(label.value, 0)
        for affine, image in self.images():
            place = self.target.place(affine, (image.shape[0], image.shape[1]))
            if place is not None:
                np.maximum(place, table[image], out=place)
        return self.target.labels()


def _on_grid(grid: StoredGrid, volume: Volume, read: Callable[[], Layers]) -> _Mask:
    """The mask that `read` gives, if `grid` is the scan's or that of the slices it came from."""
    own = volume.origin.file_grid
    if own is not None and grid.shape == own.shape and grid.affine.close_to(own.affine, own.shape):
        grid = volume.grid  # the mask lies on the file, whose geometry the reader stated anew
    empty = np.broadcast_to(np.uint8(0), grid.shape)
    try:
        LabelMap(grid.to_ras(empty), grid).require_grid(volume.shape, volume.affine)
    except GridMismatchError:
        if volume.origin.source_slices is None:
            raise
        affines = slice_affines(grid)
        if any(targets(volume)[0].place(a, grid.shape[:2]) is None for a in affines):
            raise
        return _AskewMask(affines, read(), targets(volume)[0])
    return _GridMask(grid, read())


def _on_frames(images: Images, names: dict[int, str], volume: Volume) -> _FrameMask:
    """The mask of `images`, if all that hold anything are slices of the scan."""
    counts: dict[int, int] = dict.fromkeys(names, 0)
    used: list[tuple[Affine, tuple[int, int]]] = []
    empty: list[tuple[Affine, tuple[int, int]]] = []
    for affine, image in images():
        seen = np.bincount(image.ravel())
        present = [int(value) for value in np.flatnonzero(seen) if value]
        (used if present else empty).append((affine, (image.shape[0], image.shape[1])))
        for value in present:
            counts[value] = counts.get(value, 0) + int(seen[value])
    for target in targets(volume):
        if all(target.place(*frame) is not None for frame in used or empty):
            labels = tuple(FileLabel(n, names.get(n, ""), counts[n]) for n in sorted(counts))
            return _FrameMask(images, labels, target, (used or empty)[0][0])
    raise elsewhere()
