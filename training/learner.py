"""Train a ResUNet with fastai: `fit_one_cycle`, then `fine_tune`."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fastai.callback.data import WeightedDL
from fastai.callback.schedule import Learner
from fastai.callback.training import GradientClip
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from fastai.optimizer import OptimWrapper
from torch import nn

from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.inference import load_weights, pick_device
from liverseg_gui.segmentation.networks import build_network, encoder_and_decoder
from liverseg_gui.segmentation.registry import find_model
from training.averaging import AverageWeights
from training.batches import PrepareBatch
from training.checkpoint import CHECKPOINT, Checkpoint, EpochResult
from training.config import TrainConfig
from training.dataset import SliceDataset
from training.losses import LOSSES
from training.memory import keep_freed_memory
from training.metrics import DicePerClass


def train(
    config: TrainConfig,
    training: SliceDataset,
    validation: SliceDataset,
    out: Path,
    progress: Progress,
    on_epoch: Callable[[EpochResult], None] = lambda _: None,
    resume: bool = False,
    identity: str = "",
) -> nn.Module:
    """Train on `training`, watch `validation`, and return the network after the last epoch.

    A checkpoint lies in `out` after every epoch; `resume` goes on from it, if it was made with the
    same `config` and the same `identity` of the data. Nothing is chosen by the validation slices,
    so figures on their patients stay honest.

    Raises:
        LiverSegError: the checkpoint is damaged or belongs to another run.
        Cancelled: `progress` was cancelled; the checkpoint of the last whole epoch remains.
    """
    keep_freed_memory()
    seed_everything(config.seed)
    learner = make_learner(config, training, validation)
    identity = json.dumps([config.to_json(), identity], sort_keys=True)
    checkpoint = Checkpoint(out / CHECKPOINT, progress, on_epoch, config, identity)
    done = checkpoint.load(learner) if resume else {}
    learner.add_cb(checkpoint)
    with learner.no_bar(), learner.no_logging():
        for stage, epochs, run in _stages(config):
            start = done.get(stage, 0)
            if epochs and start < epochs:
                checkpoint.enter(stage)
                run(learner, start)
    network: nn.Module = learner.model
    network.load_state_dict(learner.average_weights.average or network.state_dict())
    return network


def _stages(config: TrainConfig) -> list[tuple[str, int, Callable[[Learner, int], None]]]:
    """The one-cycle fit from random (or given) weights, then fastai's `fine_tune` in its two
    steps, frozen and unfrozen, spelled out so that each can be resumed."""
    rate, fine = config.learning_rate, config.fine_tune_rate

    def one_cycle(learner: Learner, start: int) -> None:
        learner.unfreeze()
        learner.prepare_batch.closer = 0.0
        learner.fit_one_cycle(config.epochs, rate, start_epoch=start)

    def frozen(learner: Learner, start: int) -> None:
        learner.freeze()
        learner.prepare_batch.closer = config.liver_share
        learner.fit_one_cycle(1, slice(fine), pct_start=0.99, start_epoch=start)

    def unfrozen(learner: Learner, start: int) -> None:
        learner.unfreeze()
        learner.prepare_batch.closer = config.liver_share
        learner.fit_one_cycle(config.fine_tune_epochs, fine, div=5.0, start_epoch=start)

    return [
        ("one cycle", config.epochs, one_cycle),
        ("fine-tune, frozen", config.freeze_epochs, frozen),
        ("fine-tune", config.fine_tune_epochs, unfrozen),
    ]


def make_learner(config: TrainConfig, training: SliceDataset, validation: SliceDataset) -> Learner:
    """The fastai Learner of `config`, whichever the architecture."""
    device = torch.device(pick_device(config.device))
    weights = None
    if config.encoder_weights is not None:
        weights = torch.load(config.encoder_weights, map_location="cpu", weights_only=True)
    network = build_network(config.architecture, config.context, config.trunk.size, weights)
    if config.start_from is not None:
        load_weights(network, find_model(config.start_from))
    network = network.to(device).to(memory_format=torch.channels_last)
    loaders = DataLoaders(
        WeightedDL(
            training,
            bs=config.batch_size,
            wgts=training.weights,
            shuffle=True,  # without it WeightedDL ignores the weights
            drop_last=True,
            num_workers=0,
        ),
        DataLoader(validation, bs=config.batch_size, num_workers=0),
        device=device,
    )
    learner = Learner(
        loaders,
        network,
        loss_func=LOSSES[config.loss](),
        opt_func=_adam,
        splitter=encoder_and_decoder,
        wd=0.01,
        metrics=[DicePerClass(1), DicePerClass(2)],
        cbs=[PrepareBatch(config), GradientClip(1.0), AverageWeights(config.average)],
    )
    if device.type == "cuda":
        learner.to_fp16()
    return learner


def _adam(groups: list[list[nn.Parameter]], **settings: Any) -> OptimWrapper:
    """torch's fused AdamW with fastai's figures: its own steps parameter by parameter take a sixth
    of a training step on the CPU."""
    return OptimWrapper(
        groups, torch.optim.AdamW, betas=(0.9, 0.99), eps=1e-5, fused=True, **settings
    )


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
