"""Text files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from liverseg_gui.core.errors import SaveError

_TRIES, _AGAIN_S = 4, 0.05


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path`, beside it first and then renamed over it.

    Names of files that are no Unicode are written with escapes.

    Raises:
        SaveError: it cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")
        partial.replace(path)
    except OSError as error:
        raise SaveError(
            f"{path} could not be written: {error.strerror or error}. Choose another folder or "
            "free some space."
        ) from error
    finally:
        with contextlib.suppress(OSError):  # there is none where nothing could be written
            partial.unlink(missing_ok=True)


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


def require_place(path: Path, ending: str) -> None:
    """Check that a file may be written at `path`, before any work is done for it.

    Raises:
        SaveError: its name does not end in `ending`, or the folder is not there.
    """
    if path.suffix.lower() != ending:
        raise SaveError(f"{path.name}: this is written as {ending}. Choose such a name.")
    if not path.parent.is_dir():
        raise SaveError(
            f"{path} could not be written: there is no folder {path.parent}. Choose another."
        )
