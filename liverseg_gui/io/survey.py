"""Survey of a folder: the volumes in it and below it, and what is passed over."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from isal import igzip

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.core.progress import Progress
from liverseg_gui.io import dataset_names
from liverseg_gui.io.changes import watched
from liverseg_gui.io.entries import Role, SkippedFile, VolumeEntry
from liverseg_gui.io.file_endings import ARCHIVES, IMAGES, ITK, NIFTI, PACKED, PACKED_DICOM
from liverseg_gui.io.folders import unread_files, walk
from liverseg_gui.io.formats import itk, nifti
from liverseg_gui.system.regular_file import open_regular

if TYPE_CHECKING:
    from liverseg_gui.io.dicom.index import DicomIndex

Survey = tuple[list[VolumeEntry], list[SkippedFile]]
"""Volumes, and what was passed over."""

_NAMED_MASK = re.compile(r"(^|[._-])(seg|mask|label)s?\.(nii|nrrd|mha|mhd)", re.IGNORECASE)


def survey_folder(folder: Path, progress: Progress) -> Survey:
    """The volumes below `folder` as `list_volumes` gives them, and what it passes over.

    Raises:
        Cancelled: `progress` was cancelled.
    """
    from liverseg_gui.io.dicom.dicomdir import NAME, with_listed_files
    from liverseg_gui.io.dicom.index import index_folder
    from liverseg_gui.io.dicom.reader import dicom_entries

    patient = dataset_names.ircadb(folder)
    place = folder if patient is None else patient[0]
    indexes, masks = _without_masks(place, index_folder(place, progress.part(0.0, 0.9)))
    masks |= set() if patient is None else {patient[1]}
    passed = [SkippedFile(mask, "masks of 3D-IRCADb-01") for mask in sorted(masks)]
    passed += _no_images(indexes)
    walked, others = _walked(place, {index.folder for index in indexes if index.unread})
    passed += others
    entries = [with_mask(entry) for entry in dicom_entries(indexes)]
    images = {header.path for index in indexes for header in index.headers}
    for inner, names in walked:
        if listed := next((name for name in names if name.lower() == NAME), None):
            entries, gone = with_listed_files(entries, inner / listed)
            passed += gone
        passed += _packed(inner, [name for name in names if str(inner / name) not in images])
    for seen in _image_files(walked, progress.part(0.9, 1.0)):
        if isinstance(seen, SkippedFile):
            passed.append(seen)
        else:
            entries.append(seen)
    order = list(Role)
    return sorted(entries, key=lambda entry: order.index(entry.about.role)), passed


def _walked(
    folder: Path, told: set[Path]
) -> tuple[list[tuple[Path, list[str]]], list[SkippedFile]]:
    """The walk below `folder`, and what it passes over but for what is unread in folders `told`."""
    passed: list[SkippedFile] = []
    walked = list(walk(folder, passed))
    return walked, [p for p in passed if not (p.unread and {p.path, p.path.parent} & told)]


def _without_masks(root: Path, indexes: Sequence[DicomIndex]) -> tuple[list[DicomIndex], set[Path]]:
    """`indexes` without those of 3D-IRCADb-01's masks, and the folders of these."""
    scans: list[DicomIndex] = []
    masks = set()
    for index in indexes:
        if mask := dataset_names.masks_of_ircadb(index.folder, root):
            masks.add(mask)
        else:
            scans.append(index)
    return scans, masks


def _no_images(indexes: Sequence[DicomIndex]) -> list[SkippedFile]:
    """The folders below which DICOM files are damaged or hold something else than images."""
    from liverseg_gui.io.dicom.stacks import NO_IMAGES

    passed = []
    for place in indexes:
        if place.damaged and not place.headers:
            name, why = next(iter(sorted(place.damaged.items())))
            text = f"none of its {len(place.damaged)} DICOM files can be read. {name}: {why}."
            packed = all(name.lower().endswith(PACKED) for name in place.damaged)
            passed.append(SkippedFile(place.folder, text, damaged=True, unread=packed))
        passed += unread_files(place.folder, place.unread)
        kinds = Counter(h.modality for h in place.headers if h.modality in NO_IMAGES)
        passed += [
            SkippedFile(place.folder, f"{count} DICOM {kind}, no scan")
            for kind, count in sorted(kinds.items())
        ]
    return passed


