"""Crash reports: what Python can still write when native code brings a process down.

Each process has a file of its own among the logs. It is empty for as long as nothing happens, and
goes when the process ends by itself; one that was killed, or lost its power, leaves it empty. A
crash is kept until it was shown.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from liverseg_gui.system.paths import log_folder

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
    path = _path(os.getpid())
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
        if _read(path):  # in a container, say, where each program has the same process id
            path.replace(path.with_stem(f"{path.stem}-before"))
        return path.open("w", encoding="utf-8")
    except OSError:
        return None


def take_crash_report(pid: int) -> str:
    """What the process `pid` wrote when it crashed, or nothing; it has ended, and its file goes."""
    report = _read(_path(pid))
    _remove(_path(pid))
    return report


def earlier_crash() -> str:
    """What a process that nobody waited for wrote when it crashed, or nothing. It is shown once.

    Of several the latest is given. Files of long ago that stayed empty are removed.
    """
    shown = log_folder() / LAST
    report = ""
    for path in sorted(log_folder().glob(_path_name("*")), key=_changed):
        with contextlib.suppress(OSError):  # another window took it just now, or writes to it
            if path.stat().st_size:
                path.replace(shown)
                report = _read(shown)
            elif time.time() - _changed(path) > _OLD_SECONDS:
                path.unlink()
    return report


def _path_name(pid: int | str) -> str:
    return f"crash-{pid}.txt"


def _path(pid: int) -> Path:
    return log_folder() / _path_name(pid)


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
