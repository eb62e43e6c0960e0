"""A whole training run: find the cases, split by patient, train, judge, export."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from torch import nn

from liverseg_gui.core.errors import LiverSegError, ModelError, SaveError
from liverseg_gui.core.labels import TUMOR
from liverseg_gui.core.progress import Progress
from liverseg_gui.evaluation.case_metrics import CaseMetrics
from liverseg_gui.evaluation.report.html import write_evaluation_report
from liverseg_gui.evaluation.summary import summarize
from liverseg_gui.segmentation.models.registry import find_model
from liverseg_gui.segmentation.predictor import Predictor
from liverseg_gui.segmentation.runtime.base import TorchRuntime, pick_device
from liverseg_gui.system.atomic_write import write_text
from liverseg_gui.system.paths import prepared_cases_folder
from training.config.train_config import TrainConfig
from training.data.case import CaseSource
from training.data.dataset_layouts import find_all
from training.data.fingerprints import sources_fingerprint
from training.data.leakage_free_split import SplitResult, read_split, split_without_leakage
from training.data.phantom_case import PhantomCase
from training.data.preprocess_cache import prepare_all
from training.data.slice_dataset import SliceDataset
from training.data.splits import Split, save_split
from training.evaluation.evaluate_model import evaluate_held_out
from training.evaluation.worst_slices_file import save_worst
from training.export.model_card import make_card
from training.export.weights import export_model
from training.learner.checkpoint import Identity
from training.learner.distributed import processes
from training.learner.fit import fit
from training.learner.lr_finder import LRCurve, find_learning_rate
from training.pipeline.resume import resumed_cases, resumed_split
from training.runs.epoch_log import EpochResult, add_note
from training.runs.events import NextStep
from training.runs.files import CHECKPOINT, HELD_OUT, LOG, MODEL, REPORT, SPLIT, WORST
from training.runs.observer import NULL_OBSERVER, TrainingObserver
from training.runs.training_job import TrainingJob


@dataclass(frozen=True)
class TrainRun:
    """What to train on and where to put the outcome: `out/model`, with checkpoint and log in `out`.

    `data` is a folder of labelled cases, or several; `corrected` adds the studies corrected in this
    program, and the cases `excluded` are left out. `fold` of `folds` is held out, by patient, as
    `split_seed` deals them, or what the file `split` holds out; with one fold all are trained on.
    `phantoms` synthetic abdomens are mixed in. `notes` go on the model's card: data and licenses,
    known failures.
    """

    data: Path | tuple[Path, ...]
    out: Path
    name: str = "trained"
    folds: int = 5
    fold: int = 0
    split_seed: int = 5
    split: Path | None = None
    phantoms: int = 2
    command: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)
    config: TrainConfig = field(default_factory=TrainConfig)
    corrected: bool = False
    excluded: tuple[str, ...] = ()

    @classmethod
    def of(cls, job: TrainingJob, command: str) -> TrainRun:
        """The run of `job`, which `command` asked for."""
        shared = {f.name for f in fields(cls)} & {f.name for f in fields(job)} - {"notes"}
        values = {name: getattr(job, name) for name in shared}
        return cls(command=command, notes=dict(job.notes), **values)

    def sources(self, begun: Path | None = None) -> list[CaseSource]:
        """The cases it is about (`find_all`), or where it goes on those of the split `begun`."""
        folders = (self.data,) if isinstance(self.data, Path) else self.data
        if begun is not None:
            return resumed_cases(begun, folders, self.corrected, self.excluded)
        return find_all(folders, self.corrected, self.excluded)


def run_training(
    run: TrainRun,
    progress: Progress,
    on_epoch: Callable[[EpochResult], None] = lambda _: None,
    resume: bool = False,
    on_note: Callable[[str], None] = lambda _: None,
    listener: TrainingObserver = NULL_OBSERVER,
) -> list[CaseMetrics]:
    """Carry out `run` and return the figures of the held-out patients.

    All cases are read before training starts, so that one that cannot be used wastes no hour.
    `on_note` is told what a person should know, and `listener` all else. Of several processes
    (`training.learner.distributed`) the first evaluates and writes the model; the others return
    nothing.

    Raises:
        LiverSegError: the data cannot be used, or the training failed
            (`training.learner.fit.fit`).
        Cancelled: cancelled; `resume` goes on from the last whole epoch.
    """
    config = run.config
    begun = resumed_split(run.out, resume)
    sources = run.sources(begun)
    dealt = _deal(run, sources, begun)
    split = dealt.split
    make_folder(run.out)
    refuse_earlier(run.out, resume)
    if not (run.out / CHECKPOINT).exists():
        save_split(split, run.out / SPLIT)
    known = _known(run, sources, split)
    unseen = [source for source in sources if source.name in split.validation]
    # Without held-out patients the curves show a training patient; no figure is made of it.
    watched = unseen or known[:1]
    listener.cases([source.name for source in known], [source.name for source in unseen])
    if dealt.note and not resume and processes().leads:
        add_note(run.out, dealt.note)
        on_note(dealt.note)
    identity = _identity(run, split, sources)
    training = _slices(known, config, progress.part(0.0, 0.02), listener.works_on)
    validation = _slices(watched, config, progress.part(0.02, 0.03), listener.works_on)
    if not resume and processes().leads:
        _warn_of_no_tumor(run, training, on_note)
    network = fit(
        config,
        training,
        validation,
        run.out,
        progress.part(0.03, 0.95),
        on_epoch,
        resume,
        identity,
        on_note,
        listener,
    )
    if not processes().leads:
        return []
    listener.trained()
    return _outcome(run, network, unseen, known, progress.part(0.95, 1.0), listener)


def find_run_rate(
    run: TrainRun, progress: Progress, works_on: Callable[[str | None], None] = lambda _: None
) -> LRCurve:
    """Look for a learning rate on the patients of `run`, and write the curve into `run.out`.

    A training that is there, its checkpoint and log, is not touched. `works_on` is told which case
    is read.

    Raises:
        LiverSegError: the data cannot be used, or the curve not written.
        Cancelled: `progress` was cancelled.
    """
    sources = run.sources()
    known = _known(run, sources, _deal(run, sources).split)
    make_folder(run.out)
    training = _slices(known, run.config, progress.part(0.0, 0.2), works_on)
    curve = find_learning_rate(run.config, training, progress.part(0.2, 1.0))
    curve.write(run.out)
    return curve


def _deal(run: TrainRun, sources: Sequence[CaseSource], begun: Path | None = None) -> SplitResult:
    """Who is held out. What goes on is dealt again, so that another fold does not go unnoticed."""
    start = None
    if run.config.start_from is not None:
        try:
            start = find_model(run.config.start_from)
        except ModelError:
            if begun is None:
                raise
            return read_split(begun, sources, None)  # the weights are in the checkpoint by now
    if begun is not None:
        read_split(begun, sources, start)
    if run.split is not None:
        return read_split(run.split, sources, start)
    return split_without_leakage(sources, run.folds, run.fold, run.split_seed, start)


def _identity(run: TrainRun, split: Split, sources: Sequence[CaseSource]) -> Identity:
    """What a checkpoint has to belong to; cases that are set apart for testing play no part."""
    sides = {*split.training, *split.validation}
    return Identity(
        f"{sorted(split.training)} without {sorted(split.validation)}, {run.phantoms} phantoms",
        sources_fingerprint(source for source in sources if source.name in sides),
    )


def _known(run: TrainRun, sources: Sequence[CaseSource], split: Split) -> list[CaseSource]:
    """What is trained on: the patients of that side, and the phantoms."""
    known = [source for source in sources if source.name in split.training]
    return [*known, *(PhantomCase(seed) for seed in range(run.phantoms))]


def _slices(
    sources: Sequence[CaseSource],
    config: TrainConfig,
    progress: Progress,
    works_on: Callable[[str | None], None],
) -> SliceDataset:
    cases = prepare_all(sources, prepared_cases_folder(), progress, works_on)
    return SliceDataset(cases, config.context)


def _outcome(
    run: TrainRun,
    network: nn.Module,
    unseen: Sequence[CaseSource],
    known: Sequence[CaseSource],
    progress: Progress,
    listener: TrainingObserver,
) -> list[CaseMetrics]:
    """Judge the network that was trained, and write it with its card."""
    config = run.config
    liver_view_size = config.liver.of_trunk if config.liver else None
    runtime = TorchRuntime(network, pick_device(config.device))
    predictor = Predictor(runtime, config.trunk.size, liver_view_size)
    results = _judge(run, predictor, unseen, known, progress, listener)
    rows = [result.to_json() for result in results]
    names = [source.name for source in known]
    card = make_card(run.name, config, run.command, names, rows, run.notes)
    export_model(network, run.out / MODEL, card)
    listener.model(run.out / MODEL)
    return results


def _judge(
    run: TrainRun,
    predictor: Predictor,
    unseen: Sequence[CaseSource],
    known: Sequence[CaseSource],
    progress: Progress,
    listener: TrainingObserver,
) -> list[CaseMetrics]:
    """Judge the held-out patients and write all figures, and a report for people."""
    if not unseen:
        return []
    fingerprints = {source.name: source.fingerprint() for source in unseen}
    results, worst = evaluate_held_out(
        predictor, unseen, run.config, progress, listener.patient, listener.works_on
    )
    held_out = {
        "trained_on": [source.name for source in known],
        "cases": [result.to_json() for result in results],
        "fingerprints": fingerprints,
    }
    write_text(run.out / HELD_OUT, json.dumps(held_out, indent=1) + "\n")
    save_worst(run.out / WORST, worst, unseen)
    log = [json.loads(line) for line in (run.out / LOG).read_text("utf-8").splitlines()]
    title = f"{run.name}: held-out patients"
    write_evaluation_report(run.out / REPORT, summarize(results), title=title, log=log, worst=worst)
    return results


def _warn_of_no_tumor(run: TrainRun, slices: SliceDataset, say: Callable[[str], None]) -> None:
    real = slices.cases[: len(slices.cases) - run.phantoms]  # phantoms come last
    if any((labels == TUMOR).any() for case in real for labels in case.labels):
        return
    rest = (
        "from phantoms and painted ones alone" if run.phantoms or run.config.synthetic else "none"
    )
    note = (
        f"No tumor is marked in any of the {len(real)} cases that are trained on: the network "
        f"learns the liver, and of tumors {rest}."
    )
    add_note(run.out, note)
    say(note)


def make_folder(out: Path) -> None:
    """Make the folder of a training.

    Raises:
        SaveError: it cannot be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SaveError(
            f"{out} could not be made: {error.strerror}. Choose another folder."
        ) from error


def refuse_earlier(out: Path, resume: bool) -> None:
    """An earlier training in `out` is neither overwritten nor mixed with this one.

    Raises:
        LiverSegError: there is one, and it is not gone on with.
    """
    if (out / CHECKPOINT).exists() and not resume:
        raise LiverSegError(
            f"{out} holds a training already.",
            "Go on with --resume, or choose another folder.",
            action=NextStep.RESUME,
        )