def _packed(place: Path, names: Sequence[str]) -> list[SkippedFile]:
    """What in `place` is packed and was not looked into."""
    zips = [name for name in names if name.lower().endswith(ARCHIVES)]
    packed = [name for name in names if name.lower().endswith(PACKED)]
    others = [name for name in packed if not name.lower().endswith(IMAGES)]
    passed = [SkippedFile(place / name, "an archive: open it by itself.") for name in zips]
    others = [name for name in others if not name.lower().endswith(PACKED_DICOM)]  # the index tells
    slices = [name for name in others if name.lower().endswith(".gz")]
    if slices and _is_gzipped_dicom(place / slices[0]):
        why = f"{len(slices)} files of it are gzipped DICOM: unpack them first (gunzip *.gz)."
        passed.append(SkippedFile(place, why, damaged=True, unread=True))
        others = [name for name in others if name not in slices]
    why = "packed in a way that this program does not unpack: unpack it first."
    return passed + [SkippedFile(place / name, why) for name in others]


def _is_gzipped_dicom(path: Path) -> bool:
    try:
        with open_regular(path) as file, igzip.open(file, "rb") as stream:
            return bool(stream.read(132)[-4:] == b"DICM")
    except (OSError, EOFError, ValueError):
        return False


def _image_files(
    walked: Sequence[tuple[Path, list[str]]], progress: Progress
) -> Iterator[VolumeEntry | SkippedFile]:
    """What is in each image file: scans, masks, or nothing that can be read."""
    from liverseg_gui.io.dicom.index import has_dicom_magic

    files = [
        place / name
        for place, names in walked
        for name in names
        if name.lower().endswith(IMAGES) and not _second_half(name, names)
    ]
    for n, path in enumerate(files):
        progress.update(n / len(files), f"Looking at {path.name}")
        if has_dicom_magic(path):
            continue
        if _NAMED_MASK.search(path.name) or dataset_names.is_mask_of_pair(path):
            yield SkippedFile(path, "a mask by its name or place")
        else:
            yield from _image_file(path)


def _image_file(path: Path) -> Iterator[VolumeEntry | SkippedFile]:
    reader = image_reader(path)
    assert reader is not None  # its ending is one of IMAGES
    try:
        entries = [watched(entry) for entry in reader(path)]
    except UnreadableFileError as problem:
        yield SkippedFile(path, str(problem), damaged=not path.name.startswith("."))
        return
    for entry in entries:
        if any(issue.code == "eight-bit" for issue in entry.issues):
            yield SkippedFile(path, "8-bit numbers: a mask or a picture, no CT")
        else:
            yield with_mask(entry)


def _second_half(name: str, names: list[str]) -> bool:
    """Whether `name` is the .img of a pair whose .hdr is listed too."""
    plain = name.lower()
    pair = plain.replace(".img", ".hdr")
    return pair != plain and any(other.lower() == pair for other in names)


def image_reader(path: Path) -> Callable[[Path], list[VolumeEntry]] | None:
    """What lists the volumes of an image file, or None where it is no such file by its name."""
    name = path.name.lower()
    if name.endswith(NIFTI):
        return nifti.nifti_entries
    return itk.itk_entries if name.endswith(ITK) else None


def with_mask(entry: VolumeEntry) -> VolumeEntry:
    """`entry` with the mask that its data set keeps for it, where there is one."""
    if entry.about.role is not Role.VOLUME:
        return entry
    patient = dataset_names.ircadb(entry.path)
    mask = dataset_names.mask_beside(entry.path) if patient is None else patient[1]
    return replace(entry, mask=mask)
