"""Memory that this process holds and has held, and what the computer has left."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

_CONTAINER = Path("/sys/fs/cgroup")
"""Where Linux tells what a container may hold (cgroup 2)."""


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
