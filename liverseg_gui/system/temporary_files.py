"""Temporary folders for what is unpacked; the next process removes those of one that was killed.

Beside each folder lies a file that its process keeps locked. The system lets go of the lock however
the process ends. Computers that share the place for temporary files may not see each other's locks:
each removes only what it made itself, which the name of a folder tells.
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

from liverseg_gui.system.paths import HOST

if TYPE_CHECKING:
    from filelock import BaseFileLock

_PREFIX, _FILES, _LOCK = f"liverseg-{HOST}-", "files", "in-use.lock"
_NAME = re.compile(rf"{_PREFIX}[a-z0-9_]{{8}}")

_locks: dict[Path, BaseFileLock] = {}


def make_temporary() -> Path:
    """A new folder that its user alone can read, until `remove_temporary`.

    Raises:
        OSError: none can be made.
    """
    place = Path(tempfile.mkdtemp(prefix=_PREFIX))
    lock = _lock(place)
    if not _taken(lock):
        with suppress(OSError):
            (place / _LOCK).unlink()  # without one, nobody takes it for left
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

    # an archive is unpacked by a job's thread, and removed by the main one when the program ends
    return FileLock(place / _LOCK, thread_local=False)


def _taken(lock: BaseFileLock) -> bool:
    """Whether `lock` is this process's now."""
    try:
        lock.acquire(timeout=0)
    except (OSError, NotImplementedError):  # some file systems know no locks
        return False
    return True


def _is_own(place: Path) -> bool:
    """Whether this user's program made `place`, and filled it: no links, and closed to others.

    One with the lock alone may be just being made; one without could not be locked.
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
    if _taken(lock):
        _remove(place, lock)


def _remove(place: Path, lock: BaseFileLock) -> None:
    """Remove what `place` holds while nobody else can, then `place`.

    Windows keeps files that are open, for the next start to remove.
    """
    shutil.rmtree(place / _FILES, ignore_errors=True)
    with suppress(OSError):
        lock.release(force=True)
        if (place / _FILES).exists():
            (place / _LOCK).touch(0o600)  # Windows removes it when it is let go
        else:
            shutil.rmtree(place, ignore_errors=True)
