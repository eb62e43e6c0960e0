"""Gradient accumulation: one step for several batches, where a large one does not fit."""

from __future__ import annotations

from fastai.callback.core import Callback, CancelBatchException
from fastai.callback.fp16 import MixedPrecision


class GradientAccumulation(Callback):
    """Step after every `count` batches, with the mean of their gradients.

    The last group of an epoch may be smaller; its gradients are their mean as well. fastai's
    `GradientAccumulation` carries what is left into the next epoch, where no checkpoint holds it.
    """

    # Before ShareSteps: processes exchange gradients only where there is a step.
    order = MixedPrecision.order - 4
    run_valid = False

    def __init__(self, count: int) -> None:
        self._count = count

    def after_loss(self) -> None:
        begin = self.iter - self.iter % self._count
        self.learn.loss_grad = self.loss_grad / min(self._count, self.n_iter - begin)

    def before_step(self) -> None:
        if (self.iter + 1) % self._count and self.iter + 1 < self.n_iter:
            raise CancelBatchException  # without a step the gradients stay
