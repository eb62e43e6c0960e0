"""Files that change between the listing of a scan and its reading, or while it is read."""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from liverseg_gui.core.errors import ChangedFileError, UnreadableFileError, cannot_read
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.entries import ShowPreview, VolumeEntry
from liverseg_gui.system.regular_file import open_regular

_HEAD_BYTES = 1 << 16


def head_checksum(path: Path, size: int = _HEAD_BYTES) -> int:
    """A checksum of the first bytes of the file `path`, where its header is.

    Raises:
        UnreadableFileError: it cannot be read.
    """
    try:
        with open_regular(path) as file:
            return zlib.crc32(file.read(size))
    except OSError as problem:
        raise cannot_read(path, problem) from problem


def require_readable(path: Path) -> None:
    """Check that `path` is a folder, or a file that can be read, and say why where it is not.

    Raises:
        UnreadableFileError: it is neither.
    """
    try:
        if not stat.S_ISDIR(os.stat(path).st_mode):
            with open_regular(path) as file:
                file.read(1)
    except OSError as problem:
        raise cannot_read(path, problem) from problem


def changed(path: Path) -> ChangedFileError:
    """The error for a file that is no longer what was listed."""
    return ChangedFileError(f"{path} has changed since it was listed.", "Open it again.")


@contextmanager
def unchanged(files: Sequence[Path]) -> Iterator[None]:
    """Read `files` inside: what was read is of no use where one of them changes meanwhile.

    Raises:
        ChangedFileError: one has changed; whatever went wrong inside is likely due to that.
    """
    before = [_state(path) for path in files]
    problem: UnreadableFileError | None = None
    try:
        yield
    except UnreadableFileError as error:
        problem = error
    for path, state in zip(files, before, strict=True):
        if _state(path) != state:
            raise ChangedFileError(
                f"{path} was changed while it was read.", "Wait until it is written, then open it."
            ) from problem
    if problem is not None:
        raise problem


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def watched(entry: VolumeEntry) -> VolumeEntry:
    """`entry`, read only while its files begin as they did when they were listed, which is now.

    Raises:
        UnreadableFileError: a file of it cannot be read.
    """
    files = entry.files or (entry.path,)
    heads = [head_checksum(path) for path in files]

    def read(progress: Progress, preview: ShowPreview | None = None) -> Volume:
        for path, head in zip(files, heads, strict=True):
            if head_checksum(path) != head:
                raise changed(path)
        with unchanged(files):
            return entry.read(progress, preview)

    return replace(entry, read=read)
