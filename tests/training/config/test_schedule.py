from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fastai.callback.core import Callback
from fastai.callback.schedule import Learner
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from torch import nn

from training.config.schedule import planned_rates, training_stages
from training.config.train_config import TrainConfig
from training.learner.fit import fit_stage

RECIPE = TrainConfig(epochs=2, fine_tune_epochs=3, learning_rate=4e-3, fine_tune_rate=3e-4)
BATCHES = 7


class Rates(Callback):
    """Notes the rate each step is made with."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def after_pred(self) -> None:
        self.seen.append(self.opt.hypers[-1]["lr"])


def rates_of_fastai(config: TrainConfig) -> list[float]:
    """The rates of the training's own stages, on a network of two layers."""
    items: list[Any] = [(np.float32([n]), np.float32([n])) for n in range(BATCHES)]
    loaders = DataLoaders(DataLoader(items, bs=1), DataLoader(items, bs=1))
    network = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    notes = Rates()
    learner = Learner(
        loaders,
        network,
        loss_func=nn.MSELoss(),
        splitter=lambda net: [list(layer.parameters()) for layer in net],
        cbs=notes,
    )
    with learner.no_bar(), learner.no_logging():
        for stage in training_stages(config):
            learner.freeze() if stage.frozen else learner.unfreeze()
            fit_stage(learner, stage)
    return notes.seen


@pytest.mark.parametrize("weights", [None, "imagenet"])
def test_the_planned_rates_are_those_that_fastai_steps_with(weights: str | None) -> None:
    config = replace(RECIPE, encoder_weights=weights)
    planned = planned_rates(config, BATCHES)
    seen = rates_of_fastai(config)
    steps = [rate for n, rate in enumerate(seen) if n // BATCHES % 2 == 0]  # then it validates
    assert len(planned) == len(steps) == BATCHES * (6 if weights else 5)
    np.testing.assert_allclose(planned, steps, rtol=1e-5)


def test_only_stages_with_epochs_are_planned() -> None:
    assert [c.name for c in training_stages(replace(RECIPE, fine_tune_epochs=0))] == ["one cycle"]
    assert [c.name for c in training_stages(replace(RECIPE, epochs=0))] == ["fine-tune"]


def test_batches_look_at_the_liver_while_fine_tuning_where_there_is_a_liver_view() -> None:
    config = replace(RECIPE, encoder_weights="imagenet", liver_share=0.6)
    stages = training_stages(config)
    assert [stage.name for stage in stages] == ["one cycle", "fine-tune, frozen", "fine-tune"]
    assert [stage.liver_view_probability for stage in stages] == [0.0, 0.6, 0.6]
    plain = training_stages(replace(config, liver=None))
    assert [stage.liver_view_probability for stage in plain] == [0.0, 0.0, 0.0]
