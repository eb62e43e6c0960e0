"""Crash reports: what Python can still write when native code brings a process down.

Each process has a file of its own among the logs. It is empty for as long as nothing happens, and
goes when the process ends by itself; one that was killed, or lost its power, leaves it empty. A
crash is kept until it was shown.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from liverseg_gui.system.paths import HOST, log_folder

LAST = "last-crash.txt"
"""The crash that was shown last; the one before is written over."""
FATAL = ("Fatal Python error: ", "Windows fatal exception: ")
"""How the report of a process begins that crashed."""
_MOST_BYTES = 65_536
_OLD_SECONDS = 30 * 86_400.0


@contextlib.contextmanager
def crash_file() -> Iterator[None]:
    """Have a crash of this process written down meanwhile; also a decorator of what it does.

    Where no file can be written the process does without.
    """
    path = log_folder() / f"crash-{HOST}-{os.getpid()}-{secrets.token_hex(4)}.txt"
    file = _opened(path)
    if file is None:
        yield
        return
    faulthandler.enable(file)
    try:
        yield
    finally:
        faulthandler.disable()
        file.close()
        _remove(path)


def _opened(path: Path) -> TextIO | None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        return open(handle, "w", encoding="utf-8")
    except OSError:
        return None


def take_crash_report(pid: int) -> str:
    """What the process `pid` wrote when it crashed, or nothing; it has ended, and its file goes."""
    files = _files(f"{HOST}-{pid}-")
    if not files:
        return ""
    newest = files[-1]  # in a container, say, many processes have had this id
    report = _read(newest)
    _remove(newest)
    return report


def earlier_crash() -> str:
    """What a process that nobody waited for wrote when it crashed, or nothing. It is shown once.

    Of several the latest is given. Those of other computers that share the folder are theirs to
    give; files of long ago are removed where they stayed empty or are of another computer.
    """
    shown = log_folder() / LAST
    report = ""
    for path in _files():
        own = path.name.startswith(f"crash-{HOST}-")
        with contextlib.suppress(OSError):  # another window took it just now, or writes to it
            if own and path.stat().st_size:
                path.replace(shown)
                report = _read(shown)
            elif time.time() - _changed(path) > _OLD_SECONDS:
                path.unlink()
    return report


def _files(of: str = "") -> list[Path]:
    """This user's crash files whose names go on with `of`, the oldest first."""
    return sorted(filter(_is_mine, log_folder().glob(f"crash-{of}*.txt")), key=_changed)


def _is_mine(path: Path) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and (os.name == "nt" or status.st_uid == os.getuid())


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _read(path: Path) -> str:
    try:
        return path.read_bytes()[:_MOST_BYTES].decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
