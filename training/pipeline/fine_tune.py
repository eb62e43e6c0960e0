"""Correct and learn: fine-tune the model in use on a site's own cases, and judge old and new."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from liverseg_gui.core.errors import LiverSegError, SaveError
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.models.card import ModelCard, read_card
from liverseg_gui.segmentation.models.registry import (
    find_model,
)
from liverseg_gui.system.paths import DEFAULT_MODEL
from training.config.train_config import TrainConfig
from training.data.case import CaseSource
from training.data.leakage_free_split import trained_on
from training.data.splits import Split, load_split, save_split
from training.evaluation.acceptance import AcceptanceDecision, write_decision
from training.evaluation.model_comparison import compare_models
from training.export.model_card import add_to_card
from training.pipeline.resume import resumed_split
from training.planning.fine_tune_plan import fine_tune_config, fine_tune_split, require_same_network
from training.runs.epoch_log import EpochResult
from training.runs.events import NextStep
from training.runs.files import MODEL, SPLIT
from training.runs.observer import NULL_OBSERVER, TrainingObserver
from training.runs.training_job import TrainingJob


@dataclass(frozen=True)
class Improvement:
    """Improve the model `old`, a name or a folder, with the cases in `data`; the outcome in `out`.

    `corrected` adds the studies corrected in this program, and the cases `excluded` are left out.
    One patient in `folds`, at least one, is held out to judge by; `fold` and `split_seed` say who.
    `phantoms` synthetic abdomens are mixed in, so that what they taught is not forgotten. `config`
    goes before `fine_tune_config`, but for the weights to begin with. `notes` go on the card.
    """

    data: Path | tuple[Path, ...]
    out: Path
    name: str = "improved"
    old: str = DEFAULT_MODEL
    folds: int = 5
    fold: int = 0
    split_seed: int = 5
    phantoms: int = 2
    config: TrainConfig | None = None
    command: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)
    corrected: bool = False
    excluded: tuple[str, ...] = ()

    @classmethod
    def of(cls, job: TrainingJob, command: str) -> Improvement:
        """The improvement of the model that the recipe of `job` starts from."""
        shared = {f.name for f in fields(cls)} & {f.name for f in fields(job)} - {"notes"}
        values = {name: getattr(job, name) for name in shared}
        old = job.config.start_from or DEFAULT_MODEL
        return cls(old=old, command=command, notes=dict(job.notes), **values)


def improve(
    job: Improvement,
    progress: Progress,
    on_epoch: Callable[[EpochResult], None] = lambda _: None,
    resume: bool = False,
    on_note: Callable[[str], None] = lambda _: None,
    listener: TrainingObserver = NULL_OBSERVER,
) -> AcceptanceDecision:
    """Fine-tune, judge both models on the held-out patients, and write down which is to be used.

    Nothing is added or chosen: `accept` does that.

    Raises:
        LiverSegError: the cases are too few or cannot be used, or the training failed.
        Cancelled: cancelled; `resume` goes on from the last whole epoch.
    """
    from training.pipeline.train import TrainRun, run_training  # torch

    _require_one_process()
    card = find_model(job.old)
    config = job.config or fine_tune_config(card, job.old)
    require_same_network(config, card)
    config = replace(config, start_from=job.old, encoder_weights=None)
    run = TrainRun(job.data, job.out, corrected=job.corrected, excluded=job.excluded)
    begun = resumed_split(job.out, resume)
    sources = run.sources(begun)
    path = begun or _split(job, card, sources)
    split = load_split(path, sources)
    run = replace(
        run,
        name=job.name,
        split=path,
        phantoms=job.phantoms,
        command=job.command,
        notes={**_inherited(card, split), **job.notes},
        config=config,
    )
    run_training(run, progress.part(0.0, 0.9), on_epoch, resume, on_note, listener)
    compared = compare_models(job.out, job.old, sources, progress.part(0.9, 1.0), config.device)
    decision = AcceptanceDecision(compared, card.sha256, read_card(job.out / MODEL).sha256)
    add_to_card(job.out / MODEL, {"improved_from": decision.on_card()})
    write_decision(decision, job.out)
    return decision


def _split(job: Improvement, card: ModelCard, sources: Sequence[CaseSource]) -> Path:
    """The file that says who is held out, written anew."""
    from training.runs.files import CHECKPOINT  # torch

    path = job.out / SPLIT
    split = fine_tune_split(sources, trained_on(card), job.folds, job.fold, job.split_seed)
    if (job.out / CHECKPOINT).exists():
        raise LiverSegError(
            f"{job.out} holds a training already.",
            "Go on with --resume, or choose another folder.",
            action=NextStep.RESUME,
        )
    try:
        job.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SaveError(
            f"{job.out} could not be made: {error.strerror}. Choose another folder."
        ) from error
    save_split(split, path)
    return path


def _inherited(card: ModelCard, split: Split) -> dict[str, str]:
    """What the old card says in words and holds for the new model too: it learned from both."""
    said = {key: card.about.get(key) for key in ("data", "license", "known_failures")}
    words = {key: text for key, text in said.items() if isinstance(text, str)}
    own = f"Then fine-tuned on {len(split.training)} cases of a site's own."
    return words | {"data": f"{words.get('data', '')} {own}".strip()}


def _require_one_process() -> None:
    from training.learner.distributed import processes  # torch

    if processes().count > 1:
        raise LiverSegError(
            "A model is improved by one process. Start `liverseg train --improve` without torchrun."
        )
