"""Stages of a training, and the learning rate of every step.

Rates follow fastai's one cycle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from training.config.train_config import TrainConfig

_DIV_FINAL = 1e5
"""fastai's: a cycle ends at its highest rate divided by this."""


@dataclass(frozen=True)
class Stage:
    """A stage of the training: its rate rises from `rate / div` for `rising` of its steps, and
    falls to nearly nothing. `liver_view_probability` is how often a batch has the liver view."""

    name: str
    epochs: int
    rate: float
    rising: float = 0.25
    div: float = 25.0
    frozen: bool = False
    liver_view_probability: float = 0.0

    def rates(self, steps: int) -> NDArray[np.float64]:
        """The rate of each of `steps` steps; that of the decoder, where the encoder's is lower.

        Source: fastai's `combined_cos`, in halves of a cosine.
        """
        place = np.arange(steps) / max(steps, 1)
        up = _cosine(self.rate / self.div, self.rate, place / self.rising)
        down = (place - self.rising) / (1 - self.rising)
        falling = _cosine(self.rate, self.rate / _DIV_FINAL, down)
        return np.where(place < self.rising, up, falling)


def training_stages(config: TrainConfig) -> tuple[Stage, ...]:
    """The stages of `config` that have epochs.

    The one-cycle fit from random (or given) weights, then fastai's `fine_tune` in its two steps,
    frozen and unfrozen, spelled out so that each can be resumed.
    """
    liver = config.liver_share if config.liver is not None else 0.0
    fine = config.fine_tune_rate
    stages = (
        Stage("one cycle", config.epochs, config.learning_rate),
        Stage("fine-tune, frozen", config.freeze_epochs, fine, 0.99, 25.0, True, liver),
        Stage("fine-tune", config.fine_tune_epochs, fine, 0.25, 5.0, False, liver),
    )
    return tuple(stage for stage in stages if stage.epochs)


def planned_rates(config: TrainConfig, batches: int) -> NDArray[np.float64]:
    """The rate of every step, of all stages one after another, with `batches` to an epoch."""
    parts = [stage.rates(stage.epochs * batches) for stage in training_stages(config)]
    return np.concatenate(parts) if parts else np.empty(0)


def _cosine(start: float, end: float, place: NDArray[np.float64]) -> NDArray[np.float64]:
    """From `start` to `end` along half a cosine, at `place` in 0..1."""
    return start + (1 - np.cos(np.pi * np.clip(place, 0, 1))) / 2 * (end - start)
