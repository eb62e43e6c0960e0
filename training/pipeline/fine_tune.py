"""Fine-tuning of a model on a site's own cases, with old and new judged on the same patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.models.card import ModelCard, read_card
from liverseg_gui.segmentation.models.registry import (
    find_model,
)
from liverseg_gui.system.paths import DEFAULT_MODEL
from training.data.case import CaseSource
from training.data.leakage_free_split import trained_on
from training.data.splits import Split, load_split, save_split
from training.evaluation.acceptance import AcceptanceDecision, write_decision
from training.evaluation.model_comparison import compare_models
from training.export.model_card import add_to_card
from training.pipeline.resume import resumed_split
from training.planning.fine_tune_plan import fine_tune_split, require_same_network
from training.runs.files import MODEL, SPLIT
from training.runs.folder import make_folder, refuse_earlier
from training.runs.observer import NULL_OBSERVER, TrainingObserver
from training.runs.training_job import TrainingJob


def fine_tune(
    job: TrainingJob,
    progress: Progress,
    *,
    command: str = "",
    resume: bool = False,
    observer: TrainingObserver = NULL_OBSERVER,
) -> AcceptanceDecision:
    """Fine-tune the model that `job.config` starts from, and write down which is to be used.

    One patient in `job.data.folds`, at least one, is held out, and both models are judged on them.
    Nothing is added or chosen: `training.evaluation.acceptance.accept` does that.

    Raises:
        LiverSegError: the cases are too few or cannot be used, or the training failed.
        Cancelled: cancelled; `resume` goes on from the last whole epoch.
    """
    from training.pipeline.train import job_cases, train  # torch

    _require_one_process()
    old = job.config.start_from or DEFAULT_MODEL
    card = find_model(old)
    require_same_network(job.config, card)
    earlier = resumed_split(job.out, resume)
    sources = job_cases(job, earlier)
    path = earlier or _write_split(job, card, sources)
    config = replace(job.config, start_from=old, encoder_weights=None)
    notes = {**_inherited(card, load_split(path, sources)), **job.notes}
    data = replace(job.data, split_file=path)
    resolved = replace(job, data=data, config=config, notes=notes)
    part = progress.part(0.0, 0.9)
    train(resolved, part, command=command, resume=resume, observer=observer)
    compared = compare_models(job.out, old, sources, progress.part(0.9, 1.0), config.device)
    decision = AcceptanceDecision(compared, card.sha256, read_card(job.out / MODEL).sha256)
    add_to_card(job.out / MODEL, {"improved_from": decision.on_card()})
    write_decision(decision, job.out)
    return decision


def _write_split(job: TrainingJob, card: ModelCard, sources: Sequence[CaseSource]) -> Path:
    """The file that says who is held out, written anew."""
    path, data = job.out / SPLIT, job.data
    split = fine_tune_split(sources, trained_on(card), data.folds, data.fold, data.seed)
    refuse_earlier(job.out, False)
    make_folder(job.out)
    save_split(split, path)
    return path


def _inherited(card: ModelCard, split: Split) -> dict[str, str]:
    """What the old card says in words and holds for the new model too: it learned from both."""
    inherited = {key: card.about.get(key) for key in ("data", "license", "known_failures")}
    texts = {key: text for key, text in inherited.items() if isinstance(text, str)}
    own = f"Then fine-tuned on {len(split.training)} cases of a site's own."
    return texts | {"data": f"{texts.get('data', '')} {own}".strip()}


def _require_one_process() -> None:
    from training.learner.distributed import processes  # torch

    if processes().count > 1:
        raise LiverSegError(
            "A model is improved by one process. Start `liverseg train --improve` without torchrun."
        )
