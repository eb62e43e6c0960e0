"""The exponential moving average of the weights, which generalizes better than the last ones."""

from __future__ import annotations

import torch
from fastai.callback.core import Callback
from torch import Tensor


class EMA(Callback):
    """Keep an exponential moving average; validate with it, and leave it in the model at the end.

    The first steps weigh less: the decay rises to `decay` as (1 + n) / (10 + n), after n steps.
    """

    order = 80

    def __init__(self, decay: float) -> None:
        self._decay = decay
        self.steps = 0
        self.average: dict[str, Tensor] = {}
        self._latest: dict[str, Tensor] = {}

    def before_fit(self) -> None:
        if not self.average:
            self.average = self._copy()

    def after_step(self) -> None:
        self.steps += 1
        keep = min(self._decay, (1 + self.steps) / (10 + self.steps))
        latest = self.learn.model.state_dict()
        smooth = [name for name, value in latest.items() if value.is_floating_point()]
        with torch.no_grad():
            torch._foreach_lerp_(
                [self.average[name] for name in smooth], [latest[n] for n in smooth], 1 - keep
            )
            for name in latest.keys() - set(smooth):
                self.average[name].copy_(latest[name])

    def before_validate(self) -> None:
        self._latest = self._copy()
        self.learn.model.load_state_dict(self.average)

    def after_validate(self) -> None:
        if self._latest:
            self.learn.model.load_state_dict(self._latest)
        self._latest = {}

    def _copy(self) -> dict[str, Tensor]:
        return {name: value.clone() for name, value in self.learn.model.state_dict().items()}
