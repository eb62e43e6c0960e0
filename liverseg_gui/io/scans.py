"""Opening of scans of all formats: the volumes behind a path, of which one is read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from liverseg_gui.core.errors import AmbiguousInputError, UnreadableFileError
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.io import archives, dataset_names
from liverseg_gui.io.entries import Role, ShowPreview, SkippedFile, VolumeEntry
from liverseg_gui.io.file_endings import IMAGES, ITK, NIFTI
from liverseg_gui.io.folders import walk
from liverseg_gui.io.formats import itk, nifti

if TYPE_CHECKING:
    from liverseg_gui.io.dicom.index import DicomIndex

_NAMED_MASK = re.compile(r"(^|[._-])(seg|mask|label)s?\.(nii|nrrd|mha|mhd)", re.IGNORECASE)


def list_volumes(path: Path, progress: Progress | None = None) -> list[VolumeEntry]:
    """The volumes at `path`: an image file, a DICOM file, a folder or a zip archive of them.

    A folder is searched with all that lies below it. Volumes come first, then what is set aside
    (localizers, secondary captures, single images).

    Raises:
        UnreadableFileError: there is nothing this program can read.
        Cancelled: `progress` was cancelled.
    """
    progress = progress or Progress()
    if not path.exists():
        raise UnreadableFileError(f"{path} does not exist.", "Check the path.")
    if path.is_dir():
        return _in_folder(path, progress)
    if archives.is_archive(path):
        folder = archives.unpacked(path, progress.part(0.0, 0.7))
        try:
            entries = list_volumes(folder, progress.part(0.7, 1.0))
        except UnreadableFileError as problem:
            raise UnreadableFileError(
                f"{path} holds no scan this program reads.", "Choose the archive of a CT study."
            ) from problem
        return [archives.from_archive(entry, path) for entry in entries]
    if path.name.lower() == "dicomdir":
        return _in_folder(path.parent, progress)
    reader = _image_reader(path)
    if reader is not None:
        return [_with_mask(entry) for entry in reader(path)]
    from liverseg_gui.io.dicom.reader import dicom_file_entries

    return dicom_file_entries(path, progress)


def _image_reader(path: Path) -> Callable[[Path], list[VolumeEntry]] | None:
    name = path.name.lower()
    if name.endswith(NIFTI):
        return nifti.nifti_entries
    return itk.itk_entries if name.endswith(ITK) else None


def _with_mask(entry: VolumeEntry) -> VolumeEntry:
    return replace(entry, mask=dataset_names.mask_beside(entry.path))


def _in_folder(folder: Path, progress: Progress) -> list[VolumeEntry]:
    entries, _ = survey_folder(folder, progress)
    if not entries:
        raise UnreadableFileError(
            f"{folder} holds no DICOM images and no other scan this program reads.",
            "Choose the folder that holds the slices of a series, or a NIfTI, NRRD or MetaImage "
            "file.",
        )
    return entries


def survey_folder(folder: Path, progress: Progress) -> tuple[list[VolumeEntry], list[SkippedFile]]:
    """The volumes below `folder` as `list_volumes` gives them, and what it passes over.

    Raises:
        Cancelled: `progress` was cancelled.
    """
    from liverseg_gui.io.dicom.index import index_folder
    from liverseg_gui.io.dicom.reader import dicom_entries

    patient = dataset_names.ircadb(folder)
    if patient is not None:
        scan, mask = patient
        entries = dicom_entries(index_folder(scan, progress))
        passed = [SkippedFile(mask, "masks of 3D-IRCADb-01")]
        return [
            replace(e, mask=mask) if e.about.role is Role.VOLUME else e for e in entries
        ], passed
    indexes = index_folder(folder, progress.part(0.0, 0.9))
    entries, passed = dicom_entries(indexes), _no_images(indexes)
    for seen in _image_files(folder, progress.part(0.9, 1.0)):
        if isinstance(seen, SkippedFile):
            passed.append(seen)
        else:
            entries.append(seen)
    order = list(Role)
    return sorted(entries, key=lambda entry: order.index(entry.about.role)), passed


def _no_images(indexes: Sequence[DicomIndex]) -> list[SkippedFile]:
    """The folders below which DICOM files are damaged or hold something else than images."""
    from liverseg_gui.io.dicom.stacks import NO_IMAGES

    passed = []
    for place in indexes:
        if place.unreadable and not place.headers:
            why = f"none of its {place.unreadable} DICOM files can be read. Copy the series again."
            passed.append(SkippedFile(place.folder, why, damaged=True))
        kinds = Counter(h.modality for h in place.headers if h.modality in NO_IMAGES)
        passed += [
            SkippedFile(place.folder, f"{count} DICOM {kind}, no scan")
            for kind, count in sorted(kinds.items())
        ]
    return passed


def _image_files(folder: Path, progress: Progress) -> Iterator[VolumeEntry | SkippedFile]:
    """What is in each image file below `folder`: scans, masks, or nothing that can be read."""
    files = [
        place / name
        for place, names in walk(folder)
        for name in names
        if name.lower().endswith(IMAGES) and not _second_half(name, names)
    ]
    for n, path in enumerate(files):
        progress.update(n / len(files), f"Looking at {path.name}")
        if _NAMED_MASK.search(path.name) or dataset_names.is_mask_of_pair(path):
            yield SkippedFile(path, "a mask by its name or place")
        else:
            yield from _image_file(path)


def _image_file(path: Path) -> Iterator[VolumeEntry | SkippedFile]:
    reader = _image_reader(path)
    assert reader is not None  # its ending is one of IMAGES
    try:
        entries = reader(path)
    except UnreadableFileError as problem:
        yield SkippedFile(path, str(problem), damaged=not path.name.startswith("."))
        return
    for entry in entries:
        if any(issue.code == "eight-bit" for issue in entry.issues):
            yield SkippedFile(path, "8-bit numbers: a mask or a picture, no CT")
        else:
            yield _with_mask(entry)


def _second_half(name: str, names: list[str]) -> bool:
    """Whether `name` is the .img of a pair whose .hdr is listed too."""
    plain = name.lower()
    pair = plain.replace(".img", ".hdr")
    return pair != plain and any(other.lower() == pair for other in names)


def open_scan(
    path: Path,
    progress: Progress | None = None,
    number: int | None = None,
    preview: ShowPreview | None = None,
) -> Volume:
    """Read the volume at `path`; where there are several, the one `number` counts (from 1).

    Raises:
        AmbiguousInputError: several volumes and no number.
        UnreadableFileError: nothing readable, or no volume of that number.
        Cancelled: `progress` was cancelled.
    """
    progress = progress or Progress()
    entries = list_volumes(path, progress.part(0.0, 0.3))
    entry = choose_volume(entries, path, number)
    return entry.read(progress.part(0.3, 1.0), preview)


def choose_volume(entries: list[VolumeEntry], path: Path, number: int | None) -> VolumeEntry:
    """The entry that `number` counts (from 1), or the only volume among `entries` of `path`.

    Raises:
        AmbiguousInputError: several volumes and no number.
        UnreadableFileError: no volume of that number, or it cannot be opened.
    """
    offered = [entry for entry in entries if entry.about.role is Role.VOLUME] or entries
    if number is None and len(offered) > 1:
        rows = "; ".join(f"{n}: {entry}" for n, entry in enumerate(entries, 1))
        raise AmbiguousInputError(
            f"{path} holds {len(offered)} volumes.", f"Choose one with --volume N: {rows}."
        )
    if number is None:
        entry = offered[0]
    elif 1 <= number <= len(entries):
        entry = entries[number - 1]
    else:
        raise UnreadableFileError(
            f"{path} has no volume {number}.", f"It holds volumes 1 to {len(entries)}."
        )
    if entry.obstacle is not None:
        raise UnreadableFileError(f"{entry.path}: {entry.obstacle.message}", entry.obstacle.remedy)
    return entry
