"""Where a batch does not fit into memory: half of it, twice."""

from __future__ import annotations

import gc
from dataclasses import replace

import torch

from liverseg_gui.core.errors import LiverSegError
from training.config.train_config import TrainConfig


def free_memory() -> None:
    """Give back what a failed training held, once nothing refers to it any more."""
    gc.collect()
    if torch.cuda.is_available():
        # An error inside fastai's mixed precision leaves its autocast on.
        torch.set_autocast_enabled("cuda", False)
        torch.clear_autocast_cache()
        torch.cuda.empty_cache()


def halved(recipe: TrainConfig) -> TrainConfig:
    """`recipe` with half the batch and twice the batches to a step.

    Raises:
        LiverSegError: there is only one slice in a batch.
    """
    if recipe.batch_size == 1:
        raise LiverSegError(
            "There is not enough memory for a single slice. Close other programs, train on "
            "another device (--device cpu), or choose a smaller network."
        )
    half = recipe.batch_size // 2
    return replace(recipe, batch_size=half, accumulate=2 * recipe.accumulate)
