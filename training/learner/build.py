"""The fastai Learner of a configuration: network, batches, loss and callbacks."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from fastai.callback.schedule import Learner
from fastai.callback.training import GradientClip
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from fastai.optimizer import OptimWrapper
from torch import nn
from torch.utils.data import Dataset, Subset

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.segmentation.inference import load_weights
from liverseg_gui.segmentation.models.registry import find_model
from liverseg_gui.segmentation.networks.unet import build_network, encoder_and_decoder
from liverseg_gui.segmentation.runtime.base import pick_device
from training.augmentation.batch_transform import BatchTransform
from training.config.train_config import TrainConfig
from training.data.slice_dataset import SliceDataset
from training.learner.callbacks.early_stopping import EarlyStopping
from training.learner.callbacks.ema import EMA
from training.learner.callbacks.gradient_accumulation import GradientAccumulation
from training.learner.distributed import Processes, ShardedDL, processes
from training.learner.losses import make_loss
from training.learner.precision import apply_precision, choose_precision
from training.learner.pretrained_weights import encoder_weights
from training.learner.validation_metrics import Accuracy, DicePerClass, MeanLoss

NoteCallback = Callable[[str], None]


def make_learner(
    config: TrainConfig,
    training: SliceDataset,
    validation: SliceDataset,
    on_note: NoteCallback = lambda _: None,
    new: bool = True,
) -> Learner:
    """The fastai Learner of `config`, whichever the architecture.

    Its `config` is `config` with the precision that was chosen. A network that is not `new` gets
    its weights from a checkpoint, so none are looked for.

    Raises:
        LiverSegError: the device, the precision or the weights are not to be had, or there are
            fewer slices than a batch needs.
    """
    here = processes()
    if len(training) // here.count < config.batch_size:
        raise LiverSegError(
            f"There are {len(training)} slices to train on, fewer than a batch of "
            f"{config.batch_size} needs. Add patients or choose a smaller --batch-size."
        )
    device = torch.device(pick_device(config.device))
    network = _network(config, new and here.leads)
    shape = (min(config.batch_size, 2), config.context, *config.trunk.size)
    precision = choose_precision(config.precision, device, network, shape, on_note)
    # bfloat16 on the CPU is fast with channels last.
    network = network.to(device).to(memory_format=torch.channels_last)
    callbacks = [BatchTransform(config), EMA(config.average)]
    callbacks += [EarlyStopping(config.patience)]
    callbacks += [GradientClip(config.clip)] if config.clip else []
    callbacks += [GradientAccumulation(config.accumulate)] if config.accumulate > 1 else []
    learner = Learner(
        _loaders(config, training, validation, here, device),
        network,
        loss_func=make_loss(config.loss, config.focal_gamma, config.tversky_beta),
        opt_func=partial(_adam, fused=device.type in ("cpu", "cuda")),
        splitter=encoder_and_decoder,  # fastai's own makes one group: nothing would be frozen
        metrics=[DicePerClass(1), DicePerClass(2), Accuracy()],
        wd=config.weight_decay,
        cbs=callbacks,
    )
    # fastai's own waits for ever where one process has fewer validation batches than another.
    learner.recorder.loss = MeanLoss()
    learner.config = replace(config, precision=precision)
    apply_precision(learner, precision)
    return learner


def _network(config: TrainConfig, with_weights: bool) -> nn.Module:
    weights = None
    if with_weights and config.encoder_weights is not None:
        encoder = config.architecture.split("-")[1]
        weights = encoder_weights(config.encoder_weights, encoder)
    network = build_network(config.architecture, config.context, config.trunk.size, weights)
    if with_weights and config.start_from is not None:
        load_weights(network, find_model(config.start_from))
    return network


def _loaders(
    config: TrainConfig,
    training: SliceDataset,
    validation: SliceDataset,
    here: Processes,
    device: torch.device,
) -> DataLoaders:
    part: SliceDataset | Dataset[Any] = validation
    if here.count > 1:
        whole = cast("Dataset[Any]", validation)
        part = Subset(whole, range(here.rank, len(validation), here.count))
    return DataLoaders(
        ShardedDL(
            training,
            parts=here.count,
            bs=config.batch_size,
            wgts=training.weights,
            shuffle=True,
            drop_last=True,
            num_workers=0,
        ),
        DataLoader(part, bs=config.batch_size, num_workers=0),
        device=device,
    )


def _adam(groups: list[list[nn.Parameter]], fused: bool, **settings: Any) -> OptimWrapper:
    """torch's AdamW with fastai's settings: fastai's own, which steps parameter by parameter, takes
    a sixth of a training step on the CPU. Weight decay reaches norms and biases, too."""
    return OptimWrapper(
        groups, torch.optim.AdamW, betas=(0.9, 0.99), eps=1e-5, fused=fused, **settings
    )


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
