"""Opening of scans of all formats: the volumes behind a path, of which one is read."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from liverseg_gui.core.errors import AmbiguousInputError, UnreadableFileError, cannot_read
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.scan_issues import warning
from liverseg_gui.core.volume import Volume
from liverseg_gui.io import archives
from liverseg_gui.io.changes import watched
from liverseg_gui.io.entries import Role, ShowPreview, SkippedFile, VolumeEntry, with_issue
from liverseg_gui.io.file_endings import PACKED
from liverseg_gui.io.survey import Survey, image_reader, survey_folder, with_mask
from liverseg_gui.system.regular_file import require_regular


def list_volumes(path: Path, progress: Progress | None = None) -> list[VolumeEntry]:
    """The volumes at `path`: an image file, a DICOM file, a folder or a zip archive of them.

    A folder is searched with all that lies below it. Volumes come first, then what is set aside
    (localizers, secondary captures, single images).

    Raises:
        UnreadableFileError: there is nothing this program can read.
        Cancelled: `progress` was cancelled.
    """
    progress = progress or Progress()
    try:
        if stat.S_ISDIR(os.stat(path).st_mode):
            return _in_folder(path, progress)
        require_regular(path)
    except OSError as problem:
        raise cannot_read(path, problem) from problem
    dicom = _is_dicom(path)
    if archives.is_archive(path) and not dicom:
        return _in_archive(path, progress)
    if path.name.lower() == "dicomdir":
        return _in_folder(path.parent, progress)
    reader = image_reader(path)
    if reader is not None and not dicom:
        return [with_mask(watched(entry)) for entry in reader(path)]
    if path.name.lower().endswith(PACKED) and not dicom:
        how = "gzipped" if path.name.lower().endswith(".gz") else "packed"
        raise UnreadableFileError(
            f"{path} is {how}, and this program does not unpack it.",
            "Unpack it (gunzip, tar, 7-Zip) and open what it holds.",
        )
    from liverseg_gui.io.dicom.reader import dicom_file_entries

    return dicom_file_entries(path, progress)


def _is_dicom(path: Path) -> bool:
    from liverseg_gui.io.dicom.index import has_dicom_magic

    return has_dicom_magic(path)


def survey_archive(path: Path, progress: Progress) -> Survey:
    """The volumes in the archive `path`, and what is passed over in it.

    Raises:
        UnreadableFileError: it is damaged, encrypted, or larger than the disk has room for.
        Cancelled: `progress` was cancelled.
    """
    folder = archives.unpacked(path, progress.part(0.0, 0.7))
    entries, passed = survey_folder(folder, progress.part(0.7, 1.0))
    inside = [
        SkippedFile(
            path / p.path.relative_to(folder),
            p.why.replace(str(folder), str(path)),
            p.damaged,
            p.unread,
        )
        for p in passed
        if p.path.is_relative_to(folder)
    ]
    return [archives.from_archive(entry, path) for entry in entries], inside


def _in_archive(path: Path, progress: Progress) -> list[VolumeEntry]:
    entries, passed = survey_archive(path, progress)
    if not entries:
        why = _why_nothing(passed) or "Choose the archive of a CT study."
        raise UnreadableFileError(f"{path} holds no scan this program reads.", why)
    return _with_doubts(entries, passed)


def _in_folder(folder: Path, progress: Progress) -> list[VolumeEntry]:
    entries, passed = survey_folder(folder, progress)
    if not entries:
        raise UnreadableFileError(
            f"{folder} holds no DICOM images and no other scan this program reads.",
            _why_nothing(passed)
            or "Choose the folder that holds the slices of a series, or a NIfTI, NRRD or "
            "MetaImage file.",
        )
    return _with_doubts(entries, passed)


def _why_nothing(passed: Sequence[SkippedFile]) -> str:
    """What was found in the place of scans, the likeliest to be one first; nothing where none."""
    told = sorted(passed, key=lambda p: not p.damaged)
    return " ".join(p.text for p in told[:1])


def _with_doubts(entries: list[VolumeEntry], passed: Sequence[SkippedFile]) -> list[VolumeEntry]:
    """`entries`, each with the finding that something beside them could not be read."""
    unread = [p for p in passed if p.unread or p.damaged]
    if not unread:
        return entries
    issue = warning(
        "unread-places",
        f"Not all that lies there could be read: {unread[0].text}"
        + (f" So it is with {len(unread) - 1} more." if len(unread) > 1 else ""),
        "More slices or scans may lie there.",
    )
    return [with_issue(entry, issue) for entry in entries]


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
