"""The time of training steps, taken by a callback that stops after so many."""

from __future__ import annotations

import time

import torch
from fastai.callback.core import Callback, CancelFitException


class StepTimer(Callback):
    """Notes the `seconds` of each training step, its batch's preparation included, and ends the
    fit after `count`."""

    order = -100

    def __init__(self, device: torch.device, count: int) -> None:
        self._device, self._count = device, count
        self._began = 0.0
        self.seconds: list[float] = []

    def before_batch(self) -> None:
        self._began = self._now()

    def after_batch(self) -> None:
        if self.training:
            self.seconds.append(self._now() - self._began)
            if len(self.seconds) >= self._count:
                raise CancelFitException

    def _now(self) -> float:
        if self._device.type == "cuda":  # kernels run on after the call that starts them
            torch.cuda.synchronize(self._device)
        return time.perf_counter()
