"""Train a ResUNet with fastai: `fit_one_cycle`, then `fine_tune`."""

from __future__ import annotations

import json
import pickle
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from fastai.callback.core import Callback
from fastai.callback.data import WeightedDL
from fastai.callback.schedule import Learner
from fastai.callback.training import GradientClip
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from fastcore.foundation import L
from torch import nn

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.inference import pick_device
from liverseg_gui.segmentation.networks import build_network, encoder_and_decoder
from training.augment import Augmentation
from training.data import SliceDataset
from training.losses import LOSSES
from training.memory import keep_freed_memory
from training.metrics import DicePerClass

CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a training run, besides the data itself.

    `epochs` of `fit_one_cycle` run at `first_size`, then `fine_tune_epochs` of `fine_tune` at
    `size`, the size of inference: fastai's progressive resizing, which halves the time on a CPU.
    """

    architecture: str = "slim-resnet18"
    size: tuple[int, int] = (192, 288)
    first_size: tuple[int, int] = (128, 192)
    epochs: int = 10
    fine_tune_epochs: int = 2
    learning_rate: float = 2e-3
    batch_size: int = 8
    loss: str = "dice+ce"
    seed: int = 0
    device: str = "auto"
    encoder_weights: Path | None = None
    augmentation: Augmentation = field(default_factory=Augmentation)

    def to_json(self) -> dict[str, Any]:
        """The settings as plain values for a model card."""
        values = asdict(self)
        values["encoder_weights"] = self.encoder_weights and self.encoder_weights.name
        return values


@dataclass(frozen=True)
class EpochResult:
    """What one epoch gave, for logs and progress."""

    stage: str
    epoch: int
    train_loss: float
    valid_loss: float
    liver_dice: float
    tumor_dice: float
    seconds: float


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
    return network


def _stages(config: TrainConfig) -> list[tuple[str, int, Callable[[Learner, int], None]]]:
    """The one-cycle fit from random (or pretrained) weights, then fastai's `fine_tune` in its two
    steps, frozen and unfrozen, spelled out so that each can be resumed."""
    rate = config.learning_rate

    def one_cycle(learner: Learner, start: int) -> None:
        learner.unfreeze()
        learner.prepare_batch.size = config.first_size
        learner.fit_one_cycle(config.epochs, rate, start_epoch=start)

    def frozen(learner: Learner, start: int) -> None:
        learner.freeze()
        learner.prepare_batch.size = config.size
        learner.fit_one_cycle(1, slice(rate / 4), pct_start=0.99, start_epoch=start)

    def unfrozen(learner: Learner, start: int) -> None:
        learner.unfreeze()
        learner.prepare_batch.size = config.size
        rates = slice(rate / 40, rate / 4)
        learner.fit_one_cycle(config.fine_tune_epochs, rates, div=5.0, start_epoch=start)

    return [
        ("one cycle", config.epochs, one_cycle),
        ("fine-tune, frozen", min(config.fine_tune_epochs, 1), frozen),
        ("fine-tune", config.fine_tune_epochs, unfrozen),
    ]


def make_learner(config: TrainConfig, training: SliceDataset, validation: SliceDataset) -> Learner:
    """The fastai Learner of `config`, whichever the architecture."""
    device = torch.device(pick_device(config.device))
    weights = None
    if config.encoder_weights is not None:
        weights = torch.load(config.encoder_weights, map_location="cpu", weights_only=True)
    network = build_network(config.architecture, 3, config.size, weights)
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
        splitter=encoder_and_decoder,
        metrics=[DicePerClass(1), DicePerClass(2)],
        cbs=[PrepareBatch(config.augmentation, config.size), GradientClip(1.0)],
    )
    if device.type == "cuda":
        learner.to_fp16()
    return learner


class PrepareBatch(Callback):
    """uint8 slices to float in 0..1 at `size` on the device, augmented while training."""

    order = -5

    def __init__(self, augmentation: Augmentation, size: tuple[int, int]) -> None:
        self._augmentation = augmentation
        self.size = size

    def before_batch(self) -> None:
        images = self.x.float().div_(255)
        labels = self.y.long()
        if self.training:
            images, labels = self._augmentation(images, labels, self.size)
        elif self.size != tuple(labels.shape[1:]):
            images = F.interpolate(images, self.size, mode="bilinear", antialias=True)
            labels = F.interpolate(labels[:, None].float(), self.size)[:, 0].long()
        self.learn.xb = (images.contiguous(memory_format=torch.channels_last),)
        self.learn.yb = (labels,)


class Checkpoint(Callback):
    """Report progress at every batch; after every epoch save a checkpoint and report figures."""

    order = 90

    def __init__(
        self,
        path: Path,
        progress: Progress,
        on_epoch: Callable[[EpochResult], None],
        config: TrainConfig,
        identity: str,
    ) -> None:
        self._path, self._progress, self._on_epoch = path, progress, on_epoch
        self._identity = identity
        self._total = config.epochs + config.fine_tune_epochs + min(config.fine_tune_epochs, 1)
        self._done: dict[str, int] = {}
        self._stage = ""
        self._began = 0.0

    def enter(self, stage: str) -> None:
        """The next epochs belong to `stage`."""
        self._stage = stage

    def before_epoch(self) -> None:
        self._began = time.monotonic()

    def before_batch(self) -> None:
        batches = self.iter / max(self.n_iter, 1) if self.training else 1.0
        fraction = (sum(self._done.values()) + batches) / (self._total + 1)
        self._progress.update(fraction, f"Training: {self._stage}, epoch {self.epoch + 1}")

    def after_epoch(self) -> None:
        if self.epoch < self._done.get(self._stage, 0):
            return
        self._done[self._stage] = self.epoch + 1
        self._save()
        train_loss, valid_loss, liver, tumor = (float(v) for v in self.recorder.log[1:5])
        seconds = time.monotonic() - self._began
        result = EpochResult(
            self._stage, self.epoch + 1, train_loss, valid_loss, liver, tumor, seconds
        )
        with self._path.with_name("log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(asdict(result)) + "\n")
        self._on_epoch(result)

    def load(self, learner: Learner) -> dict[str, int]:
        """Put the checkpoint, if there is one, into `learner`; returns epochs done by stage."""
        if not self._path.exists():
            return {}
        try:
            state = torch.load(self._path, map_location="cpu", weights_only=True)
        except (RuntimeError, OSError, EOFError, pickle.UnpicklingError) as error:
            raise LiverSegError(
                f"{self._path} is damaged. Train again into another folder."
            ) from error
        if state.get("identity") != self._identity:
            raise LiverSegError(
                f"{self._path} belongs to a training with other settings, patients or fold. "
                "Resume it with the same ones, or train into another folder."
            )
        learner.model.load_state_dict(state["model"])
        learner.create_opt()
        learner.opt.load_state_dict(
            {"state": state["optimizer"], "hypers": L(state["hyperparameters"])}
        )
        self._done = dict(state["done"])
        torch.set_rng_state(state["torch_rng"])
        return dict(self._done)

    def _save(self) -> None:
        optimizer = self.learn.opt.state_dict()
        state = {
            "model": self.learn.model.state_dict(),
            "optimizer": [dict(s) for s in optimizer["state"]],
            "hyperparameters": [
                {name: _plain(value) for name, value in group.items()}
                for group in optimizer["hypers"]
            ],
            "done": self._done,
            "identity": self._identity,
            "torch_rng": torch.get_rng_state(),
        }
        partial = self._path.with_suffix(".part")
        torch.save(state, partial)
        partial.replace(self._path)


def _plain(value: Any) -> Any:
    """A hyperparameter without NumPy, so that `weights_only` reads it back."""
    return value if isinstance(value, bool) else float(value)


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
