"""Partial files and folders: what is being written, beside the place that it will take.

Whoever writes keeps a lock on it, which the system lets go of however the process ends. So what a
killed one has left is known, and goes when something is written beside it the next time. Computers
that share a folder may not see each other's locks: each removes only what it made itself, which the
name tells. Windows cannot rename what is open: there nothing is locked, and age tells.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from liverseg_gui.system.paths import HOST

if os.name == "posix":
    import fcntl

_PREFIX = f".liverseg-{HOST}-"
_NAME = re.compile(r"\.liverseg-[0-9a-f]{8}-[0-9a-f]{16}\.part[a-z.]*")
_OLD_S = 86_400.0

_swept: set[Path] = set()
"""Whose leftovers were looked for: once in the life of a process, at the first write of a file."""


def is_partial(name: str) -> bool:
    """Whether a file or folder of that `name` is partial, made on this computer or another."""
    return _NAME.fullmatch(name) is not None


@contextmanager
def partial_file(target: Path, ending: str = "") -> Iterator[Path]:
    """A new, empty file beside `target`, whose name ends in `ending`; unless it is renamed, it is
    gone afterwards.

    Raises:
        OSError: it cannot be made.
    """
    with _made(target, ending, lambda path: path.touch(exist_ok=False)) as path:
        try:
            yield path
        finally:
            with suppress(OSError):  # of a disk that is gone; a renamed one is not there
                path.unlink(missing_ok=True)


@contextmanager
def partial_folder(target: Path) -> Iterator[Path]:
    """A new, empty folder beside `target`; unless it is renamed, it is gone afterwards.

    Raises:
        OSError: it cannot be made.
    """
    with _made(target, "", Path.mkdir) as path:
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _made(target: Path, ending: str, make: Callable[[Path], None]) -> Iterator[Path]:
    """Make and lock what is to be written beside `target`; what was left there is removed."""
    path, handle = _locked(target, ending, make)
    try:
        _sweep(target)
        yield path
    finally:
        if handle is not None:
            os.close(handle)


def _locked(target: Path, ending: str, make: Callable[[Path], None]) -> tuple[Path, int | None]:
    while True:
        # a name of chance: computers that share a folder may share process ids
        name = f"{_PREFIX}{secrets.token_hex(8)}.part{ending.lower()}"
        path = target.parent / name
        make(path)
        with suppress(FileNotFoundError):
            handle = _lock(path)
            if path.exists():
                return path, handle
        # another process took it for left, in the moment before it was locked


def _lock(path: Path, wait: bool = True) -> int | None:
    """A handle that holds the lock of `path`; None where it cannot be had."""
    if os.name != "posix":
        return None
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held; or a file system that knows no locks
        os.close(handle)
        return None
    return handle


def _sweep(target: Path) -> None:
    """Remove what killed processes left beside `target`; what cannot be removed stays.

    Earlier versions named it after its target and the process, whose number proves nothing.
    """
    folder = target.parent.absolute()
    if folder / target.name in _swept:
        return
    _swept.add(folder / target.name)
    earlier = re.compile(rf"\.{re.escape(target.name)}\.\d+[a-z.]*")
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in list(entries):
            own = is_partial(entry.name) and entry.name.startswith(_PREFIX)
            if own or earlier.fullmatch(entry.name):
                with suppress(OSError):
                    _remove_if_left(Path(entry.path), own)


def _remove_if_left(path: Path, lockable: bool) -> None:
    status = path.lstat()
    if os.name == "posix" and status.st_uid != os.getuid():
        return
    old = time.time() - status.st_mtime > _OLD_S
    handle = _lock(path, wait=False) if lockable else None
    try:
        if handle is None and not (old and (not lockable or os.name != "posix")):
            return
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    finally:
        if handle is not None:
            os.close(handle)
