"""Index of the DICOM images below a folder, quick the second time: headers are cached."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from liverseg_gui.core.progress import Progress
from liverseg_gui.io.dicom.cache import HeaderCache
from liverseg_gui.io.dicom.header_reader import is_dicom, read_header
from liverseg_gui.io.dicom.headers import ImageHeader
from liverseg_gui.io.file_endings import ARCHIVES, IMAGES
from liverseg_gui.io.folders import walk

_REPORT_EVERY = 32
_SKIPPED_ENDINGS = (
    ".gz .raw .7z .tar .png .jpg .jpeg .gif .bmp .svg .pdf .txt .csv .json .xml .html .htm .md .py "
    ".js .css .exe .dll .ini .inf .vtk .stl .obj .safetensors .pth .log .doc .docx .xls .xlsx .mp4 "
    ".avi"
)
_SKIPPED = frozenset((*IMAGES, *ARCHIVES, *_SKIPPED_ENDINGS.split(" ")))


@dataclass(frozen=True)
class DicomIndex:
    """What lies in one folder: its images, and how many other files that claim to be DICOM."""

    folder: Path
    headers: tuple[ImageHeader, ...]
    unreadable: int


def index_folder(
    folder: Path, progress: Progress, cache: HeaderCache | None = None, recursive: bool = True
) -> list[DicomIndex]:
    """The DICOM images in `folder` and, unless told otherwise, below it, folder by folder.

    Links to folders are not followed. Folders that may not be read are passed over.

    Raises:
        Cancelled: `progress` was cancelled.
    """
    cache = cache if cache is not None else HeaderCache()
    walked = list(_folders(folder, progress)) if recursive else [folder]
    indexes = []
    with cache:
        for n, place in enumerate(walked):
            part = progress.part(n / len(walked), (n + 1) / len(walked))
            indexes.append(_index_one(place, part, cache))
    return [f for f in indexes if f.headers or f.unreadable]


def _folders(folder: Path, progress: Progress) -> Iterator[Path]:
    for n, (place, _) in enumerate(walk(folder)):
        if n % _REPORT_EVERY == 0:
            progress.update(0.0, "Looking for folders")
        yield place


def _index_one(folder: Path, progress: Progress, cache: HeaderCache) -> DicomIndex:
    known = cache.load(folder)
    entries: dict[str, tuple[int, int, ImageHeader | None]] = {}
    files = _files(folder)
    for n, (name, changed, size) in enumerate(files):
        if n % _REPORT_EVERY == 0:
            progress.update(n / len(files), f"Looking through {folder.name or folder}")
        old = known.get(name)
        if old is not None and old[:2] == (changed, size):
            entries[name] = old
        else:
            entries[name] = (changed, size, read_header(folder / name))
    if entries != known:
        cache.store(folder, entries)
    headers = tuple(e[2] for _, e in sorted(entries.items()) if e[2] is not None)
    claimed = [n for n, e in entries.items() if e[2] is None and n.lower().endswith(".dcm")]
    unreadable = [n for n in claimed if not n.startswith("._") and not is_dicom(folder / n)]
    return DicomIndex(folder, headers, len(unreadable))


def _files(folder: Path) -> list[tuple[str, int, int]]:
    """Name, time of change (ns) and size of each file that may be DICOM."""
    files = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if os.path.splitext(entry.name)[1].lower() in _SKIPPED or not entry.is_file():
                    continue
                status = entry.stat()
                files.append((entry.name, status.st_mtime_ns, status.st_size))
    except OSError:
        return []
    return sorted(files)
