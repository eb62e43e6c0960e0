"""Losses on class scores (n, 3, h, w) and labels (n, h, w): cross-entropy, Dice, and both."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class DiceLoss(nn.Module):
    """1 - soft Dice of liver and tumor, pooled over the batch, background left out.

    fastai's DiceLoss includes the background and works per image, where most images hold no tumor.
    """

    def forward(self, scores: Tensor, labels: Tensor) -> Tensor:
        chance = scores.softmax(1)[:, 1:].float()
        truth = F.one_hot(labels.long(), scores.shape[1]).movedim(-1, 1)[:, 1:].float()
        overlap = (chance * truth).sum((0, 2, 3))
        total = chance.sum((0, 2, 3)) + truth.sum((0, 2, 3))
        return 1 - ((2 * overlap + 1) / (total + 1)).mean()


class DiceCrossEntropy(nn.Module):
    """Cross-entropy plus `DiceLoss`."""

    def __init__(self) -> None:
        super().__init__()
        self._dice = DiceLoss()

    def forward(self, scores: Tensor, labels: Tensor) -> Tensor:
        cross_entropy = F.cross_entropy(scores.float(), labels.long())
        loss: Tensor = cross_entropy + self._dice(scores, labels)
        return loss


class CrossEntropy(nn.Module):
    """Plain cross-entropy over the three classes."""

    def forward(self, scores: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(scores.float(), labels.long())


LOSSES: dict[str, type[nn.Module]] = {
    "dice+ce": DiceCrossEntropy,
    "ce": CrossEntropy,
    "dice": DiceLoss,
}
