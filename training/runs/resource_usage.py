"""The resources that a training uses: processor, memory, GPU."""

from __future__ import annotations

import sys
from typing import Any

import psutil

from liverseg_gui.system.memory_usage import memory_mb


class ResourceUsage:
    """Measures this process; `cpu_percent` is since the last reading, 100 for each core."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._process.cpu_percent()  # from here on

    def read(self) -> dict[str, float | None]:
        """The fields of a progress event; None where the computer does not tell."""
        percent: float = self._process.cpu_percent()
        return {"cpu_percent": percent, "memory_mb": memory_mb(), **_gpu()}


def _gpu() -> dict[str, float | None]:
    """Of the GPU that is in use: load, where NVIDIA's library is there to ask, and memory taken."""
    none: dict[str, float | None] = {"gpu_percent": None, "gpu_memory_mb": None}
    torch = sys.modules.get("torch")  # a process that has not loaded it uses no GPU
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return none
    return {"gpu_percent": _gpu_percent(torch), "gpu_memory_mb": _gpu_memory_mb(torch)}


def _gpu_percent(torch: Any) -> float | None:
    try:
        return float(torch.cuda.utilization())
    except (ImportError, RuntimeError, OSError):
        return None


def _gpu_memory_mb(torch: Any) -> float | None:
    try:
        free, total = torch.cuda.mem_get_info()
    except RuntimeError:
        return None
    return round((total - free) / 1e6, 1)
