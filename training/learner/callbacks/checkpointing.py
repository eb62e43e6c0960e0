"""The end of each epoch: progress, checkpoint, log, and the reasons to stop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from fastai.callback.core import Callback, CancelFitException

from liverseg_gui.core.errors import LiverSegError, SaveError
from liverseg_gui.core.progress import Progress
from training.config.train_config import TrainConfig
from training.learner.checkpoint import Identity, State, capture, restore_fit, write_checkpoint
from training.learner.distributed import processes
from training.runs.epoch_log import EpochResult, write_log
from training.runs.files import CHECKPOINT


class Failed(Exception):  # noqa: N818
    """Carries an error out of a fit whole: fastai rewrites the words of what passes through it."""

    def __init__(self, error: LiverSegError) -> None:
        super().__init__(str(error))
        self.error = error


class CheckpointCallback(Callback):
    """Report progress at every batch; after every epoch save a checkpoint and report figures."""

    order = 90

    def __init__(
        self,
        out: Path,
        progress: Progress,
        on_epoch: Callable[[EpochResult], None],
        config: TrainConfig,
        identity: Identity,
    ) -> None:
        self._out, self._progress, self._on_epoch = out, progress, on_epoch
        self._identity = identity
        self._total = config.epochs + config.fine_tune_epochs + config.freeze_epochs
        self.done: dict[str, int] = {}
        self._rows: list[EpochResult] = []
        self._resumed: State | None = None
        self.stage, self._rate = "", 0.0
        self._before = 0
        self._began = 0.0

    def resume_from(self, state: State) -> None:
        """The epochs of `state` are done; the log is what it was then."""
        self.done = dict(state["done"])
        self._rows = [EpochResult(**row) for row in state["log"]]
        self._write_log()

    def enter(self, stage: str, rate: float, resumed: State | None) -> None:
        """The next epochs belong to `stage`, in the midst of which the `resumed` state was."""
        self.stage, self._rate, self._resumed = stage, rate, resumed
        self._before = sum(count for name, count in self.done.items() if name != stage)

    @property
    def number(self) -> int:
        """The present epoch counted over all stages, from 1."""
        return self._before + int(self.epoch) + 1

    @property
    def rows(self) -> tuple[EpochResult, ...]:
        """The epochs that are done."""
        return tuple(self._rows)

    def before_fit(self) -> None:
        if self._resumed is not None:
            restore_fit(self.learn, self._resumed)
            self._resumed = None

    def before_epoch(self) -> None:
        self._began = time.monotonic()

    def before_batch(self) -> None:
        batches = self.iter / max(self.n_iter, 1) if self.training else 1.0
        fraction = (sum(self.done.values()) + batches) / (self._total + 1)
        before_report = time.monotonic()
        self._progress.update(fraction, f"Training: {self.stage}, epoch {self.epoch + 1}")
        self._began += time.monotonic() - before_report  # it may have paused there

    def after_loss(self) -> None:
        if self.training:
            self._check(float(self.loss.detach()))

    def after_epoch(self) -> None:
        if self.epoch < self.done.get(self.stage, 0):
            return
        result = self._result()
        self._check(result.train_loss + result.valid_loss)
        stop = bool(self.learn.early_stopping.stop)
        self.done[self.stage] = int(self.n_epoch) if stop else self.epoch + 1
        self._rows.append(result)
        self._save()
        self._write_log()
        if processes().leads:
            self._on_epoch(result)
        if stop:
            raise CancelFitException

    def _result(self) -> EpochResult:
        train_loss, valid_loss, liver, tumor, accuracy = (float(v) for v in self.recorder.log[1:6])
        return EpochResult(
            self.stage,
            self.epoch + 1,
            train_loss,
            valid_loss,
            liver,
            tumor,
            time.monotonic() - self._began,
            accuracy,
            float(self.recorder.lrs[-1]),
            self.learn.config.batch_size,
        )

    def _check(self, loss: float) -> None:
        """Stop at a loss that is no number: every step after it would be lost."""
        if math.isfinite(loss):
            return
        raise Failed(
            LiverSegError(
                f"The loss is no number any more in epoch {self.epoch + 1} of {self.stage}: the "
                f"learning rate {self._rate:g} is too high. {self._kept()} Train into another "
                f"folder with a tenth of the rate, {self._rate / 10:g}"
                + (", or with --precision float32." if hasattr(self, "mixed_precision") else ".")
            )
        )

    def _save(self) -> None:
        state = capture(self.learn) | {
            "identity": self._identity.request,
            "content": self._identity.content,
            "done": self.done,
            "log": [asdict(row) for row in self._rows],
        }
        if not processes().leads:
            return
        try:
            write_checkpoint(self._out / CHECKPOINT, state, self._kept(self._rows[:-1]))
        except SaveError as error:
            raise Failed(error) from error

    def _kept(self, rows: list[EpochResult] | None = None) -> str:
        rows = self._rows if rows is None else rows
        if not rows:
            return "No checkpoint was written before."
        return f"The checkpoint after {rows[-1].stage}, epoch {rows[-1].epoch}, is kept."

    def _write_log(self) -> None:
        if not processes().leads:
            return
        try:
            write_log(self._out, self._rows)
        except SaveError as error:
            raise Failed(error) from error
