"""Zip archives of scans, unpacked into temporary folders that go when the program ends."""

from __future__ import annotations

import atexit
import errno
import os
import re
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

from liverseg_gui.core.errors import Cancelled, LiverSegError, UnreadableFileError, cannot_read
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.entries import ShowPreview, VolumeEntry
from liverseg_gui.io.file_endings import ARCHIVES
from liverseg_gui.system.regular_file import Stamp, file_stamp, open_regular
from liverseg_gui.system.temporary_files import make_temporary, remove_temporary

_CHUNK = 1 << 20
_SPARE_BYTES = 200 << 20
_LONGEST_NAME_BYTES = 200
_LONGEST_PATH_BYTES = 1000
"""Of a member below the folder: a system's longest path, often 4096, with room for the folder."""
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f\x7f]')
"""What no name may hold on Windows, and what no terminal should be given."""

_unpacked: dict[tuple[str, Stamp], Path] = {}


def is_archive(path: Path) -> bool:
    """Whether `path` has the name of an archive."""
    return path.name.lower().endswith(ARCHIVES)


def unpacked(path: Path, progress: Progress) -> Path:
    """The folder that the archive `path` was unpacked into, now or earlier in this run.

    Names in the archive are kept only as far as they are harmless: nothing is written outside the
    folder. More than the archive says it holds is never written.

    Raises:
        UnreadableFileError: damaged, encrypted, or larger than the disk has room for.
        Cancelled: `progress` was cancelled; nothing is left.
    """
    try:
        key = (os.path.realpath(path), file_stamp(path))
    except OSError as problem:
        raise cannot_read(path, problem) from problem
    if key in _unpacked and _unpacked[key].is_dir():
        return _unpacked[key]
    folder = make_temporary()
    try:
        unpack(path, folder, progress)
    except BaseException:
        remove_temporary(folder)
        raise
    _unpacked[key] = folder
    return folder


def unpack(path: Path, folder: Path, progress: Progress) -> None:
    """Unpack the archive `path` into `folder`, as `unpacked` does.

    Raises:
        UnreadableFileError: damaged, encrypted, or larger than the disk has room for.
        Cancelled: `progress` was cancelled. In either case `folder` is gone.
    """
    folder.mkdir(exist_ok=True)
    try:
        _unpack(path, folder, progress)
    except BaseException as problem:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(problem, LiverSegError | Cancelled | MemoryError | KeyboardInterrupt):
            raise
        raise _not_unpacked(path, problem) from problem


def _not_unpacked(path: Path, problem: BaseException) -> UnreadableFileError:
    """Why the archive `path` could not be unpacked: zipfile may fail in any way on an odd one."""
    if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return _no_room(path, str(problem.strerror))
    if isinstance(problem, OSError) and problem.errno is not None and problem.filename:
        return cannot_read(path, problem)
    return UnreadableFileError(
        f"{path} is no zip archive, is damaged or is encrypted.",
        "Unpack it with another program and open the folder.",
    )


def _no_room(path: Path, why: str) -> UnreadableFileError:
    return UnreadableFileError(
        f"{path} could not be unpacked: {why}.", "Free some space or unpack it elsewhere."
    )


def _unpack(path: Path, folder: Path, progress: Progress) -> None:
    with open_regular(path) as file, zipfile.ZipFile(file) as archive:
        members = [m for m in archive.infolist() if m.filename and not m.is_dir()]
        total = sum(m.file_size for m in members)
        free = shutil.disk_usage(folder).free
        if total + _SPARE_BYTES > free:
            raise _no_room(
                path,
                f"it holds {total / 1e9:.1f} GB and the disk for temporary files has "
                f"{free / 1e9:.1f} GB left",
            )
        done = 0
        for n, member in enumerate(members):
            progress.update(done / max(total, 1), f"Unpacking {path.name}")
            done += _extract(archive, member, _place(folder, member.filename, n))


def _place(folder: Path, name: str, n: int) -> Path:
    """Where member `n` goes: below `folder`, whatever its name says, and over no other."""
    parts = [p for p in name.replace("\\", "/").split("/") if p not in ("", ".", "..")]
    *folders, file = [_harmless(p) for p in parts] or [f"file {n}"]
    target = folder.joinpath(*folders, file)
    if len(os.fsencode(Path(*folders, file))) > _LONGEST_PATH_BYTES:
        return folder / f"member {n}" / file
    taken = target.exists() or any(p.is_file() for p in target.parents if p != folder)
    return folder / f"member {n}" / file if taken else target


def _harmless(name: str) -> str:
    """`name` as it is, where it is a name on every system; else without what makes it none.

    A header names its data file, so that names stay wherever they can.
    """
    plain = _FORBIDDEN.sub("_", name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    plain = plain.rstrip(". ") or "_"
    if _RESERVED.match(plain):
        plain = f"_{plain}"
    if len(plain.encode()) <= _LONGEST_NAME_BYTES:
        return plain
    half = _LONGEST_NAME_BYTES // 2
    start, end = plain.encode()[:half], plain.encode()[-half:]
    return start.decode(errors="ignore") + end.decode(errors="ignore")


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with archive.open(member) as source, target.open("xb") as out:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > member.file_size:
                raise zipfile.BadZipFile("a member is larger than the archive says")
            out.write(chunk)
    return written


def from_archive(entry: VolumeEntry, archive: Path) -> VolumeEntry:
    """`entry`, found in the unpacked `archive`, as an entry of the archive itself."""

    def read(progress: Progress, preview: ShowPreview | None = None) -> Volume:
        volume = entry.read(progress, preview)
        return replace(volume, origin=replace(volume.origin, path=archive))

    return replace(entry, path=archive, reader=read, files=())


def remove(path: Path) -> None:
    """Delete what the archive `path` was unpacked into, if it was."""
    for key in [key for key in _unpacked if key[0] == os.path.realpath(path)]:
        remove_temporary(_unpacked.pop(key))


@atexit.register
def remove_unpacked() -> None:
    """Delete every unpacked archive."""
    while _unpacked:
        remove_temporary(_unpacked.popitem()[1])
