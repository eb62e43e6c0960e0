"""Losses on class scores (n, 3, h, w) and labels (n, h, w), chosen by name, alone or as a sum.

All are computed in float32. The regional ones (Dice, Tversky) pool liver and tumor over the whole
batch and leave the background out: most images hold no tumor, and a mean over images, as in
fastai's DiceLoss, would mostly measure nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from liverseg_gui.core.errors import LiverSegError
from training.config.train_config import LOSSES

FOCAL_GAMMA = 2.0
"""Lin et al. 2017, "Focal loss for dense object detection": their best gamma."""

TVERSKY_BETA = 0.7
"""Salehi et al. 2017, "Tversky loss function ...": their best weight of missed pixels, beta."""

_TVERSKY_POWER = 0.75
"""Abraham and Khan 2019, "A novel focal Tversky loss ...": 1 / gamma with gamma = 4 / 3."""


class CrossEntropy(nn.Module):
    """Plain cross-entropy over the three classes, the mean of all pixels."""

    def forward(self, scores: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(scores.float(), labels.long())


class FocalLoss(nn.Module):
    """-(1 - p)^`gamma` log p of each pixel's true class, the mean of all pixels (Lin et al. 2017).

    With a `gamma` of 0 it is the cross-entropy. Classes are not weighted: sampling does that.
    """

    def __init__(self, gamma: float = FOCAL_GAMMA) -> None:
        super().__init__()
        self._gamma = gamma

    def forward(self, scores: Tensor, labels: Tensor) -> Tensor:
        logs = scores.float().log_softmax(1).gather(1, labels.long()[:, None])
        return -((1 - logs.exp()).pow(self._gamma) * logs).mean()


class DiceLoss(nn.Module):
    """1 - soft Dice of liver and tumor, pooled over the batch (Milletari et al. 2016)."""

    def forward(self, scores: Tensor, labels: Tensor) -> Tensor:
        probability, target = _foreground(scores, labels)
        overlap = (probability * target).sum((0, 2, 3))
        total = probability.sum((0, 2, 3)) + target.sum((0, 2, 3))
        return 1 - ((2 * overlap + 1) / (total + 1)).mean()


class TverskyLoss(nn.Module):
    """1 - Tversky index TP / (TP + (1 - b) FP + b FN), b = `beta` (Salehi et al. 2017).

    With b = 0.5 it is `DiceLoss`. `power` below 1 makes the class that is found worse count more:
    the focal Tversky loss (Abraham and Khan 2019).
    """

    def __init__(self, beta: float = TVERSKY_BETA, power: float = 1.0) -> None:
        super().__init__()
        self._beta, self._power = beta, power

    def forward(self, scores: Tensor, labels: Tensor) -> Tensor:
        probability, target = _foreground(scores, labels)
        hits = (probability * target).sum((0, 2, 3))
        false = probability.sum((0, 2, 3)) - hits
        missed = target.sum((0, 2, 3)) - hits
        weighed = hits + (1 - self._beta) * false + self._beta * missed
        lost = 1 - (hits + 0.5) / (weighed + 0.5)
        if self._power != 1.0:
            lost = lost.clamp_min(1e-6).pow(self._power)  # at 0 the slope would be infinite
        return lost.mean()


class LossSum(nn.Module):
    """The sum of several losses."""

    def __init__(self, parts: list[nn.Module]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, scores: Tensor, labels: Tensor) -> Tensor:
        return torch.stack([part(scores, labels) for part in self.parts]).sum()


def make_loss(name: str, gamma: float = FOCAL_GAMMA, beta: float = TVERSKY_BETA) -> nn.Module:
    """The loss of that `name`, a key of `training.config.train_config.LOSSES`.

    `gamma` is the focal loss's gamma, `beta` Tversky's beta.

    Raises:
        LiverSegError: there is none of that name.
    """
    if name not in LOSSES:
        raise LiverSegError(f"There is no loss {name!r}. Choose one of {', '.join(LOSSES)}.")
    terms: dict[str, Callable[[], nn.Module]] = {
        "ce": CrossEntropy,
        "dice": DiceLoss,
        "focal": lambda: FocalLoss(gamma),
        "tversky": lambda: TverskyLoss(beta),
        "focal-tversky": lambda: TverskyLoss(beta, _TVERSKY_POWER),
    }
    parts = [terms[part]() for part in name.split("+")]
    return parts[0] if len(parts) == 1 else LossSum(parts)


def _foreground(scores: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Probability and target of liver and tumor: float32 (n, 2, h, w) each."""
    probability = scores.float().softmax(1)[:, 1:]
    target = F.one_hot(labels.long(), scores.shape[1]).movedim(-1, 1)[:, 1:].float()
    return probability, target
