"""Zip archives of scans, unpacked into temporary folders that go when the program ends."""

from __future__ import annotations

import atexit
import lzma
import shutil
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.entries import ShowPreview, VolumeEntry
from liverseg_gui.io.file_endings import ARCHIVES
from liverseg_gui.system.temporary_files import make_temporary, remove_temporary

_CHUNK = 1 << 20
_SPARE_BYTES = 200 << 20
_LONGEST_NAME = 100
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError),
    *(NotImplementedError, RuntimeError, ValueError),
)
_unpacked: dict[tuple[str, int, int], Path] = {}


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
    status = path.stat()
    key = (str(path.resolve()), status.st_mtime_ns, status.st_size)
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
        if isinstance(problem, _DAMAGED):
            raise UnreadableFileError(
                f"{path} is no zip archive, is damaged or is encrypted.",
                "Unpack it with another program and open the folder.",
            ) from problem
        raise


def _unpack(path: Path, folder: Path, progress: Progress) -> None:
    with zipfile.ZipFile(path) as archive:
        members = [m for m in archive.infolist() if not m.is_dir()]
        total = sum(m.file_size for m in members)
        free = shutil.disk_usage(folder).free
        if total + _SPARE_BYTES > free:
            raise UnreadableFileError(
                f"{path} holds {total / 1e9:.1f} GB and the disk for temporary files has "
                f"{free / 1e9:.1f} GB left.",
                "Free some space or unpack it elsewhere.",
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
    taken = target.exists() or any(p.is_file() for p in target.parents if p != folder)
    return folder / f"member {n}" / file if taken else target


def _harmless(name: str) -> str:
    """`name` with plain characters alone, not too long, its ending kept."""
    plain = "".join(c if c.isalnum() or c in "._-, " else "_" for c in name)
    return plain if len(plain) <= _LONGEST_NAME else plain[:40] + plain[40 - _LONGEST_NAME :]


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
    for key in [key for key in _unpacked if key[0] == str(path.resolve())]:
        remove_temporary(_unpacked.pop(key))


@atexit.register
def remove_unpacked() -> None:
    """Delete every unpacked archive."""
    while _unpacked:
        remove_temporary(_unpacked.popitem()[1])
