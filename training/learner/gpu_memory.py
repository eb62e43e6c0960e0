"""Memory of a training: kept by the process on the CPU, given back on the GPU, batches halved."""

from __future__ import annotations

import ctypes
import gc
import sys
from dataclasses import replace

import torch

from liverseg_gui.core.errors import LiverSegError
from training.config.train_config import TrainConfig

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4


def keep_freed_memory() -> None:
    """Tell glibc to reuse large blocks instead of handing each back to the system.

    Activations of tens of MB are otherwise mapped, zeroed and unmapped at every layer, which costs
    a training step at 192 x 288 about a seventh of its time (`make bench`); inference gains
    nothing. Nothing happens where the C library is another one. Call it in processes that only
    compute: the memory stays theirs until they end.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(_M_TOP_PAD, 256 * 2**20)


def free_gpu_memory() -> None:
    """Give back what a failed training held, once nothing refers to it any more."""
    gc.collect()
    if torch.cuda.is_available():
        # An error inside fastai's mixed precision leaves its autocast on.
        torch.set_autocast_enabled("cuda", False)
        torch.clear_autocast_cache()
        torch.cuda.empty_cache()


def halve_batch(config: TrainConfig) -> TrainConfig:
    """`config` with half the batch and twice the batches to a step.

    Raises:
        LiverSegError: there is only one slice in a batch.
    """
    if config.batch_size == 1:
        raise LiverSegError(
            "There is not enough memory for a single slice. Close other programs, train on "
            "another device (--device cpu), or choose a smaller network."
        )
    half = config.batch_size // 2
    return replace(config, batch_size=half, accumulate=2 * config.accumulate)
