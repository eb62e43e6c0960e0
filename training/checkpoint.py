"""A training on disk: saved whole after every epoch, and gone on with exactly from there."""

from __future__ import annotations

import json
import pickle
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fastai.callback.core import Callback
from fastai.callback.schedule import Learner

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.progress import Progress
from training.averaging import AverageWeights
from training.config import TrainConfig

CHECKPOINT = "checkpoint.pt"
LOG = "log.jsonl"


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
        self._total = config.epochs + config.fine_tune_epochs + config.freeze_epochs
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
        with self._path.with_name(LOG).open("a", encoding="utf-8") as log:
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
        learner.opt.load_state_dict(state["optimizer"])
        self._done = dict(state["done"])
        average = learner.average_weights
        average.average, average.steps = state["average"], state["average_steps"]
        torch.set_rng_state(state["torch_rng"])
        name, *numbers = state["numpy_rng"]
        np.random.set_state((name, np.array(numbers[0], np.uint32), *numbers[1:]))
        return dict(self._done)

    def _save(self) -> None:
        optimizer = self.learn.opt.state_dict()
        groups = [
            {name: _plain(value) for name, value in group.items()}
            for group in optimizer["param_groups"]
        ]
        average: AverageWeights = self.learn.average_weights
        name, keys, *numbers = np.random.get_state()
        state = {
            "model": self.learn.model.state_dict(),
            "optimizer": {"state": optimizer["state"], "param_groups": groups},
            "average": average.average,
            "average_steps": average.steps,
            "done": self._done,
            "identity": self._identity,
            "torch_rng": torch.get_rng_state(),
            "numpy_rng": [name, [int(key) for key in keys], *numbers],
        }
        partial = self._path.with_suffix(".part")
        torch.save(state, partial)
        partial.replace(self._path)


def _plain(value: Any) -> Any:
    """A hyperparameter without NumPy, so that `weights_only` reads it back."""
    if isinstance(value, (tuple, list)):
        return type(value)(_plain(v) for v in value)
    return float(value) if isinstance(value, np.floating) else value
