"""Early stopping by the validation Dice.

Off unless it is requested, since it chooses by the validation slices.
"""

from __future__ import annotations

from typing import Any

from fastai.callback.core import Callback
from torch import Tensor


class EarlyStopping(Callback):
    """Watch liver and tumor Dice together; `stop` is set after `patience` epochs without a better.

    `weights` are the averaged ones of the best epoch of the present stage. Whoever writes the
    checkpoint ends the fit, so that the state in it is the one after the last epoch.
    """

    order = 85  # before CheckpointCallback, which reads `stop` and writes the state

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self.enter()

    def enter(self) -> None:
        """A new stage begins: forget the last one's best."""
        self._best, self._waited = -1.0, 0
        self.weights: dict[str, Tensor] = {}
        self.stop = False

    def state(self) -> dict[str, Any]:
        """What a checkpoint needs to go on from here."""
        return {"best": self._best, "waited": self._waited, "weights": self.weights}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `state`."""
        self._best, self._waited = state["best"], state["waited"]
        self.weights, self.stop = state["weights"], False

    def after_epoch(self) -> None:
        metrics = self.recorder.log[3:5]
        if not self._patience or len(metrics) < 2:
            return  # off, or an epoch that was skipped: it lies before a checkpoint
        score = float(sum(metrics))
        if score > self._best:
            average = self.learn.ema.average
            self.weights = {name: value.clone() for name, value in average.items()}
            self._best, self._waited = score, 0
        else:
            self._waited += 1
        self.stop = self._waited >= self._patience
