"""fastai metrics that count overlap over the whole validation set, one class at a time."""

from __future__ import annotations

from typing import Any

from fastai.learner import Metric


class DicePerClass(Metric):
    """Dice of one class (1: liver with tumor, 2: tumor) pooled over all validation slices.

    fastai's own `Dice` is for two classes only, and its `DiceMulti` averages the background in.
    Per-patient figures come from `training.evaluation`.
    """

    def __init__(self, label: int) -> None:
        self._label = label
        self.reset()

    def reset(self) -> None:
        """Forget all counts."""
        self._overlap = self._total = 0

    def accumulate(self, learn: Any) -> None:
        """Add one batch."""
        found = learn.pred.argmax(1) >= self._label
        truth = learn.yb[0] >= self._label
        self._overlap += int((found & truth).sum())
        self._total += int(found.sum() + truth.sum())

    @property
    def value(self) -> float:
        """Dice so far; 1 where neither prediction nor truth has the class."""
        return 2 * self._overlap / self._total if self._total else 1.0

    @property
    def name(self) -> str:
        """Column name."""
        return {1: "liver Dice", 2: "tumor Dice"}[self._label]
