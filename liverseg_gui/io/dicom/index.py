"""Index of the DICOM images below a folder, quick the second time: headers are cached."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from liverseg_gui.core.progress import Progress
from liverseg_gui.io.dicom.cache import HeaderCache, Known
from liverseg_gui.io.dicom.header_reader import is_dicom, read_header
from liverseg_gui.io.dicom.headers import ImageHeader
from liverseg_gui.io.file_endings import ARCHIVES, DICOM, IMAGES, NO_SCANS, PACKED, PACKED_DICOM
from liverseg_gui.io.folders import list_folder, walk
from liverseg_gui.system.regular_file import file_stamp, open_regular

_REPORT_EVERY = 32
_SKIPPED = (*ARCHIVES, *NO_SCANS, *PACKED)
_OTHER_FORMATS = (*(ending for ending in IMAGES if not ending.endswith(".gz")), ".raw")
"""Endings that DICOM files have where another program named them."""

_PREAMBLE = 132


@dataclass(frozen=True)
class DicomIndex:
    """What lies in one folder: its images, and by name what else may be slices.

    `damaged` says of each file that claims to be DICOM what is the matter with it, `unread` of
    other names why it is not known what they are.
    """

    folder: Path
    headers: tuple[ImageHeader, ...]
    damaged: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)

    @property
    def unreadable(self) -> int:
        """How many files that may be slices cannot be read."""
        return len(self.damaged) + len(self.unread)


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
    entries: Known = {}
    listing = list_folder(folder)
    damaged = _gzipped(listing.files)
    unread = dict(listing.unread)
    names = list(_looked_into(folder, listing.files))
    for n, name in enumerate(names):
        if n % _REPORT_EVERY == 0:
            progress.update(n / len(names), f"Looking through {folder.name or folder}")
        path = folder / name
        try:
            stamp = file_stamp(path)
            if name in known and known[name][0] == stamp:
                entries[name] = known[name]
                continue
            if name.lower().endswith(_OTHER_FORMATS) and not has_dicom_magic(path):
                continue
            header = read_header(path)
            if header is None:
                _require_no_dicom(path)
            entries[name] = (stamp, header)
        except OSError as error:
            no_file = error.errno == errno.EINVAL
            if not name.startswith(".") and (not no_file or name.lower().endswith(DICOM)):
                problems = damaged if no_file or error.errno is None else unread
                problems[name] = error.strerror or str(error)
    if entries != known:
        cache.store(folder, entries)
    headers = tuple(header for _, (_, header) in sorted(entries.items()) if header is not None)
    return DicomIndex(folder, headers, damaged, unread)


def _looked_into(folder: Path, names: list[str]) -> Iterator[str]:
    """The files that may be images; of endings that no scans have, where the first is DICOM."""
    dicom: dict[str, bool] = {}
    for name in names:
        if not name.lower().endswith(_SKIPPED):
            yield name
        elif not name.startswith("."):
            ending = Path(name).suffix.lower()
            if ending not in dicom:
                dicom[ending] = has_dicom_magic(folder / name)
            if dicom[ending]:
                yield name


def _gzipped(names: list[str]) -> dict[str, str]:
    """The DICOM files that are packed one by one, and not there unpacked too."""
    packed = [name for name in names if name.lower().endswith(PACKED_DICOM)]
    there = set(names) if packed else set()
    return {
        name: "gzipped: unpack it first (gunzip)"
        if name.lower().endswith(".gz")
        else "packed: unpack it first"
        for name in packed
        if name.rpartition(".")[0] not in there and not name.startswith(".")
    }


def has_dicom_magic(path: Path) -> bool:
    """Whether `path` begins as DICOM files do; False too where it cannot be read."""
    try:
        with open_regular(path) as file:
            return file.read(_PREAMBLE)[-4:] == b"DICM"
    except OSError:
        return False


def _require_no_dicom(path: Path) -> None:
    """Check that a file in which there is no image is no damaged one.

    Raises:
        OSError: it cannot be read, or claims to be DICOM and is damaged.
    """
    with open_regular(path) as file:
        claims = file.read(_PREAMBLE)[-4:] == b"DICM"
    if (claims or path.name.lower().endswith(DICOM)) and not is_dicom(path):
        raise OSError("cut short or damaged")
