"""How much memory a training may still take on a device."""

from __future__ import annotations

import ctypes
import os
import sys


def memory_left(device: str) -> int | None:
    """Bytes that are free: of the GPU for "cuda", else of the computer; None where it is not told.

    On Linux what the system keeps of files counts as free, for it gives that back. On the Mac,
    where only the whole is told, half of it does.
    """
    if device == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0])
    if sys.platform == "win32":
        return _windows()
    if sys.platform == "darwin":
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    return _linux()


def _linux() -> int | None:
    """MemAvailable, or what the container is allowed to hold if that is less."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            rows = dict(line.split(":", 1) for line in lines)
        free = int(rows["MemAvailable"].split()[0]) * 1024
    except (OSError, LookupError, ValueError):
        return None
    return min(free, _container(free))


def _container(otherwise: int) -> int:
    """What is left of the limit of a container (cgroup 2)."""
    try:
        with open("/sys/fs/cgroup/memory.max", encoding="ascii") as text:
            most = int(text.read())
        with open("/sys/fs/cgroup/memory.current", encoding="ascii") as text:
            return max(most - int(text.read()), 0)
    except (OSError, ValueError):
        return otherwise


class _Status(ctypes.Structure):
    """MEMORYSTATUSEX of Windows."""

    _fields_ = [
        ("length", ctypes.c_uint32),
        ("load", ctypes.c_uint32),
        *((name, ctypes.c_uint64) for name in ("total", "free", "pages", "free_pages")),
        *((name, ctypes.c_uint64) for name in ("virtual", "free_virtual", "extended")),
    ]


def _windows() -> int | None:
    status = _Status(length=ctypes.sizeof(_Status))
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 (there is none elsewhere)
    if not kernel.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None
    return int(status.free)
