"""Folders for what is unpacked meanwhile: of a process that was killed, the next one removes them.

Beside each folder lies a file that its process keeps locked. The system lets go of the lock however
the process ends, also where several computers share the place for temporary files.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock

_PREFIX, _FILES, _LOCK = "liverseg-", "files", "in-use.lock"
_NAME = re.compile(rf"{_PREFIX}[a-z0-9_]{{8}}")
_PATIENCE_S = 5.0
"""Another process that starts holds the lock for a moment, to see whether it can."""

_locks: dict[Path, BaseFileLock] = {}


def make_temporary() -> Path:
    """A new folder that its user alone can read, until `remove_temporary`.

    Raises:
        OSError: none can be made.
    """
    place = Path(tempfile.mkdtemp(prefix=_PREFIX))
    lock = _lock(place)
    with suppress(OSError):  # where nothing can be locked, nobody sweeps either
        lock.acquire(timeout=_PATIENCE_S)
    folder = place / _FILES
    folder.mkdir()
    _locks[folder] = lock
    return folder


def remove_temporary(folder: Path) -> None:
    """Remove a folder that `make_temporary` made here, if it is still there."""
    if lock := _locks.pop(folder, None):
        _remove(folder.parent, lock)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder of `make_temporary` that is gone afterwards."""
    folder = make_temporary()
    try:
        yield folder
    finally:
        remove_temporary(folder)


def sweep_temporary() -> None:
    """Remove the folders of processes that run no longer; what cannot be removed stays."""
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for place in [Path(entry.path) for entry in entries if _NAME.fullmatch(entry.name)]:
            if _is_own(place):
                _remove_if_left(place)


def _lock(place: Path) -> BaseFileLock:
    from filelock import FileLock  # slow to load, and seldom needed

    return FileLock(place / _LOCK, thread_local=False)


def _is_own(place: Path) -> bool:
    """Whether this user's program made `place`, and filled it: no links, and closed to others.

    One with the lock alone may be just being made.
    """
    try:
        status = place.lstat()
        parts = (place, place / _LOCK, place / _FILES)
        kinds = [stat.S_IFMT(part.lstat().st_mode) for part in parts]
    except OSError:
        return False
    closed = os.name == "nt" or (status.st_uid == os.getuid() and not status.st_mode & 0o077)
    return closed and kinds == [stat.S_IFDIR, stat.S_IFREG, stat.S_IFDIR]


def _remove_if_left(place: Path) -> None:
    lock = _lock(place)
    with suppress(OSError):
        lock.acquire(timeout=0)
        _remove(place, lock)


def _remove(place: Path, lock: BaseFileLock) -> None:
    """Remove what `place` holds while nobody else can, then `place`: Windows keeps open files."""
    shutil.rmtree(place / _FILES, ignore_errors=True)
    lock.release(force=True)
    if not (place / _FILES).exists():
        shutil.rmtree(place, ignore_errors=True)
