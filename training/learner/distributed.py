"""Training on several GPUs or machines: one process each, started by torch's own `torchrun`.

Every process trains the same network on slices of its own; before each step gradients and batch
statistics are averaged, so all networks stay the same. The first process alone writes anything.

fastai's own context (`learn.distrib_ctx`) is not used: it needs the package accelerate, draws its
batches through CUDA even where gloo is the backend, so that it can't run on CPUs, and wraps the
model, which changes the names of the weights in checkpoints. Averaging once a step also leaves
gradient accumulation as it is. All numbers of a step travel in one piece.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

# Loaded before there is a group of processes: torch loads it while it trains, and its default
# arguments would then keep the group, whose threads may abort Python when the process ends.
import torch.distributed.nn.functional
from fastai.callback.core import Callback
from fastai.callback.data import WeightedDL
from fastai.callback.fp16 import MixedPrecision
from numpy.typing import NDArray
from torch import Tensor, nn

from liverseg_gui.core.errors import Cancelled, LiverSegError
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.runtime.base import pick_device


@dataclass(frozen=True)
class Processes:
    """How many processes train together, and which of them this is."""

    rank: int = 0
    count: int = 1
    local_rank: int = 0

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0


def processes() -> Processes:
    """What `torchrun` says of this process; a process of its own otherwise."""
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
    if any(name not in os.environ for name in names):
        return Processes()
    return Processes(*(int(os.environ[name]) for name in names))


@contextmanager
def together(device: str) -> Iterator[Processes]:
    """Join the other processes while training: NCCL on CUDA, gloo on CPUs.

    Raises:
        LiverSegError: there are fewer GPUs than processes.
    """
    here = processes()
    if here.count == 1 or dist.is_initialized():
        yield here
        return
    cuda = pick_device(device) == "cuda"
    if cuda:
        if here.local_rank >= torch.cuda.device_count():
            raise LiverSegError(
                f"There are {torch.cuda.device_count()} GPUs on this machine. Start torchrun with "
                f"--nproc_per_node {torch.cuda.device_count()}."
            )
        torch.cuda.set_device(here.local_rank)
    dist.init_process_group("nccl" if cuda else "gloo")
    try:
        yield here
    finally:
        dist.destroy_process_group()


class ShareSteps(Callback):
    """Start from the first process's weights, and step with the mean of all gradients.

    A process that is cancelled says so at the next step, and all end there together.
    """

    # Behind GradientAccumulation, before the loss is unscaled and clipped.
    order = MixedPrecision.order - 2
    run_valid = False

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def before_fit(self) -> None:
        for value in self.learn.model.state_dict().values():
            whole = value.contiguous()
            dist.broadcast(whole, 0)
            value.copy_(whole)

    def before_step(self) -> None:
        cancelled = torch.tensor([float(self._progress.cancelled)], device=self.loss.device)
        shared = [cancelled, *_shared(self.learn.model)]
        average(shared)
        if float(cancelled) > 0:
            raise Cancelled

    @staticmethod
    def shielded(progress: Progress) -> Progress:
        """`progress`, but a cancellation is left to `before_step`."""

        def report(fraction: float, phase: str) -> None:
            if not progress.cancelled:
                progress.update(fraction, phase)

        return Progress(report)


def average(tensors: Sequence[Tensor]) -> None:
    """Replace float `tensors` by their means over all processes, in one exchange."""
    whole = torch.cat([tensor.reshape(-1).float() for tensor in tensors])
    dist.all_reduce(whole)
    whole /= dist.get_world_size()
    parts = torch.split(whole, [tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts, strict=True):
        tensor.copy_(part.view(tensor.shape))


def total(values: Sequence[float]) -> list[float]:
    """The sums of `values` over all processes."""
    if not dist.is_initialized():
        return list(values)
    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    sums = torch.tensor(values, dtype=torch.float64, device=device)
    dist.all_reduce(sums)
    return [float(value) for value in sums]


def gather(value: Any) -> list[Any]:
    """The `value` of each process, by rank."""
    if not dist.is_initialized():
        return [value]
    values: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(values, value)
    return values


class ShardedDL(WeightedDL):
    """A `WeightedDL` that draws this process's part of an epoch.

    Chances are the same everywhere, random numbers are not, so each process draws other slices;
    together they draw as many as one process alone would.
    """

    def __init__(self, dataset: Any, *, parts: int, wgts: Any, **options: Any) -> None:
        super().__init__(dataset, wgts=wgts, n=len(dataset) // parts, **options)

    def get_idxs(self) -> list[int]:
        """The slices of the next epoch: chosen anew, by weight, with replacement."""
        drawn: NDArray[np.int64] = np.random.choice(len(self.wgts), int(self.n), p=self.wgts)
        return drawn.tolist()


def _shared(network: nn.Module) -> list[Tensor]:
    """All that has to be the mean before a step: gradients, and running batch statistics."""
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    return gradients + [b for b in network.buffers() if b.is_floating_point()]
