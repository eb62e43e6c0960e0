"""Memory that this process holds and has held, and what the computer has left."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import psutil

from liverseg_gui.core.errors import LiverSegError

_CONTAINER = Path("/sys/fs/cgroup")
"""Where Linux tells what a container may hold (cgroup 2)."""


NO_MEMORY = "There is not enough memory. Close other programs."
_LEAST_BYTES = 500_000_000
_OUT_OF_MEMORY = (
    *("out of memory", "can't allocate memory", "cannot allocate memory", "not enough memory"),
    *("alloc_failed", "bad_alloc", "bad allocation", "failed to allocate", "unable to allocate"),
    *("could not allocate", "failed to map segment", "defaultcpuallocator"),
    *("can't start new thread", "insufficient memory"),
)
"""What libraries say, in lower case, that run out of memory while they compute or are loaded."""

_ONEDNN = "could not create a primitive"
"""Of oneDNN, which goes on with "descriptor" where it is about something else."""


def require_memory() -> None:
    """Check that a limit of the system lets the program run at all; call it before NumPy is loaded.

    Under a limit NumPy's OpenBLAS computes with one thread: where it cannot start more it waits
    without end, or interrupts the process as Ctrl+C does.

    Raises:
        LiverSegError: the limit is too low.
    """
    limit = _limit()
    if limit is None:
        return
    if limit < _LEAST_BYTES:
        raise LiverSegError(
            f"This process may take {limit / 1e6:.0f} MB of memory, and the program needs "
            f"{_LEAST_BYTES / 1e6:.0f} MB at least.",
            "Raise the limit (ulimit -v).",
        )
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _limit() -> int | None:
    """The most bytes of addresses this process may take, where the system sets a limit."""
    if sys.platform == "win32":
        return None
    import resource  # not on Windows

    limits = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
    return min((limit for limit in limits if limit != resource.RLIM_INFINITY), default=None)


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether `error`, or what it was raised from, says that memory ran out, on a GPU or not."""
    while error is not None:
        message = str(error).lower()
        if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
            return True
        if isinstance(error, OSError) and error.errno == errno.ENOMEM:
            return True
        of_onednn = _ONEDNN in message and f"{_ONEDNN} descriptor" not in message
        of_library = not isinstance(error, LiverSegError)
        if of_library and (of_onednn or any(part in message for part in _OUT_OF_MEMORY)):
            return True
        error = error.__cause__
    return False


def peak_memory_mb() -> float:
    """The most memory this process has held, in MB."""
    if sys.platform == "win32":
        return round(psutil.Process().memory_info().peak_wset / 1e6, 1)
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e6 if sys.platform == "darwin" else 1e3), 1)


def memory_mb() -> float:
    """The memory this process holds now, in MB."""
    return round(psutil.Process().memory_info().rss / 1e6, 1)


def available_memory() -> int:
    """Bytes that can be taken without swapping, or what a container is allowed if that is less.

    What the system keeps of files counts as free, for it gives that back.
    """
    free: int = psutil.virtual_memory().available
    return min(free, _container_left(free))


def _container_left(otherwise: int) -> int:
    try:
        limit, taken = (
            int((_CONTAINER / name).read_text("ascii")) for name in ("memory.max", "memory.current")
        )
    except (OSError, ValueError):  # there is no container, or "max": no limit
        return otherwise
    return max(limit - taken, 0)
