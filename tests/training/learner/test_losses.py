"""Losses against values worked out by hand, and the validation metrics."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from liverseg_gui.core.errors import LiverSegError
from training.config.train_config import LOSSES
from training.learner.losses import CrossEntropy, DiceLoss, FocalLoss, TverskyLoss, make_loss
from training.learner.validation_metrics import Accuracy, DicePerClass, MeanLoss


def scores_of(*chances: tuple[float, float, float]) -> Tensor:
    """Scores of one picture, a row of pixels with these chances of the three classes."""
    return torch.tensor(chances).log().T[None, :, None]


LABELS = torch.tensor([[[0, 1, 2, 2]]])
SCORES = scores_of((0.8, 0.1, 0.1), (0.25, 0.5, 0.25), (0.1, 0.2, 0.7), (0.6, 0.2, 0.2))


def test_cross_entropy_is_the_mean_log_of_the_true_chance() -> None:
    by_hand = -(math.log(0.8) + math.log(0.5) + math.log(0.7) + math.log(0.2)) / 4
    assert CrossEntropy()(SCORES, LABELS) == pytest.approx(by_hand)


def test_the_focal_loss_forgives_what_is_nearly_right() -> None:
    pixels = [(1 - p) ** 2 * -math.log(p) for p in (0.8, 0.5, 0.7, 0.2)]
    assert FocalLoss(2.0)(SCORES, LABELS) == pytest.approx(sum(pixels) / 4)
    assert FocalLoss(0.0)(SCORES, LABELS) == pytest.approx(float(CrossEntropy()(SCORES, LABELS)))


def test_dice_is_pooled_over_the_foreground() -> None:
    liver = (2 * 0.5 + 1) / ((0.1 + 0.5 + 0.2 + 0.2) + 1 + 1)
    tumor = (2 * (0.7 + 0.2) + 1) / ((0.1 + 0.25 + 0.7 + 0.2) + 2 + 1)
    assert DiceLoss()(SCORES, LABELS) == pytest.approx(1 - (liver + tumor) / 2)


def test_tversky_weighs_missed_against_false_pixels() -> None:
    liver = (0.5 + 0.5) / (0.5 + 0.3 * 0.5 + 0.7 * 0.5 + 0.5)
    tumor = (0.9 + 0.5) / (0.9 + 0.3 * 0.35 + 0.7 * 1.1 + 0.5)
    assert TverskyLoss(0.7)(SCORES, LABELS) == pytest.approx(1 - (liver + tumor) / 2)
    focal = ((1 - liver) ** 0.75 + (1 - tumor) ** 0.75) / 2
    assert make_loss("focal-tversky", beta=0.7)(SCORES, LABELS) == pytest.approx(focal)


def test_even_tversky_is_dice() -> None:
    assert TverskyLoss(0.5)(SCORES, LABELS) == pytest.approx(float(DiceLoss()(SCORES, LABELS)))


def test_a_missed_tumor_costs_tversky_more_than_a_false_one() -> None:
    nothing, tumor = torch.zeros(1, 1, 8, dtype=torch.long), torch.zeros(1, 1, 8, dtype=torch.long)
    tumor[..., :4] = 2
    found = torch.nn.functional.one_hot(tumor, 3).movedim(-1, 1) * 50.0
    none = torch.nn.functional.one_hot(nothing, 3).movedim(-1, 1) * 50.0
    half = torch.zeros_like(tumor)
    half[..., :2] = 2
    halved = torch.nn.functional.one_hot(half, 3).movedim(-1, 1) * 50.0
    assert TverskyLoss(0.9)(halved, tumor) > TverskyLoss(0.1)(halved, tumor)
    assert TverskyLoss(0.9)(found, half) < TverskyLoss(0.1)(found, half)
    assert TverskyLoss()(none, tumor) > 0.4


def test_background_does_not_soften_the_dice_loss() -> None:
    labels = torch.zeros(1, 64, 64, dtype=torch.long)
    labels[:, 30:34, 30:34] = 2
    nothing = torch.nn.functional.one_hot(torch.zeros_like(labels), 3).movedim(-1, 1) * 50.0
    assert DiceLoss()(nothing, labels) > 0.45


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_least_where_all_is_right_and_has_a_slope(name: str) -> None:
    labels = torch.zeros(2, 16, 16, dtype=torch.long)
    labels[:, 4:12, 4:8], labels[:, 4:12, 8:12] = 1, 2
    right = torch.nn.functional.one_hot(labels, 3).movedim(-1, 1) * 50.0
    wrong = torch.nn.functional.one_hot((labels + 1) % 3, 3).movedim(-1, 1) * 5.0
    wrong.requires_grad_()
    loss = make_loss(name)
    assert loss(right, labels) < 1e-3
    assert loss(wrong, labels) > 0.6
    loss(wrong, labels).backward()
    assert wrong.grad is not None
    assert torch.isfinite(wrong.grad).all()
    assert wrong.grad.abs().sum() > 0


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_computed_in_float32(name: str) -> None:
    half = SCORES.bfloat16()
    value = make_loss(name)(half, LABELS)
    assert value.dtype == torch.float32
    assert value == pytest.approx(float(make_loss(name)(half.float(), LABELS)), abs=1e-6)


@pytest.mark.parametrize("name", [name for name in LOSSES if "+" in name])
def test_a_sum_is_the_sum_of_its_parts(name: str) -> None:
    parts = [float(make_loss(part)(SCORES, LABELS)) for part in name.split("+")]
    assert make_loss(name)(SCORES, LABELS) == pytest.approx(sum(parts))


def test_an_unknown_loss_is_refused_with_those_there_are() -> None:
    with pytest.raises(LiverSegError, match=r"no loss 'hinge'.*dice\+ce"):
        make_loss("hinge")


def test_figures_of_an_epoch_are_of_all_batches_together() -> None:
    metrics = [DicePerClass(1), DicePerClass(2), Accuracy(), MeanLoss()]
    batches = [([0, 1, 2, 2], [0, 1, 2, 0], 1.0), ([1], [1], 4.0)]
    for truth, found, loss in batches:
        scores = torch.nn.functional.one_hot(torch.tensor([[found]]), 3).movedim(-1, 1)
        labels, value = torch.tensor([[truth]]), torch.tensor(loss)
        learn = SimpleNamespace(pred=scores, yb=(labels,), loss=value)
        for metric in metrics:
            metric.accumulate(learn)
    liver, tumor, accuracy, mean_loss = (metric.value for metric in metrics)
    assert liver == pytest.approx(2 * 3 / (3 + 4))
    assert tumor == pytest.approx(2 * 1 / (1 + 2))
    assert accuracy == pytest.approx(4 / 5)
    assert mean_loss == pytest.approx(2.5)
