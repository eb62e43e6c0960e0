"""A whole training run: read the cases, split by patient, train, evaluate, export."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from liverseg_gui.core.errors import LiverSegError, SaveError
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.inference import Predictor, pick_device
from liverseg_gui.segmentation.preprocessing import WINDOW_HU
from training.cases import CaseSource
from training.checkpoint import CHECKPOINT
from training.config import TrainConfig
from training.dataset import PreparedCase, SliceDataset, prepare
from training.distributed import processes
from training.evaluation import PatientResult, evaluate
from training.export import export_model
from training.learner import train
from training.lits2d import lits2d_sources
from training.log import EpochResult
from training.phantoms import PhantomCase
from training.rates import RateCurve, find_rate
from training.splits import split_patients

_LIBRARIES = ("torch", "torchvision", "fastai", "numpy", "scipy")


@dataclass(frozen=True)
class TrainRun:
    """What to train on and where to put the outcome: `out/model`, with checkpoint and log in `out`.

    `fold` of `folds` is held out, by patient, as `split_seed` deals them; with one fold all are
    trained on. `phantoms` synthetic abdomens are mixed in.
    """

    data: Path
    out: Path
    name: str = "trained"
    folds: int = 5
    fold: int = 0
    split_seed: int = 5
    phantoms: int = 4
    command: str = ""
    config: TrainConfig = field(default_factory=TrainConfig)


def run_training(
    run: TrainRun,
    progress: Progress,
    on_epoch: Callable[[EpochResult], None] = lambda _: None,
    resume: bool = False,
    on_note: Callable[[str], None] = lambda _: None,
) -> list[PatientResult]:
    """Carry out `run` and return the figures of the held-out patients.

    `on_note` is told what a person should know. Of several processes (`training.distributed`) the
    first evaluates and writes the model; the others return nothing.

    Raises:
        LiverSegError: the data cannot be used, or the training failed (`training.learner.train`).
        Cancelled: cancelled; `resume` goes on from the last whole epoch.
    """
    config = run.config
    sources = {source.name: source for source in lits2d_sources(run.data)}
    held_out = _held_out(run, list(sources))
    _prepare_folder(run.out, resume)
    known = _known(run, sources, held_out)
    unseen: list[CaseSource] = [sources[name] for name in held_out]
    training = SliceDataset(_prepare(known, progress.part(0.0, 0.02)), config.context)
    # Without held-out patients the curves show the training patients; no figure is made of them.
    watched = unseen or known[:1]
    validation = SliceDataset(_prepare(watched, progress.part(0.02, 0.03)), config.context)
    network = train(
        config,
        training,
        validation,
        run.out,
        progress.part(0.03, 0.95),
        on_epoch,
        resume,
        f"{sorted(sources)} without {held_out}, {run.phantoms} phantoms",
        on_note,
    )
    if not processes().leads:
        return []
    closer = config.liver.of_trunk if config.liver else None
    predictor = Predictor(network, config.trunk.size, pick_device(config.device), closer)
    results = evaluate(
        predictor, unseen, config.trunk.size, config.context, progress.part(0.95, 1.0)
    )
    export_model(network, run.out / "model", _card(run, known, results))
    return results


def find_run_rate(run: TrainRun, progress: Progress) -> RateCurve:
    """Look for a learning rate on the patients of `run`, and write the curve into `run.out`.

    A training that is there, its checkpoint and log, is not touched.

    Raises:
        LiverSegError: the data cannot be used, or the curve not written.
        Cancelled: `progress` was cancelled.
    """
    sources = {source.name: source for source in lits2d_sources(run.data)}
    known = _known(run, sources, _held_out(run, list(sources)))
    _prepare_folder(run.out, resume=True)
    training = SliceDataset(_prepare(known, progress.part(0.0, 0.2)), run.config.context)
    curve = find_rate(run.config, training, progress.part(0.2, 1.0))
    curve.write(run.out)
    return curve


def _known(
    run: TrainRun, sources: Mapping[str, CaseSource], held_out: Sequence[str]
) -> list[CaseSource]:
    """What is trained on: all patients but those `held_out`, and the phantoms."""
    known = [source for name, source in sources.items() if name not in held_out]
    return [*known, *(PhantomCase(seed) for seed in range(run.phantoms))]


def _held_out(run: TrainRun, names: list[str]) -> list[str]:
    if run.folds == 1:
        return []
    if run.folds < 1 or not 0 <= run.fold < run.folds:
        raise LiverSegError(
            f"There is no fold {run.fold} of {run.folds}. Count folds from 0; 1 fold holds no "
            "patient out."
        )
    if len(names) < run.folds:
        raise LiverSegError(
            f"{run.data} has {len(names)} patients: too few for {run.folds} folds. Add patients "
            "or use fewer folds."
        )
    return split_patients(names, run.folds, run.fold, run.split_seed)


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


def _prepare(sources: Sequence[CaseSource], progress: Progress) -> list[PreparedCase]:
    cases = []
    for n, source in enumerate(sources):
        progress.update(n / len(sources), f"Preparing {source.name}")
        cases.append(prepare(source.read()))
    return cases


def _card(run: TrainRun, known: list[CaseSource], results: list[PatientResult]) -> dict[str, Any]:
    """The model card: how to feed the network, and all a reader needs to judge it."""
    return {
        "name": run.name,
        "architecture": run.config.architecture,
        "size": run.config.trunk.size,
        "context": run.config.context,
        "closer": run.config.liver.of_trunk if run.config.liver else None,
        "window_hu": WINDOW_HU,
        "command": run.command,
        "training": run.config.to_json(),
        "trained_on": [source.name for source in known],
        "held_out": [asdict(result) for result in results],
        "held_out_note": "Dice on the slices' own pixels, network alone, no clean-up. "
        "These patients took no part in training.",
        "libraries": {"python": platform.python_version()}
        | {name: version(name) for name in _LIBRARIES},
    }
