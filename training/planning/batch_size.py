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
from liverseg_gui.system.memory_usage import available_memory

if TYPE_CHECKING:
    from training.config.train_config import TrainConfig

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
    per_slice: float

    def of(self, batch_size: int) -> float:
        """Bytes with batches of `batch_size`."""
        return self.fixed + batch_size * self.per_slice

    def largest_batch(self, left: float) -> int:
        """The largest multiple of four (or 1 to 3) that fits into `left` bytes; 0: none does."""
        fits = min(int((left * _TAKEN - self.fixed) // self.per_slice), LARGEST)
        return max(fits // 4 * 4 or fits, 0)


def memory_need(config: TrainConfig, device: str) -> MemoryNeed:
    """What `config` takes on `device` ("cpu", "cuda", "mps").

    Raises:
        LiverSegError: the network cannot be built.
    """
    views = [view for view in (config.trunk, config.liver) if view is not None]
    rows, columns = max((view.size for view in views), key=math.prod)
    weights, kept = _kept(config.architecture, config.context, (rows, columns))
    half = config.precision in ("bf16", "fp16") or (config.precision == "auto" and device == "cuda")
    program = _PROGRAM.get(device, _PROGRAM["cpu"])
    return MemoryNeed(
        program + _OF_WEIGHTS * weights,
        _OF_KEPT * kept * (_HALF if half else 1.0),
    )


def find_batch_size(config: TrainConfig, device: str, left: int) -> int:
    """The batch that fits into `left` bytes.

    Raises:
        LiverSegError: not even one slice fits.
    """
    need = memory_need(config, device)
    batch_size = need.largest_batch(left)
    if not batch_size:
        raise LiverSegError(
            f"{left / 1e9:.1f} GB are free, and a single slice needs {need.of(1) / 1e9:.1f} GB. "
            "Close other programs, or choose a smaller network or coarser pictures."
        )
    return batch_size


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


def memory_left(device: str) -> int:
    """Bytes that are free: of the GPU for "cuda", else of the computer."""
    if device == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0])
    return available_memory()
