"""The fit of a ResUNet with fastai: `fit_one_cycle`, then `fine_tune`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

from fastai.callback.schedule import Learner
from torch import nn

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.progress import Progress
from liverseg_gui.system.memory_usage import is_out_of_memory
from training.config.schedule import Stage, training_stages
from training.config.train_config import TrainConfig
from training.data.slice_dataset import SliceDataset
from training.learner.build import NoteCallback, make_learner, seed_everything
from training.learner.callbacks.checkpointing import CheckpointCallback, Failed
from training.learner.callbacks.validation_images import SaveValidationImages
from training.learner.checkpoint import (
    Identity,
    State,
    read_as_written,
    read_checkpoint,
    restore,
    restore_stage,
)
from training.learner.distributed import Processes, ShareSteps, gather, processes, together
from training.learner.gpu_memory import free_gpu_memory, halve_batch, keep_freed_memory
from training.runs.epoch_log import EpochResult, add_note
from training.runs.files import CHECKPOINT
from training.runs.observer import NULL_OBSERVER, Plan, TrainingObserver


def fit(
    config: TrainConfig,
    training: SliceDataset,
    validation: SliceDataset,
    out: Path,
    progress: Progress,
    *,
    resume: bool = False,
    identity: Identity | None = None,
    observer: TrainingObserver = NULL_OBSERVER,
) -> nn.Module:
    """Train on `training`, watch `validation`, and return the network after the last epoch.

    A checkpoint lies in `out` after every epoch; `resume` goes on from it, if it was made with the
    same `config` and the same `identity` of the data. Without `patience` nothing is chosen by the
    validation slices, so metrics on their patients stay honest. Where memory runs out the batch is
    halved, and two make a step. Notes lie in `out`, too. Of several processes all return the same
    network.

    Raises:
        LiverSegError: the checkpoint is damaged or belongs to another run, the loss is no number
            any more, or the disk is full.
        Cancelled: `progress` was cancelled; the checkpoint of the last whole epoch remains.
    """
    keep_freed_memory()

    def on_note(note: str) -> None:
        if processes().leads:
            add_note(out, note)
            observer.note(note)

    identity = identity or Identity()
    request = json.dumps([config.to_json(), identity.request], sort_keys=True)
    identity = replace(identity, request=request)
    attempt = FitAttempt(config, training, validation, out, progress, identity, on_note, observer)
    fitted = config
    with together(config.device) as here:
        while True:
            try:
                return attempt.run(fitted, resume, here)
            except Failed as failure:
                raise failure.error from failure.__cause__
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                _refuse_several(here)
            free_gpu_memory()
            fitted = halve_batch(attempt.fitted)
            resume = resume or attempt.saved
            on_note(
                f"Not enough memory: goes on with batches of {fitted.batch_size} slices, "
                f"{fitted.accumulate} to a step, from the last whole epoch."
            )


@dataclass
class FitAttempt:
    """A fit of the network, which is tried again with smaller batches where memory runs out."""

    config: TrainConfig
    training: SliceDataset
    validation: SliceDataset
    out: Path
    progress: Progress
    identity: Identity
    on_note: NoteCallback
    observer: TrainingObserver
    fitted: TrainConfig = field(init=False)
    saved: bool = False

    def run(self, config: TrainConfig, resume: bool, here: Processes) -> nn.Module:
        """One attempt, with the batch size of `config`."""
        state = self._state() if resume else None
        checkpoint = self.out / CHECKPOINT
        with read_as_written(checkpoint):
            self.fitted = config = _fitted(config, state)
        seed_everything(config.seed)
        learner = make_learner(config, self.training, self.validation, self.on_note, state is None)
        self.fitted = learner.config
        epochs = self._callbacks(learner, here)
        self.observer.start(_plan(learner))
        if state is not None:
            with read_as_written(checkpoint):
                restore(learner, state)
                epochs.resume_from(state)
            self.observer.resumed(epochs.rows)
        _fit(learner, epochs, config, state, checkpoint)
        network: nn.Module = learner.model
        best = learner.early_stopping.weights or learner.ema.average
        network.load_state_dict(best or network.state_dict())
        return network

    def _state(self) -> State | None:
        path = self.out / CHECKPOINT
        state = read_checkpoint(path, self.identity)
        with read_as_written(path):
            done = state and dict(state["done"])
        if len({json.dumps(each) for each in gather(done)}) > 1:
            raise LiverSegError(f"Not all processes find the same {path}. Use a shared folder.")
        return state

    def _callbacks(self, learner: Learner, here: Processes) -> CheckpointCallback:
        progress = self.progress
        if here.count > 1:
            seed_everything((self.config.seed + 1_000_003 * here.rank) % 2**32)
            learner.add_cb(ShareSteps(progress))
            progress = ShareSteps.shielded(progress)
        epochs = CheckpointCallback(
            self.out, progress, self._epoch_done, self.config, self.identity
        )
        learner.add_cb(epochs)
        if here.leads:
            learner.add_cb(
                SaveValidationImages(self.out, epochs, self.validation, here, self.observer.images)
            )
        return epochs

    def _epoch_done(self, result: EpochResult) -> None:
        self.saved = True
        self.observer.epoch(result)


def _fitted(config: TrainConfig, state: State | None) -> TrainConfig:
    """`config` as it was fitted to memory and processor before, unless a batch is smaller now."""
    if state is None:
        return config
    before = replace(config, **state["recipe"])
    if config.batch_size >= before.batch_size:
        return before
    return replace(before, batch_size=config.batch_size, accumulate=config.accumulate)


def _refuse_several(here: Processes) -> None:
    if here.count > 1:
        raise LiverSegError(
            "There is not enough memory for a batch. Start again with half the --batch-size and "
            "twice the --accumulate."
        )


def _plan(learner: Learner) -> Plan:
    config = learner.config
    stages = tuple((stage.name, stage.epochs) for stage in training_stages(config))
    return Plan(stages, learner.dls.device.type, config.precision, config.batch_size)


def _fit(
    learner: Learner,
    epochs: CheckpointCallback,
    config: TrainConfig,
    state: State | None,
    checkpoint: Path,
) -> None:
    with learner.no_bar(), learner.no_logging():
        for stage in training_stages(config):
            start = epochs.done.get(stage.name, 0)
            if start >= stage.epochs:
                continue
            learner.freeze() if stage.frozen else learner.unfreeze()
            # fastai steps with gradients that are still there from before freezing: weights decay.
            learner.model.zero_grad(set_to_none=True)
            learner.batch_transform.liver_view_probability = stage.liver_view_probability
            resumed = state if start else None
            if resumed is None:
                learner.early_stopping.enter()
            else:
                with read_as_written(checkpoint):
                    restore_stage(learner, resumed)
            epochs.enter(stage.name, stage.rate, resumed)
            fit_stage(learner, stage, start)


def fit_stage(learner: Learner, stage: Stage, start: int = 0) -> None:
    """One cycle of `learner`, from epoch `start`; frozen layers have no rate of their own."""
    rate = slice(stage.rate) if stage.frozen else stage.rate
    learner.fit_one_cycle(
        stage.epochs, rate, div=stage.div, pct_start=stage.rising, start_epoch=start
    )
