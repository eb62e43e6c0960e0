"""The largest batch that fits into the memory that is left: estimated, without a step.

What backpropagation keeps of one slice is counted on torch's "meta" device, which knows shapes and
computes nothing. Measured peaks of real steps on the CPU, in float32, were 0.9 GB for the program,
five times the weights (weights, gradients, two moments of AdamW, moving average), and 1.65 times
what is kept for each slice (slim-resnet18 and unet-resnet34, batches of 2 to 24).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.progress import Progress

if TYPE_CHECKING:
    from training.config.train_config import TrainConfig
import ctypes
import os
import sys

LARGEST = 64
"""More slices to a step were of no use on so few patients."""
_PROGRAM = {"cpu": 900_000_000, "cuda": 700_000_000}
_OF_WEIGHTS, _OF_KEPT = 5.0, 1.8
_HALF = 0.65
"""In float16 and bfloat16 the norms, the loss and the inputs of some layers stay float32."""
_TAKEN = 0.8
"""Of the memory that is left: other programs go on."""


@dataclass(frozen=True)
class MemoryNeed:
    """Bytes that a training takes: `fixed`, and as much again for each slice of a batch."""

    fixed: float
    a_slice: float

    def of(self, batch_size: int) -> float:
        """Bytes with batches of `batch_size`."""
        return self.fixed + batch_size * self.a_slice

    def largest_batch(self, left: float) -> int:
        """The largest multiple of four (or 1 to 3) that fits into `left` bytes; 0: none does."""
        fits = min(int((left * _TAKEN - self.fixed) // self.a_slice), LARGEST)
        return max(fits // 4 * 4 or fits, 0)


def memory_need(config: TrainConfig, device: str) -> MemoryNeed:
    """What `config` takes on `device` ("cpu", "cuda", "mps").

    Raises:
        LiverSegError: the network cannot be built.
    """
    looks = [look for look in (config.trunk, config.liver) if look is not None]
    rows, columns = max((look.size for look in looks), key=math.prod)
    weights, kept = _kept(config.architecture, config.context, (rows, columns))
    half = config.precision in ("bf16", "fp16") or (config.precision == "auto" and device == "cuda")
    program = _PROGRAM.get(device, _PROGRAM["cpu"])
    return MemoryNeed(
        program + _OF_WEIGHTS * weights,
        _OF_KEPT * kept * (_HALF if half else 1.0),
    )


def find_batch_size(config: TrainConfig, device: str, left: int | None) -> int:
    """The batch that fits into `left` bytes.

    Raises:
        LiverSegError: not even one slice fits, or it is not known how much is left.
    """
    if left is None:
        raise LiverSegError("This computer does not tell how much memory is free.")
    need = memory_need(config, device)
    found = need.largest_batch(left)
    if not found:
        raise LiverSegError(
            f"{left / 1e9:.1f} GB are free, and a single slice needs {need.of(1) / 1e9:.1f} GB. "
            "Close other programs, or choose a smaller network or coarser pictures."
        )
    return found


def fitting_batch_size(config: TrainConfig, device: str, _: Progress) -> int:
    """`find_batch_size` for what is free now; on a GPU this takes some of it until it ends.

    Raises:
        LiverSegError: as `find_batch_size`.
    """
    return find_batch_size(config, device, memory_left(device))


def _kept(architecture: str, context: int, size: tuple[int, int]) -> tuple[int, float]:
    """Bytes of the weights, and of what backpropagation keeps of one slice, both in float32."""
    import torch

    from liverseg_gui.segmentation.networks.unet import build_network

    network = build_network(architecture, context, size).to("meta").train()
    kept: dict[int, torch.UntypedStorage] = {}  # the storage too, so that no id is given twice

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        network(torch.empty(2, context, *size, device="meta"))
    own = {p.untyped_storage()._cdata for p in network.parameters()}
    nbytes = sum(storage.nbytes() for key, storage in kept.items() if key not in own)
    return sum(p.numel() * p.element_size() for p in network.parameters()), nbytes / 2


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
