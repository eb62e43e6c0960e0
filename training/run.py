"""A whole training run: read the cases, split by patient, train, evaluate, export."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from liverseg_gui.core.errors import LiverSegError, SaveError
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.inference import Predictor, pick_device
from liverseg_gui.segmentation.preprocessing import WINDOW_HU
from training.data import (
    Case,
    SliceDataset,
    case_names,
    load_lits2d,
    phantom_case,
    split_patients,
)
from training.evaluation import PatientResult, evaluate
from training.export import export_model
from training.learner import CHECKPOINT, EpochResult, TrainConfig, train

_LIBRARIES = ("torch", "torchvision", "fastai", "numpy", "scipy")


@dataclass(frozen=True)
class TrainRun:
    """What to train on and where to put the outcome: `out/model`, with checkpoint and log in `out`.

    `fold` of `folds` is held out, by patient. `phantoms` synthetic abdomens are mixed in.
    """

    data: Path
    out: Path
    name: str = "trained"
    folds: int = 5
    fold: int = 0
    phantoms: int = 4
    command: str = ""
    config: TrainConfig = field(default_factory=TrainConfig)


def run_training(
    run: TrainRun,
    progress: Progress,
    on_epoch: Callable[[EpochResult], None] = lambda _: None,
    resume: bool = False,
) -> list[PatientResult]:
    """Carry out `run` and return the figures of the held-out patients.

    Raises:
        LiverSegError: the data cannot be used.
        Cancelled: cancelled; `resume` goes on from the last whole epoch.
    """
    config = run.config
    names = case_names(run.data)
    held_out = _held_out(run, names)
    _prepare_folder(run.out, resume)
    aspect = config.size[1] / config.size[0]
    reading = progress.part(0.0, 0.02)
    cases = _read(run.data, [n for n in names if n not in held_out], aspect, reading)
    for n in range(run.phantoms):
        reading.update(1.0, f"Making phantom {n + 1}")
        cases.append(phantom_case(n, aspect))
    unseen = _read(run.data, held_out, aspect, reading)
    training = SliceDataset(cases, config.size, reading)
    validation = SliceDataset(unseen, config.size, reading)
    network = train(
        config,
        training,
        validation,
        run.out,
        progress.part(0.02, 0.95),
        on_epoch,
        resume,
        f"{names} without {held_out}, {run.phantoms} phantoms",
    )
    predictor = Predictor(network, config.size, pick_device(config.device))
    results = evaluate(predictor, unseen, progress.part(0.95, 1.0))
    export_model(network, run.out / "model", _card(run, cases, results))
    return results


def _held_out(run: TrainRun, names: list[str]) -> list[str]:
    if run.folds < 2 or not 0 <= run.fold < run.folds:
        raise LiverSegError(
            f"There is no fold {run.fold} of {run.folds}. Use at least 2 folds and count from 0."
        )
    if len(names) < run.folds:
        raise LiverSegError(
            f"{run.data} has {len(names)} patients: too few for {run.folds} folds. Add patients "
            "or use fewer folds."
        )
    return split_patients(names, run.folds, run.fold, run.config.seed)


def _prepare_folder(out: Path, resume: bool) -> None:
    """Make `out`; an earlier training in it is neither overwritten nor mixed with this one."""
    if (out / CHECKPOINT).exists() and not resume:
        raise LiverSegError(
            f"{out} holds a training already. Go on with --resume, or choose another folder."
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SaveError(f"{out} could not be made: {error.strerror}.") from error


def _read(folder: Path, names: list[str], aspect: float, progress: Progress) -> list[Case]:
    cases = []
    for n, case in enumerate(load_lits2d(folder, names, aspect)):
        progress.update(n / len(names), f"Reading {case.name}")
        cases.append(case)
    return cases


def _card(run: TrainRun, cases: list[Case], results: list[PatientResult]) -> dict[str, Any]:
    """The model card: how to feed the network, and all a reader needs to judge it."""
    return {
        "name": run.name,
        "architecture": run.config.architecture,
        "size": run.config.size,
        "window_hu": WINDOW_HU,
        "command": run.command,
        "training": run.config.to_json(),
        "trained_on": [case.name for case in cases],
        "held_out": [asdict(result) for result in results],
        "held_out_note": "Dice on the slices' own pixels, network alone, no clean-up. "
        "These patients took no part in training.",
        "libraries": {"python": platform.python_version()}
        | {name: version(name) for name in _LIBRARIES},
    }
