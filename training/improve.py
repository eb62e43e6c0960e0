"""Correct and learn: fine-tune the model in use on a site's own cases, and judge old and new."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.model_before import choose_instead
from liverseg_gui.segmentation.model_card import ModelCard, read_card
from liverseg_gui.segmentation.model_store import add_model
from liverseg_gui.segmentation.registry import (
    InstalledModel,
    ModelChoice,
    find_installed,
    find_model,
    list_models,
)
from training.card import add_to_card
from training.cases import CaseSource
from training.comparison import compare_models, trained_on
from training.config import TrainConfig
from training.decision import Decision, read_decision, write_decision
from training.events import Tell
from training.job import TrainingJob
from training.looks import LIVER, Look
from training.splits import Split, load_split, save_split

if TYPE_CHECKING:
    from training.watch import Watch

SPLIT, MODEL = "split.json", "model"
"""As in `training.run`, which needs torch."""

EPOCHS, RATE = 3, 2e-4
"""Few epochs, at a fifth of the rate that the default model was fine-tuned with."""

LEAST_PATIENTS = 2


def improvement_recipe(card: ModelCard, model: str) -> TrainConfig:
    """How `model` is fine-tuned: fed as its card says and as it was trained, short and gently.

    It has no first stage, and nothing is chosen by the validation slices.
    """
    return replace(
        _as_trained(card),
        architecture=card.architecture,
        context=card.context,
        trunk=Look(card.size, card.size),
        liver=_closer(card),
        epochs=0,
        fine_tune_epochs=EPOCHS,
        fine_tune_rate=RATE,
        patience=0,
        precision="auto",
        device="auto",
        encoder_weights=None,
        start_from=model,
    )


def improvement_split(
    sources: Sequence[CaseSource], taught: Collection[str], folds: int, fold: int, seed: int
) -> Split:
    """Hold out one patient in `folds`, at least one; only such as the old model never saw.

    `taught` are the names of the cases that the old model was trained on. The first folds hold out
    different patients as long as there are any.

    Raises:
        LiverSegError: there are fewer than two patients, or the old model saw them all.
    """
    patients = sorted({source.patient for source in sources})
    if len(patients) < LEAST_PATIENTS:
        raise LiverSegError(
            f"There {'is one patient' if patients else 'are no patients'}, too few to improve a "
            "model: one learns nothing that another could confirm. Correct at least one more."
        )
    if folds < 2 or not 0 <= fold < folds:
        raise LiverSegError(f"Fold {fold} of {folds} makes no split. Give at least 2 folds.")
    known = {source.patient for source in sources if source.name in taught}
    unknown = [patient for patient in patients if patient not in known]
    if not unknown:
        raise LiverSegError(
            "The model was trained on patients of all these names, so nobody is left whom it can "
            "be judged on. Add a patient it has not seen, or rename cases that only share a name."
        )
    order = np.random.default_rng(seed).permutation(unknown)
    size = min(len(unknown), max(1, round(len(patients) / folds)), len(patients) - 1)
    held_out = {str(order[(fold * size + n) % len(order)]) for n in range(size)}
    sides: tuple[list[str], list[str]] = [], []
    for source in sources:
        sides[source.patient in held_out].append(source.name)
    return Split(tuple(sorted(sides[0])), tuple(sorted(sides[1])))


def improve(
    job: TrainingJob, command: str, progress: Progress, tell: Tell, resume: bool = False
) -> Decision:
    """Fine-tune, judge both models on the held-out patients, and write down which is to be used.

    The old model is `job.recipe.start_from`. One patient in `job.folds`, at least one, is held out;
    `job.fold` and `job.split_seed` say who, `job.split` is not looked at. All else is as in
    `training.supervised`; the decision is told as an event. Nothing is added or chosen: `accept`
    does that.

    Raises:
        LiverSegError: the cases are too few or cannot be used, or the training failed.
        Cancelled: cancelled; `resume` goes on from the last whole epoch.
    """
    from training.supervised import supervised  # torch

    _require_one_process()
    job = replace(job, improves=True)
    with supervised(job, command, progress, tell, resume) as watch:
        return _improve(job, command, watch, resume)


def _improve(job: TrainingJob, command: str, watch: Watch, resume: bool) -> Decision:
    from training.run import TrainRun, run_training  # torch

    old = _old_model(job)
    run = TrainRun.of(job, command)
    sources = run.sources()
    path = _split(job, old, sources, resume)
    notes = _inherited(old, load_split(path, sources)) | dict(job.notes)
    run = replace(run, split=path, notes=notes)
    trained, judged = watch.progress.part(0.0, 0.9), watch.progress.part(0.9, 1.0)
    run_training(run, trained, watch.epoch, resume, watch.note, watch)
    compared = compare_models(
        job.out, job.recipe.start_from or old.name, sources, judged, job.recipe.device
    )
    decision = Decision(compared, old.sha256, read_card(job.out / MODEL).sha256)
    add_to_card(job.out / MODEL, {"improved_from": decision.on_card()})
    write_decision(decision, job.out)
    watch.tell("decision", **decision.to_json())
    return decision


def accept(
    out: Path, settings: ModelChoice, name: str | None = None, progress: Progress | None = None
) -> InstalledModel:
    """Add the improved model in `out` to the reader's models, and use it from now on.

    It is called `name`, or as its card says, with a number where that is taken. The model used
    before is remembered: `model_before.roll_back` uses it again.

    Raises:
        LiverSegError: the decision was against it, or is not there.
        ModelError: it cannot be added.
        Cancelled: `progress` was cancelled; nothing was changed.
    """
    decision = read_decision(out)
    folder = out / MODEL
    if not decision.accepted:
        raise LiverSegError(
            f"The improved model in {out} was not accepted. {' '.join(decision.reasons)} To use "
            f"it all the same, add it with `liverseg models add {folder}` and choose it."
        )
    card = read_card(folder)
    if card.sha256 != decision.new_sha256:
        raise LiverSegError(
            f"The model in {folder} is not the one that was judged there. Improve again into "
            "another folder."
        )
    there = [model for model in list_models() if model.card and model.card.sha256 == card.sha256]
    added = there[0] if there else add_model(folder, name or _free_name(card.name), progress)
    return choose_instead(added.name, settings)


def _as_trained(card: ModelCard) -> TrainConfig:
    """The recipe on `card`, or the usual one where it has none that this program understands."""
    values = card.about.get("training")
    try:
        return TrainConfig.from_json(values if isinstance(values, dict) else {})
    except LiverSegError:
        return TrainConfig()


def _closer(card: ModelCard) -> Look | None:
    """The second look of `card`; how much of the trunk it sees where its recipe does not say."""
    if card.closer is None:
        return None
    liver = _as_trained(card).liver
    if liver is not None and liver.of_trunk == card.closer:
        return liver
    rows, columns = (
        max(32, round(part * whole / 32) * 32)
        for part, whole in zip(LIVER.extent, card.closer, strict=True)
    )
    return Look((rows, columns), card.closer)


def _old_model(job: TrainingJob) -> ModelCard:
    """The model to improve; weights go on from where they were only in their own network."""
    recipe = job.recipe
    if recipe.start_from is None or recipe.encoder_weights is not None:
        raise LiverSegError(
            "The recipe does not say which model is improved. Name it with --start-from, without "
            "--encoder-weights."
        )
    card = find_model(recipe.start_from)
    closer = recipe.liver.of_trunk if recipe.liver else None
    asked = recipe.architecture, recipe.context, recipe.trunk.size, closer
    if asked != (card.architecture, card.context, card.size, card.closer):
        raise LiverSegError(
            f"The model {card.name!r} is {card.architecture} with {card.context} slices at once, "
            "and goes on as such. Leave architecture, context and looks as they are, or train a "
            "new model."
        )
    return card


def _split(job: TrainingJob, old: ModelCard, sources: Sequence[CaseSource], resume: bool) -> Path:
    """The file that says who is held out; a training that goes on keeps to its own."""
    path = job.out / SPLIT
    if not (resume and path.is_file()):
        taught = trained_on(old)
        save_split(improvement_split(sources, taught, job.folds, job.fold, job.split_seed), path)
    return path


def _inherited(card: ModelCard, split: Split) -> dict[str, str]:
    """What the old card says in words and holds for the new model too: it learned from both."""
    said = {key: card.about.get(key) for key in ("data", "license", "known_failures")}
    words = {key: text for key, text in said.items() if isinstance(text, str)}
    own = f"Then fine-tuned on {len(split.training)} cases of a site's own."
    return words | {"data": f"{words.get('data', '')} {own}".strip()}


def _require_one_process() -> None:
    from training.distributed import processes  # torch

    if processes().count > 1:
        raise LiverSegError(
            "A model is improved by one process. Start `liverseg train --improve` without torchrun."
        )


def _free_name(name: str) -> str:
    names = (name if n == 1 else f"{name}-{n}" for n in count(1))
    return next(name for name in names if find_installed(name) is None)
