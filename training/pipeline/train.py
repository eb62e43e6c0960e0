"""The whole pipeline: find the cases, split by patient, train, evaluate, export."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from liverseg_gui.core.errors import ModelError
from liverseg_gui.core.labels import TUMOR
from liverseg_gui.core.progress import Progress
from liverseg_gui.evaluation.case_metrics import CaseMetrics
from liverseg_gui.segmentation.models.registry import find_model
from liverseg_gui.system.paths import prepared_cases_folder
from training.config.train_config import TrainConfig
from training.data.case import CaseSource
from training.data.data_check import require_sound
from training.data.dataset_layouts import find_all
from training.data.fingerprints import sources_fingerprint
from training.data.leakage_free_split import SplitResult, read_split, split_without_leakage
from training.data.phantom_case import PhantomCase
from training.data.preprocess_cache import prepare_all
from training.data.slice_dataset import SliceDataset
from training.data.splits import Split, save_split
from training.learner.checkpoint import Identity
from training.learner.distributed import processes
from training.learner.fit import fit
from training.learner.lr_finder import LRCurve, find_learning_rate
from training.pipeline.outcome import Outcome
from training.pipeline.resume import resumed_cases, resumed_split
from training.runs.epoch_log import add_note
from training.runs.files import CHECKPOINT, SPLIT
from training.runs.folder import make_folder, refuse_earlier
from training.runs.observer import NULL_OBSERVER, TrainingObserver
from training.runs.training_job import TrainingJob


def train(
    job: TrainingJob,
    progress: Progress,
    *,
    command: str = "",
    resume: bool = False,
    observer: TrainingObserver = NULL_OBSERVER,
) -> list[CaseMetrics]:
    """Carry out `job`, which `command` asked for, and return the metrics of the held-out patients.

    All cases are read before training starts, so that one that cannot be used wastes no hour. Of
    several processes (`training.learner.distributed`) the first evaluates and writes the model; the
    others return nothing.

    Raises:
        LiverSegError: the data cannot be used, or the training failed
            (`training.learner.fit.fit`).
        Cancelled: cancelled; `resume` goes on from the last whole epoch.
    """
    config = job.config
    earlier = resumed_split(job.out, resume)
    sources = job_cases(job, earlier)
    result = _split(job, sources, earlier)
    split = result.split
    make_folder(job.out)
    refuse_earlier(job.out, resume)
    if not (job.out / CHECKPOINT).exists():
        save_split(split, job.out / SPLIT)
    known = _known(job, sources, split)
    unseen = [source for source in sources if source.name in split.validation]
    # Without held-out patients the curves show a training patient; no metric is made of it.
    watched = unseen or known[:1]
    observer.cases([source.name for source in known], [source.name for source in unseen])
    if result.note and not resume and processes().leads:
        add_note(job.out, result.note)
        observer.note(result.note)
    identity = _identity(job, split, sources)
    training = _slices(known, config, progress.part(0.0, 0.02), observer.works_on)
    validation = _slices(watched, config, progress.part(0.02, 0.03), observer.works_on)
    if not resume and not job.data.allow_errors:
        _require_sound(sources, training, validation)
    if not resume and processes().leads:
        _warn_of_no_tumor(job, training, observer)
    network = fit(
        config,
        training,
        validation,
        job.out,
        progress.part(0.03, 0.95),
        resume=resume,
        identity=identity,
        observer=observer,
    )
    if not processes().leads:
        return []
    observer.trained()
    outcome = Outcome(job, command, unseen, known, observer)
    return outcome.write(network, progress.part(0.95, 1.0))


def find_job_rate(
    job: TrainingJob, progress: Progress, works_on: Callable[[str | None], None] = lambda _: None
) -> LRCurve:
    """Look for a learning rate on the patients of `job`, and write the curve into its folder.

    A training that is there, its checkpoint and log, is not touched. `works_on` is told which case
    is read.

    Raises:
        LiverSegError: the data cannot be used, or the curve not written.
        Cancelled: `progress` was cancelled.
    """
    sources = job_cases(job)
    known = _known(job, sources, _split(job, sources).split)
    make_folder(job.out)
    training = _slices(known, job.config, progress.part(0.0, 0.2), works_on)
    curve = find_learning_rate(job.config, training, progress.part(0.2, 1.0))
    curve.write(job.out)
    return curve


def job_cases(job: TrainingJob, earlier: Path | None = None) -> list[CaseSource]:
    """The cases that `job` is about, or where it goes on those of the split in `earlier`.

    Raises:
        UnreadableFileError: a folder or a case cannot be read.
        LiverSegError: a case is gone, or one that is left out is not there.
    """
    data = job.data
    if earlier is not None:
        return resumed_cases(earlier, data.folders, data.corrected, data.excluded)
    return find_all(data.folders, data.corrected, data.excluded)


def _split(
    job: TrainingJob, sources: Sequence[CaseSource], earlier: Path | None = None
) -> SplitResult:
    """Who is held out. What goes on is split again, so that another fold does not go unnoticed."""
    start, data = None, job.data
    if job.config.start_from is not None:
        try:
            start = find_model(job.config.start_from)
        except ModelError:
            if earlier is None:
                raise
            return read_split(earlier, sources, None)  # the weights are in the checkpoint by now
    if earlier is not None:
        read_split(earlier, sources, start)
    if data.split_file is not None:
        return read_split(data.split_file, sources, start)
    return split_without_leakage(sources, data.folds, data.fold, data.seed, start)


def _identity(job: TrainingJob, split: Split, sources: Sequence[CaseSource]) -> Identity:
    """What a checkpoint has to belong to; cases that are set apart for testing play no part."""
    sides = {*split.training, *split.validation}
    return Identity(
        f"{sorted(split.training)} without {sorted(split.validation)}, {job.phantoms} phantoms",
        sources_fingerprint(source for source in sources if source.name in sides),
    )


def _known(job: TrainingJob, sources: Sequence[CaseSource], split: Split) -> list[CaseSource]:
    """What is trained on: the patients of that side, and the phantoms."""
    known = [source for source in sources if source.name in split.training]
    return [*known, *(PhantomCase(seed) for seed in range(job.phantoms))]


def _slices(
    sources: Sequence[CaseSource],
    config: TrainConfig,
    progress: Progress,
    works_on: Callable[[str | None], None],
) -> SliceDataset:
    cases = prepare_all(sources, prepared_cases_folder(), progress, works_on)
    return SliceDataset(cases, config.context)


def _require_sound(sources: Sequence[CaseSource], *sides: SliceDataset) -> None:
    """Refuse labelled cases with errors; phantoms have none."""
    seen = {each.name: each.seen for side in sides for each in side.cases}
    require_sound([found for source in sources if (found := seen.get(source.name))])


def _warn_of_no_tumor(job: TrainingJob, slices: SliceDataset, observer: TrainingObserver) -> None:
    real = slices.cases[: len(slices.cases) - job.phantoms]  # phantoms come last
    if any((labels == TUMOR).any() for case in real for labels in case.labels):
        return
    rest = (
        "from phantoms and painted ones alone" if job.phantoms or job.config.synthetic else "none"
    )
    note = (
        f"No tumor is marked in any of the {len(real)} cases that are trained on: the network "
        f"learns the liver, and of tumors {rest}."
    )
    add_note(job.out, note)
    observer.note(note)
