"""Reader of masks of all formats, onto the grid of their scan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.errors import GridMismatchError, UnreadableFileError
from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.labels import LIVER, TUMOR, LabelMap
from liverseg_gui.core.scan_issues import ScanIssue, info, warning
from liverseg_gui.core.slices import slice_affines
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.changes import require_readable
from liverseg_gui.io.dataset_names import ircadb
from liverseg_gui.io.file_endings import ITK, NIFTI
from liverseg_gui.io.formats import itk, nifti
from liverseg_gui.io.masks.dicom_seg import is_seg, read_seg
from liverseg_gui.io.masks.frames import Target, elsewhere, targets
from liverseg_gui.io.masks.grid_checks import Layers, layers_of
from liverseg_gui.io.masks.grid_part import Part, part_of, same_voxels, unplaced, unsized
from liverseg_gui.io.masks.identity import (
    all_identity_issues,
    identity_issues,
    series_drawn_on,
    stated_identity,
)
from liverseg_gui.io.masks.ircadb import (
    ircadb_images,
    slice_files,
    structure_folders,
    structure_identities,
)
from liverseg_gui.io.masks.label_names import (
    Names,
    Segment,
    name_by_file,
    names_beside,
    nifti_names,
    noted_names,
    slicer_segments,
)
from liverseg_gui.io.masks.label_values import (
    FileLabel,
    LabelMapping,
    UnknownLabelsError,
    mapping_issues,
    mapping_text,
    meaning,
    own_mapping,
    parse_labels,
    says_another_organ,
    signature,
)

__all__ = [
    "FileLabel",
    "LabelMapping",
    "UnknownLabelsError",
    "parse_labels",
    "read_as_before",
    "read_mask",
    "signature",
]

Images = Callable[[], Iterator[tuple[Affine, NDArray[np.int_]]]]


class _Mask(Protocol):
    """A mask that lies on the scan, before its labels are known to be liver or tumor."""

    @property
    def labels(self) -> tuple[FileLabel, ...]: ...

    @property
    def issues(self) -> tuple[ScanIssue, ...]: ...

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
        IdentityMismatchError: its header says that it is another patient's.
    """
    mask = _placed_mask(path, volume)
    issues = mask.issues
    if mapping is None:
        mapping = own_mapping(mask.labels)
        if mapping is None:
            raise UnknownLabelsError(path, mask.labels)
        issues = (*issues, *mapping_issues(mask.labels, mapping))
    used = [label for label in mask.labels if label.voxels]
    if used and not any(mapping.get(label.value) for label in used):
        there = ", ".join(map(str, used[:12]))
        raise UnreadableFileError(
            f"{path} holds none of the labels that mean liver or tumor.",
            f"It holds {there}. Say what those mean with --labels, or choose another mask.",
        )
    return LabelMap(mask.paint(mapping), volume.grid, issues)


def read_as_before(unknown: UnknownLabelsError, volume: Volume, mapping: LabelMapping) -> LabelMap:
    """The mask whose labels are `unknown`, read as was said of one with the same labels before.

    Where its labels have no names, two programs may mean different things by the same values: the
    mask says so, and is not taken where it fits better the other way round.

    Raises:
        UnknownLabelsError: it does not fit; it is to be asked about again.
        LiverSegError: as `read_mask`.
    """
    mask = read_mask(unknown.path, volume, mapping)
    if any(label.name for label in unknown.labels):
        said = f"As was said before, {mapping_text(mapping)}"
        other = [
            label.name
            for label in unknown.labels
            if mapping.get(label.value) and says_another_organ(label.name)
        ]
        issue = info("labels-remembered", f"{said}.")
        if other:
            issue = warning(
                "labels-remembered",
                f"{said}, though the mask's file calls it {' and '.join(other)}.",
                "Say it anew (--labels, or File > Forget what mask labels mean) if it is not so.",
            )
        return replace(mask, issues=(*mask.issues, issue))
    counts = np.bincount(mask.labels.ravel(order="K"), minlength=3)
    if counts[LIVER] and counts[TUMOR] > counts[LIVER]:
        raise UnknownLabelsError(
            unknown.path,
            unknown.labels,
            f"as was said before ({mapping_text(mapping)}) there would be more tumor than liver.",
        )
    issue = warning(
        "labels-remembered",
        "The mask's file does not name its labels. As was said of a mask with the same values "
        f"before, {mapping_text(mapping)}.",
        "Say it anew (--labels, or File > Forget what mask labels mean) if another program made "
        "this mask.",
    )
    return replace(mask, issues=(*mask.issues, issue))


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
        return _named(path, volume, (stored,), _segments(nifti_names(file.header)))

    placed = max(int(file.header["qform_code"]), int(file.header["sform_code"])) > 0
    return _on_grid(file.grid, volume, read, placed)


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
        segments = _segments(noted_names(image.notes))
    if image.color and not segments:
        raise _color(path)
    return _on_grid(
        image.grid,
        volume,
        lambda: _named(path, volume, image.layers(), segments),
        image.oriented,
    )


