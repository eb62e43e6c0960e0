"""Locks on files that several open programs read, change and write again, one after the other."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from liverseg_gui.core.errors import SaveError

if TYPE_CHECKING:
    from filelock import BaseFileLock

_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_PATIENCE_S = 10.0


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other programs from changing the file at `path` meanwhile; its folder is made.

    Whoever changes it asks for this before reading it; a lock file stays beside it. Where the
    disk knows no locks, it is done without.

    Raises:
        SaveError: the folder cannot be written, or another program does not let go.
    """
    from filelock import FileLock, Timeout  # slow to load, and seldom needed

    lock = FileLock(path.with_suffix(".lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _acquire(lock)
    except Timeout as error:
        raise SaveError(
            f"{path} could not be written: another window of this program keeps it. Close that "
            "one and try again."
        ) from error
    except OSError as error:
        raise SaveError(
            f"{path} could not be written: {error.strerror or error}. Look to the permissions of "
            f"{path.parent}."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: BaseFileLock) -> None:
    """Wait for `lock`; some network drives know none.

    Raises:
        Timeout: another program keeps it.
        OSError: the lock file cannot be written.
    """
    try:
        lock.acquire(timeout=_PATIENCE_S)
    except NotImplementedError:
        return
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
