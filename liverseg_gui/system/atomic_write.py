"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from liverseg_gui.core.errors import SaveError
from liverseg_gui.system.partial_files import partial_file

_TRIES, _AGAIN_S = 4, 0.05
_HEAD_BYTES = 1 << 16
Problem = Callable[[str], SaveError]
"""The error where a file cannot be written, made of the system's reason."""


@contextlib.contextmanager
def atomic_write(path: Path, problem: Problem | None = None, *, ending: str = "") -> Iterator[Path]:
    """The path of an empty file beside `path`; it is flushed and renamed over `path` at the end.

    Where that or the body fails, `path` is what it was and nothing is left beside it. A file that
    is replaced hands on its mode and, where that is allowed, its owner; a link stays, and what it
    leads to is replaced. `ending` is for libraries that choose a format by it.

    Raises:
        SaveError: it cannot be written.
    """
    with save_errors(problem or not_written(path)):
        place = Path(os.path.realpath(path)) if path.is_symlink() else path
        with partial_file(place, ending) as beside:
            yield beside
            flush_to_disk(beside)
            _hand_on_mode(place, beside)
            beside.replace(place)
            flush_folder(place.parent)


def _hand_on_mode(old: Path, new: Path) -> None:
    try:
        status = old.stat()
    except FileNotFoundError:
        return
    if os.name == "posix" and (status.st_uid, status.st_gid) != (os.getuid(), os.getgid()):
        with contextlib.suppress(OSError):  # who may not give a file away owns the new one
            os.chown(new, status.st_uid, status.st_gid)
    with contextlib.suppress(OSError):  # some network drives know no modes
        new.chmod(stat.S_IMODE(status.st_mode))


@contextlib.contextmanager
def save_errors(problem: Problem) -> Iterator[None]:
    """Raise `problem` in place of an error of the system.

    Raises:
        SaveError: there was one.
    """
    try:
        yield
    except OSError as error:
        raise problem(error.strerror or str(error)) from error


def not_written(what: Path, remedy: str = "Choose another folder or free some space.") -> Problem:
    """The error where `what` could not be written, and what to do."""
    return lambda reason: SaveError(f"{what} could not be written: {reason}.", remedy)


def flush_to_disk(path: Path) -> None:
    """Wait until the content of the file `path` would outlast a loss of power.

    Raises:
        OSError: it could not be written after all.
    """
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """The same for the names in `folder`; Windows and some network drives do not offer it."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path`, whole or not at all.

    Names of files that are no Unicode are written with escapes.

    Raises:
        SaveError: it cannot be written.
    """
    with atomic_write(path) as beside:
        beside.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")


def write_read_text(path: Path, text: str) -> None:
    """Write a file that another process may be reading at any moment.

    On Windows it cannot be replaced just then: it is tried again, for a fifth of a second.

    Raises:
        SaveError: it cannot be written.
    """
    for _ in range(_TRIES - 1):
        try:
            return write_text(path, text)
        except SaveError:
            time.sleep(_AGAIN_S)
    write_text(path, text)


def require_place(path: Path, ending: str, holds: str = "") -> None:
    """Check that a file may be written at `path`, before any work is done for it.

    What is there already may be replaced where it is text that `holds` what marks it as written by
    this program, or holds nothing.

    Raises:
        SaveError: its name does not end in `ending`, the folder is not there, or another file is.
    """
    if path.suffix.lower() != ending:
        raise SaveError(f"{path.name}: this is written as {ending}. Choose such a name.")
    if not path.parent.is_dir():
        raise SaveError(
            f"{path} could not be written: there is no folder {path.parent}. Choose another."
        )
    if holds and path.exists() and not _is_empty_or_holds(path, holds):
        raise SaveError(
            f"{path} is not what this program writes there, and is not replaced.",
            "Choose another name, or move it away.",
        )


def _is_empty_or_holds(path: Path, text: str) -> bool:
    if not path.is_file():
        return False
    with save_errors(not_written(path)), path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    return not head or text.encode() in head
