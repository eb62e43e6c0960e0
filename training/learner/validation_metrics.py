"""fastai metrics that count over the whole validation set, on all processes together.

Counts stay on the device until a value is asked for: a GPU is not waited for at every batch.
"""

from __future__ import annotations

from typing import Any

from fastai.learner import Metric
from torch import Tensor

from training.learner.distributed import total


class DicePerClass(Metric):
    """Dice of one class (1: liver with tumor, 2: tumor) pooled over all validation slices.

    fastai's own `Dice` is for two classes only, and its `DiceMulti` averages the background in.
    Per-patient figures come from `liverseg_gui.evaluation.evaluate`.
    """

    def __init__(self, label: int) -> None:
        self._label = label
        self.reset()

    def reset(self) -> None:
        """Forget all counts."""
        self._overlap: Tensor | int = 0
        self._total: Tensor | int = 0

    def accumulate(self, learn: Any) -> None:
        """Add one batch."""
        prediction = learn.pred.argmax(1) >= self._label
        reference = learn.yb[0] >= self._label
        self._overlap = self._overlap + (prediction & reference).sum()
        self._total = self._total + prediction.sum() + reference.sum()

    @property
    def value(self) -> float:
        """Dice so far; 1 where neither prediction nor reference has the class."""
        overlap, size = total([int(self._overlap), int(self._total)])
        return 2 * overlap / size if size else 1.0

    @property
    def name(self) -> str:
        """Column name."""
        return {1: "liver Dice", 2: "tumor Dice"}[self._label]


class Accuracy(Metric):
    """The part of all pixels whose class is right. A mask without any tumor scores 0.995."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all counts."""
        self._right: Tensor | int = 0
        self._count = 0

    def accumulate(self, learn: Any) -> None:
        """Add one batch."""
        right = learn.pred.argmax(1) == learn.yb[0]
        self._right = self._right + right.sum()
        self._count += right.numel()

    @property
    def value(self) -> float:
        """Accuracy so far, 0..1."""
        right, count = total([int(self._right), self._count])
        return right / count if count else 0.0

    @property
    def name(self) -> str:
        """Column name."""
        return "accuracy"


class MeanLoss(Metric):
    """The mean loss of all validation slices.

    fastai's own exchanges every batch between processes, and waits for ever where one has fewer.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all losses."""
        self._sum: Tensor | float = 0.0
        self._count = 0

    def accumulate(self, learn: Any) -> None:
        """Add one batch."""
        count = len(learn.yb[0])
        self._sum = self._sum + learn.loss.detach().mean() * count
        self._count += count

    @property
    def value(self) -> float:
        """The mean so far."""
        losses, count = total([float(self._sum), self._count])
        return losses / count if count else 0.0

    @property
    def name(self) -> str:
        """Column name."""
        return "loss"
