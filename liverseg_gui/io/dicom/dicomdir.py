"""What a DICOMDIR lists, compared with what is there: discs are copied in part."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom

from liverseg_gui.core.scan_issues import warning
from liverseg_gui.io.dicom.header_reader import BoundedFile
from liverseg_gui.io.dicom.reader import StackReader
from liverseg_gui.io.entries import SkippedFile, VolumeEntry, with_issue
from liverseg_gui.io.folders import walk

NAME = "dicomdir"
"""In lower case."""

_LARGEST_BYTES = 1 << 28


@dataclass(frozen=True)
class ListedFiles:
    """How many images a DICOMDIR lists, and of each series (by UID) how many are not there."""

    listed: int
    gone: Counter[str]


def with_listed_files(
    entries: list[VolumeEntry], path: Path
) -> tuple[list[VolumeEntry], list[SkippedFile]]:
    """`entries`, with a finding where the DICOMDIR `path` lists more; and series that are gone.

    Entries that lie elsewhere than below its folder stay as they are.
    """
    listed = listed_files(path)
    gone = Counter(listed.gone)
    told = []
    for entry in entries:
        series = (
            entry.reader.stack.first.series_uid if isinstance(entry.reader, StackReader) else ""
        )
        if entry.path.is_relative_to(path.parent) and (count := listed.gone.get(series)):
            gone.pop(series, None)
            entry = with_issue(
                entry,
                warning(
                    "listed-files-gone",
                    f"{path.name} lists {count} more images of this series, and they are not "
                    "there: slices are missing.",
                    "Copy the disc again, whole.",
                ),
            )
        told.append(entry)
    if not gone:
        return told, []
    why = (
        f"lists {gone.total()} images of {len(gone)} series that are not there at all. Copy the "
        "disc again, whole."
    )
    return told, [SkippedFile(path, why, damaged=True, unread=True)]


def listed_files(path: Path) -> ListedFiles:
    """What the DICOMDIR `path` lists; nothing where it cannot be read."""
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            return ListedFiles(0, Counter())
        with BoundedFile(path) as stream:
            records = list(pydicom.dcmread(stream, force=True).DirectoryRecordSequence)
        images = _images(records)
    except MemoryError:
        raise
    except Exception:  # pydicom may fail in any way on a damaged file; the images count
        return ListedFiles(0, Counter())
    there = {
        _plain(os.path.relpath(place / name, path.parent))
        for place, names in walk(path.parent)
        for name in names
    }
    return ListedFiles(
        len(images), Counter(series for series, file in images if _plain(file) not in there)
    )


def _images(records: list[Any]) -> list[tuple[str, str]]:
    """The series (UID) and the file of each image; the images of a series follow its record."""
    images, series = [], ""
    for record in records:
        kind = str(record.get("DirectoryRecordType", ""))
        if kind == "SERIES":
            series = str(record.get("SeriesInstanceUID", ""))
        elif kind == "IMAGE" and "ReferencedFileID" in record:
            parts = record.ReferencedFileID
            images.append((series, parts if isinstance(parts, str) else "/".join(parts)))
    return images


def _plain(file: str) -> str:
    """The name of a file as discs may spell it: any case, with a version or a last dot."""
    return file.replace("\\", "/").casefold().partition(";")[0].rstrip(".")
