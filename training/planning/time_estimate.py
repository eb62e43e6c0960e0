"""The time and memory of a training on this computer, measured on a few steps."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.progress import Progress, seconds_or_minutes
from liverseg_gui.system.child_process import call_in_child
from liverseg_gui.system.memory_usage import peak_memory_mb
from training.config.schedule import training_stages

if TYPE_CHECKING:
    from training.config.train_config import TrainConfig
    from training.data.slice_dataset import SliceDataset

_MEASURED = 3
"""Steps of each view whose median counts; one before them plans and is left out."""


@dataclass(frozen=True)
class Estimate:
    """What a training will need: `seconds`, and `memory_mb` at its peak, on `device`.

    The memory is that of the process on the CPU, that of the GPU on one. `trunk_s` and
    `liver_view_s` are a step of each view, `valid_s` a validation batch.
    """

    seconds: float
    memory_mb: float | None
    device: str
    precision: str
    trunk_s: float
    liver_view_s: float
    valid_s: float

    def __str__(self) -> str:
        place = {"cpu": "this CPU", "cuda": "this GPU"}.get(self.device, f"this {self.device}")
        text = f"about {duration(self.seconds)} on {place}"
        return text if self.memory_mb is None else f"{text}, {self.memory_mb / 1000:.1f} GB"


def duration(seconds: float) -> str:
    """A time as people say it: "50 s", "12 min", "1 h 10 min", "2 days 3 h"."""
    minutes = round(seconds / 60)
    if minutes < 60:
        return seconds_or_minutes(seconds)
    if minutes < 48 * 60:
        hours, rest = divmod(5 * round(minutes / 5), 60)
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, hours = divmod(round(minutes / 60), 24)
    return f"{days} days {hours} h" if hours else f"{days} days"


def whole_time(
    config: TrainConfig,
    slices: int,
    watched: int,
    trunk_s: float,
    liver_view_s: float,
    valid_s: float,
) -> float:
    """Seconds of all epochs with `slices` to train on and `watched` to validate on."""
    batches = slices // config.batch_size
    validated = -(-watched // config.batch_size) * valid_s
    total = 0.0
    for stage in training_stages(config):
        step_s = (
            stage.liver_view_probability * liver_view_s
            + (1 - stage.liver_view_probability) * trunk_s
        )
        total += stage.epochs * (batches * step_s + validated)
    return total


def estimate_time(config: TrainConfig, slices: int, watched: int, progress: Progress) -> Estimate:
    """Make a few steps of `config` in a process of its own, and multiply.

    Augmentation, precision, loss and optimizer are those of `config`; weights and pictures are
    random, which changes nothing in the time. Reading and evaluating the cases is not counted.

    Raises:
        LiverSegError: it does not run here, or not in the memory there is.
        Cancelled: `progress` was cancelled; the process is ended.
    """
    began = time.monotonic()

    def near_end(_: float, phase: str) -> None:
        """How long it takes is what is to be found: a fraction that nears 1 and never is."""
        progress.update(1 - 1 / (1 + (time.monotonic() - began) / 10), phase)

    plain = replace(config, encoder_weights=None, start_from=None)
    died = LiverSegError(
        "The measurement ended unexpectedly, often for lack of memory. Choose a smaller batch, "
        "or a smaller network."
    )
    work = partial(_measured, plain, slices, watched)
    return call_in_child(work, Progress(near_end), "Measuring a few steps", died)


def _measured(config: TrainConfig, slices: int, watched: int, _: Progress) -> Estimate:
    """`measure_steps`, with errors of torch as messages for people."""
    from liverseg_gui.system.memory_usage import is_out_of_memory

    try:
        return measure_steps(config, slices, watched)
    except RuntimeError as error:
        short = is_out_of_memory(error)
        text = "There is not enough memory. Choose a smaller batch." if short else str(error)
        raise LiverSegError(text) from error


def measure_steps(config: TrainConfig, slices: int, watched: int) -> Estimate:
    """As `estimate_time`, in this process.

    Raises:
        LiverSegError: the device or the precision is not to be had.
    """
    from training.learner.build import make_learner
    from training.learner.gpu_memory import keep_freed_memory

    keep_freed_memory()
    learner = make_learner(
        config, _pictures(config, 3 * config.batch_size), _pictures(config, config.batch_size)
    )
    device = learner.dls.device
    with learner.no_bar(), learner.no_logging():
        trunk = _steps(learner, 0.0)
        liver_view = _steps(learner, 1.0) if config.liver is not None else trunk
        valid = _validation(learner)
    seconds = whole_time(config, slices, watched, trunk, liver_view, valid)
    precision = learner.config.precision
    memory = _memory_mb(device)
    return Estimate(seconds, memory, device.type, precision, trunk, liver_view, valid)


def _steps(learner: Any, liver_view_probability: float) -> float:
    """Median seconds of a step, with the batch's reading before it."""
    from training.learner.callbacks.step_timer import StepTimer

    learner.batch_transform.liver_view_probability = liver_view_probability
    clock = StepTimer(learner.dls.device, _MEASURED + 1)
    learner.fit(_MEASURED + 1, lr=1e-6, cbs=clock)
    return float(np.median(clock.seconds[1:]))


def _validation(learner: Any) -> float:
    learner.validate()  # the first one plans
    began = time.perf_counter()
    learner.validate()
    return time.perf_counter() - began


def _pictures(config: TrainConfig, count: int) -> SliceDataset:
    """Random slices with a liver and a tumor, as large as prepared ones are."""
    from liverseg_gui.segmentation.preprocessing import CONTEXT_MM
    from training.data.slice_dataset import GRID, PreparedCase, SliceDataset

    rows, columns = GRID
    images = np.random.default_rng(0).integers(0, 256, (count, *GRID), np.uint8)
    labels = np.zeros_like(images)
    labels[:, rows // 4 : rows // 2, columns // 6 : columns // 2] = 1
    labels[:, rows // 3 : rows // 2 - 20, columns // 4 : columns // 3] = 2
    z = np.arange(count, dtype=np.float64) * CONTEXT_MM
    case = PreparedCase("random", images, labels, z, CONTEXT_MM)
    return SliceDataset([case], config.context)


def _memory_mb(device: Any) -> float:
    """The peak so far: on CUDA what the GPU held for this process, else that of the process."""
    if device.type == "cuda":
        import torch

        return float(torch.cuda.max_memory_reserved(device)) / 1e6
    return peak_memory_mb()
