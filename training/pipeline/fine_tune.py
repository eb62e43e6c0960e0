"""Correct and learn: fine-tune the model in use on a site's own cases, and judge old and new."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import count
from pathlib import Path

from liverseg_gui.core.errors import LiverSegError, SaveError
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.models.card import ModelCard, read_card
from liverseg_gui.segmentation.models.history import choose_instead
from liverseg_gui.segmentation.models.registry import (
    InstalledModel,
    ModelChoice,
    find_installed,
    find_model,
    list_models,
)
from liverseg_gui.segmentation.models.store import ExpectedShapes, add_model
from liverseg_gui.segmentation.models.weights_check import expected_shapes
from liverseg_gui.system.paths import DEFAULT_MODEL
from training.config.field_of_view import LIVER, Look
from training.config.train_config import TrainConfig
from training.data.case import CaseSource
from training.data.leakage_free_split import taught_patients, trained_on, unseen_split
from training.data.splits import SPLIT, Split, load_split, save_split
from training.evaluation.acceptance import Decision, read_decision, write_decision
from training.evaluation.model_comparison import compare_models
from training.export.model_card import add_to_card
from training.pipeline.resume import begun_split
from training.runs.epoch_log import EpochResult
from training.runs.observer import NOBODY, Listener
from training.runs.training_job import TrainingJob

EPOCHS, RATE = 3, 2e-4
"""Few epochs, at a fifth of the rate that the default model was fine-tuned with."""

LEAST_PATIENTS = 2


@dataclass(frozen=True)
class Improvement:
    """Improve the model `old`, a name or a folder, with the cases in `data`; the outcome in `out`.

    `corrected` adds the studies corrected in this program, and the cases `excluded` are left out.
    One patient in `folds`, at least one, is held out to judge by; `fold` and `split_seed` say who.
    `phantoms` synthetic abdomens are mixed in, so that what they taught is not forgotten. `recipe`
    goes before `improvement_recipe`, but for the weights to begin with. `notes` go on the card.
    """

    data: Path | tuple[Path, ...]
    out: Path
    name: str = "improved"
    old: str = DEFAULT_MODEL
    folds: int = 5
    fold: int = 0
    split_seed: int = 5
    phantoms: int = 2
    recipe: TrainConfig | None = None
    command: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)
    corrected: bool = False
    excluded: tuple[str, ...] = ()

    @classmethod
    def of(cls, job: TrainingJob, command: str) -> Improvement:
        """The improvement of the model that the recipe of `job` starts from."""
        shared = {f.name for f in fields(cls)} & {f.name for f in fields(job)} - {"notes"}
        values = {name: getattr(job, name) for name in shared}
        old = job.recipe.start_from or DEFAULT_MODEL
        return cls(old=old, command=command, notes=dict(job.notes), **values)


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
    known = taught_patients(sources, taught)
    otherwise = "or rename cases that only share a name"
    return unseen_split(sources, known, folds, fold, seed, otherwise)


def improve(
    job: Improvement,
    progress: Progress,
    on_epoch: Callable[[EpochResult], None] = lambda _: None,
    resume: bool = False,
    on_note: Callable[[str], None] = lambda _: None,
    listener: Listener = NOBODY,
) -> Decision:
    """Fine-tune, judge both models on the held-out patients, and write down which is to be used.

    Nothing is added or chosen: `accept` does that.

    Raises:
        LiverSegError: the cases are too few or cannot be used, or the training failed.
        Cancelled: cancelled; `resume` goes on from the last whole epoch.
    """
    from training.pipeline.train import TrainRun, run_training  # torch

    _require_one_process()
    card = find_model(job.old)
    recipe = job.recipe or improvement_recipe(card, job.old)
    _require_fit(recipe, card)
    recipe = replace(recipe, start_from=job.old, encoder_weights=None)
    run = TrainRun(job.data, job.out, corrected=job.corrected, excluded=job.excluded)
    begun = begun_split(job.out, resume)
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
        config=recipe,
    )
    run_training(run, progress.part(0.0, 0.9), on_epoch, resume, on_note, listener)
    compared = compare_models(job.out, job.old, sources, progress.part(0.9, 1.0), recipe.device)
    decision = Decision(compared, card.sha256, read_card(job.out / "model").sha256)
    add_to_card(job.out / "model", {"improved_from": decision.on_card()})
    write_decision(decision, job.out)
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
    return choose_instead(add_accepted(out, name, progress).name, settings)


def add_accepted(
    out: Path,
    name: str | None = None,
    progress: Progress | None = None,
    shapes_of: ExpectedShapes = expected_shapes,
) -> InstalledModel:
    """The first half of `accept`: the model is added, or was before, and not chosen yet.

    `shapes_of` is as for `model_store.add_model`.

    Raises:
        LiverSegError, ModelError, Cancelled: as `accept`.
    """
    decision = read_decision(out)
    folder = out / "model"
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
    if there:
        return there[0]
    return add_model(folder, name or _free_name(card.name), progress, shapes_of)


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


def _require_fit(recipe: TrainConfig, card: ModelCard) -> None:
    """Weights go on from where they were only in their own network, fed as before."""
    closer = recipe.liver.of_trunk if recipe.liver else None
    asked = recipe.architecture, recipe.context, recipe.trunk.size, closer
    if asked != (card.architecture, card.context, card.size, card.closer):
        raise LiverSegError(
            f"The model {card.name!r} is {card.architecture} with {card.context} slices at once, "
            "and goes on as such. Leave architecture, context and looks as they are, or train a "
            "new model."
        )


def _split(job: Improvement, card: ModelCard, sources: Sequence[CaseSource]) -> Path:
    """The file that says who is held out, written anew."""
    from training.learner.checkpoint import CHECKPOINT  # torch

    path = job.out / SPLIT
    split = improvement_split(sources, trained_on(card), job.folds, job.fold, job.split_seed)
    if (job.out / CHECKPOINT).exists():
        raise LiverSegError(
            f"{job.out} holds a training already. Go on with --resume, or choose another folder."
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


def _free_name(name: str) -> str:
    names = (name if n == 1 else f"{name}-{n}" for n in count(1))
    return next(name for name in names if find_installed(name) is None)
