"""Reading of regular files alone: a pipe, a socket or a device would be waited for without end."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

from liverseg_gui.core.parsing import parse_json

Stamp = tuple[int, int, int, int]
"""Of a file: time of change (ns), size, time of any change at all (ns), and number on its disk."""

_KINDS = {
    stat.S_IFIFO: "A named pipe, not a file",
    stat.S_IFSOCK: "A socket, not a file",
    stat.S_IFCHR: "A device, not a file",
    stat.S_IFBLK: "A device, not a file",
    stat.S_IFDIR: os.strerror(errno.EISDIR),
}


def open_regular(path: Path) -> BinaryIO:
    """The regular file `path`, or the one that a link leads to, opened for reading.

    Raises:
        OSError: it is none, or cannot be opened.
    """
    return open(path, "rb", opener=regular_only)


def require_regular(path: Path) -> None:
    """Check that `path` is a regular file, for a library that opens it by its name.

    Raises:
        OSError: it is none, or is not there.
    """
    _require(os.stat(path).st_mode, str(path))


def file_stamp(path: Path) -> Stamp:
    """What changes with the content of the file `path`, and with the file that has its name.

    Raises:
        OSError: it is not there, or is no regular file.
    """
    status = os.stat(path)
    _require(status.st_mode, str(path))
    return status.st_mtime_ns, status.st_size, status.st_ctime_ns, status.st_ino


def read_text(path: Path) -> str:
    """The text (UTF-8) of the regular file `path`.

    Raises:
        OSError: it is none, or cannot be read.
        ValueError: it is no such text.
    """
    with open_regular(path) as file:
        return file.read().decode("utf-8")


def read_json(path: Path) -> Any:
    """What the regular file `path` holds as JSON.

    Raises:
        OSError: it is none, or cannot be read.
        ValueError: it is no JSON, or nested beyond all sense.
    """
    return parse_json(read_text(path))


def regular_only(path: str, flags: int) -> int:
    """An opener for `open`: waits for nobody who might write into `path`, and looks at what it is.

    Raises:
        OSError: it is no regular file, or cannot be opened.
    """
    number = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    try:
        _require(os.fstat(number).st_mode, path)
    except BaseException:
        os.close(number)
        raise
    return number


def _require(mode: int, path: str) -> None:
    if not stat.S_ISREG(mode):
        kind = stat.S_IFMT(mode)
        number = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
        raise OSError(number, _KINDS.get(kind, "Not a file"), path)