def _segments(names: Names) -> list[Segment]:
    return [Segment(0, value, name) for value, name in names.items()]


def _named(
    path: Path, volume: Volume, stored: tuple[NDArray[Any], ...], own: list[Segment]
) -> Layers:
    """The layers of a file that names `own` segments; where it names none, what else tells.

    A file beside it may name its values. The name of the file itself is believed where it is that
    of another organ, or where it holds one value.
    """
    layers = layers_of(path, stored, own or _segments(names_beside(path)))
    used = [label for label in layers.labels if label.voxels]
    if len(stored) > 1 or not used or any(label.name for label in used):
        return layers
    name = name_by_file(path, volume.origin.path)
    label, clear = meaning(name)
    if not name or (clear and (len(used) > 1 or used[0].value in (label, TUMOR))):
        return layers
    named = tuple(replace(one, name=name, by_file_name=True) for one in layers.labels)
    return replace(layers, labels=named)


def _of_seg(path: Path, volume: Volume) -> _Mask:
    seg = read_seg(path)
    own = stated_identity(seg.dataset)
    issues = identity_issues(path, volume.origin.identity, own, series_drawn_on(seg.dataset))

    def images() -> Iterator[tuple[Affine, NDArray[np.int_]]]:
        return ((frame.affine, image) for frame, image in seg.images())

    return _on_frames(images, seg.names, volume, issues)


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
    owners = structure_identities(labels)
    mask = _on_frames(
        partial(ircadb_images, labels),
        {LIVER: "liver", TUMOR: "liver tumor"},
        volume,
        all_identity_issues(path, volume.origin.identity, owners),
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
    issues: tuple[ScanIssue, ...] = ()
    part: Part | None = None

    @property
    def labels(self) -> tuple[FileLabel, ...]:
        return self.layers.labels

    def paint(self, mapping: LabelMapping) -> NDArray[np.uint8]:
        out = np.empty(self.grid.shape, np.uint8, order="F")
        tables = self.layers.tables(mapping)
        for k in range(self.grid.shape[2]):
            out[:, :, k] = self.layers.cut(tables, k)
        labels = self.grid.to_ras(out)
        return np.asfortranarray(labels if self.part is None else self.part.laid_on(labels))


@dataclass(frozen=True)
class _AskewMask:
    """A mask on the sheared grid of a scan that was resampled upright."""

    affines: tuple[Affine, ...]
    layers: Layers
    target: Target
    issues: tuple[ScanIssue, ...] = ()

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
    issues: tuple[ScanIssue, ...] = ()

    def paint(self, mapping: LabelMapping) -> NDArray[np.uint8]:
        table = np.zeros(max((label.value for label in self.labels), default=0) + 1, np.uint8)
        for label in self.labels:
            table[label.value] = mapping.get(label.value, 0)
        for affine, image in self.images():
            place = self.target.place(affine, (image.shape[0], image.shape[1]))
            if place is not None:
                np.maximum(place, table[image], out=place)
        return self.target.labels()


def _on_grid(grid: StoredGrid, volume: Volume, read: Callable[[], Layers], placed: bool) -> _Mask:
    """The mask that `read` gives, if `grid` is the scan's, a part of it, or the source slices'.

    `placed` is whether the file says how the mask lies in the patient.
    """
    own = volume.origin.file_grid
    if own is not None and grid.shape == own.shape and grid.affine.close_to(own.affine, own.shape):
        grid = volume.grid  # the mask lies on the file, whose geometry the reader stated anew
    empty = LabelMap(grid.to_ras(np.broadcast_to(np.uint8(0), grid.shape)), grid)
    try:
        if empty.labels.shape == volume.shape and same_voxels(
            grid.ras_affine, volume.affine, volume.shape
        ):
            return _GridMask(grid, read())
        empty.require_grid(volume.shape, volume.affine)
    except GridMismatchError as problem:
        if volume.origin.source_slices is not None:
            affines = slice_affines(grid)
            if all(targets(volume)[0].place(a, grid.shape[:2]) is not None for a in affines):
                return _AskewMask(affines, read(), targets(volume)[0])
        if not placed:
            raise unplaced(problem) from problem
        if part := part_of(volume, grid):
            return _GridMask(grid, read(), (part.issue,), part)
        if not volume.mm_reliable and volume.origin.source_slices is None:
            raise unsized(problem) from problem
        raise
    return _GridMask(grid, read())


def _on_frames(
    images: Images, names: dict[int, str], volume: Volume, issues: tuple[ScanIssue, ...]
) -> _FrameMask:
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
            return _FrameMask(images, labels, target, (used or empty)[0][0], issues)
    first = targets(volume)[0]
    stray = next((f for f in used or empty if first.place(*f) is None), (used or empty)[0])
    raise elsewhere(volume, *stray)
