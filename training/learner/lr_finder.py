"""The learning rate finder: fastai's `lr_find` (Smith 2017), and its curve."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from fastai.callback.schedule import LRFinder, ParamScheduler, slide, valley

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.progress import Progress
from liverseg_gui.system.atomic_write import atomic_write, not_written, require_place
from liverseg_gui.system.csv_table import csv_table
from training.config.train_config import TrainConfig
from training.data.slice_dataset import SliceDataset
from training.learner.build import make_learner, seed_everything
from training.learner.distributed import processes
from training.learner.gpu_memory import keep_freed_memory
from training.runs.files import CURVE, CURVE_TABLE

_LOWEST, _HIGHEST = 1e-7, 10.0


@dataclass(frozen=True)
class LRCurve:
    """The smoothed loss at each of the rising `rates`, and two suggestions.

    `valley` is the rate in the longest fall of the loss, fastai's first choice; `slide` the
    highest one before the loss turns.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    valley: float
    slide: float

    def write(self, folder: Path) -> None:
        """Write the curve as JSON and as CSV.

        Raises:
            SaveError: the folder cannot be written, or holds other files of these names.
        """
        require_place(folder / CURVE, ".json", '"rates": [')
        require_place(folder / CURVE_TABLE, ".csv", "learning_rate,loss")
        columns = ("learning_rate", "loss")
        values = zip(self.rates, self.losses, strict=True)
        table = csv_table(columns, (dict(zip(columns, row, strict=True)) for row in values))
        text = json.dumps(asdict(self), indent=1) + "\n"

        for name, content in ((CURVE, text), (CURVE_TABLE, table)):
            with atomic_write(folder / name, not_written(folder)) as beside:
                beside.write_bytes(content.encode())


def find_learning_rate(
    config: TrainConfig,
    training: SliceDataset,
    progress: Progress | None = None,
    steps: int = 100,
) -> LRCurve:
    """Train for `steps` batches at rates from 1e-7 up to 10, or until the loss explodes.

    The network is thrown away; no file is read or written. The configuration is that of the first
    stage.

    Raises:
        LiverSegError: too few slices, several processes, or a loss that is no number from the
            start.
        Cancelled: `progress` was cancelled.
    """
    if processes().count > 1:
        raise LiverSegError("One process looks for a learning rate. Start it without torchrun.")
    keep_freed_memory()
    seed_everything(config.seed)
    learner = make_learner(config, training, training)
    finder = _Finder(_LOWEST, _HIGHEST, steps, progress or Progress())
    epochs = steps // len(learner.dls.train) + 1
    with learner.no_bar(), learner.no_logging():
        learner.fit(epochs, cbs=finder)
    return _curve(learner.recorder.lrs, [float(v) for v in learner.recorder.losses], steps)


def _curve(rates: list[float], losses: list[float], steps: int) -> LRCurve:
    """The curve without its ends, as fastai cuts them: first unsettled, at last exploding."""
    rates, losses = rates[steps // 10 : -5], losses[steps // 10 : -5]
    valid = next((n for n, loss in enumerate(losses) if not math.isfinite(loss)), len(losses))
    rates, losses = rates[:valid], losses[:valid]
    if len(losses) < 3:
        raise LiverSegError(
            "The loss was no number before a rate could be found. Check the data, or train in "
            "float32 (--precision float32)."
        )
    lowest, _ = valley(rates, losses, steps)
    last, _ = slide(rates, torch.tensor(losses), steps)
    return LRCurve(tuple(rates), tuple(losses), float(lowest), float(last))


class _Finder(LRFinder):
    """fastai's finder without its file of the weights: this network is not trained on."""

    def __init__(self, low: float, high: float, steps: int, progress: Progress) -> None:
        super().__init__(low, high, steps)
        self._progress = progress

    def before_fit(self) -> None:
        ParamScheduler.before_fit(self)
        self.best_loss = float("inf")

    def before_batch(self) -> None:
        done = self.train_iter / self.num_it
        self._progress.update(done, "Looking for a learning rate")
        super().before_batch()

    def after_fit(self) -> None:
        """Nothing to put back."""
