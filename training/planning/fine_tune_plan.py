"""The plan of a fine-tuning: its configuration, and the patients that are held out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.segmentation.models.card import ModelCard
from training.config.field_of_view import LIVER_VIEW, FieldOfView
from training.config.train_config import TrainConfig
from training.data.case import CaseSource
from training.data.leakage_free_split import hold_out_unseen_patients, patients_seen_by_model
from training.data.splits import Split

EPOCHS, RATE = 3, 2e-4
"""Few epochs, at a fifth of the rate that the default model was fine-tuned with."""
LEAST_PATIENTS = 2


def fine_tune_config(card: ModelCard, model: str) -> TrainConfig:
    """How `model` is fine-tuned: fed as its card says and as it was trained, short and gently.

    It has no first stage, and nothing is chosen by the validation slices.
    """
    return replace(
        _as_trained(card),
        architecture=card.architecture,
        context=card.context,
        trunk=FieldOfView(card.size, card.size),
        liver=_liver_view(card),
        epochs=0,
        fine_tune_epochs=EPOCHS,
        fine_tune_rate=RATE,
        patience=0,
        precision="auto",
        device="auto",
        encoder_weights=None,
        start_from=model,
    )


def fine_tune_split(
    sources: Sequence[CaseSource], training_cases: Collection[str], folds: int, fold: int, seed: int
) -> Split:
    """Hold out one patient in `folds`, at least one; only such as the old model never saw.

    `training_cases` are the names of the cases that the old model was trained on. The first folds
    hold out different patients as long as there are any.

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
    known = patients_seen_by_model(sources, training_cases)
    otherwise = "or rename cases that only share a name"
    return hold_out_unseen_patients(sources, known, folds, fold, seed, otherwise)


def _as_trained(card: ModelCard) -> TrainConfig:
    """The configuration on `card`, or the usual one where it has none that this program
    understands."""
    values = card.about.get("training")
    try:
        return TrainConfig.from_json(values if isinstance(values, dict) else {})
    except LiverSegError:
        return TrainConfig()


def _liver_view(card: ModelCard) -> FieldOfView | None:
    """The liver view of `card`; its extent is the usual one where the configuration states none."""
    if card.liver_view_size is None:
        return None
    liver = _as_trained(card).liver
    if liver is not None and liver.of_trunk == card.liver_view_size:
        return liver
    rows, columns = (
        max(32, round(part * whole / 32) * 32)
        for part, whole in zip(LIVER_VIEW.extent, card.liver_view_size, strict=True)
    )
    return FieldOfView((rows, columns), card.liver_view_size)


def require_same_network(config: TrainConfig, card: ModelCard) -> None:
    """Weights go on from where they were only in their own network, fed as before."""
    liver = config.liver.of_trunk if config.liver else None
    requested = config.architecture, config.context, config.trunk.size, liver
    if requested != (card.architecture, card.context, card.size, card.liver_view_size):
        raise LiverSegError(
            f"The model {card.name!r} is {card.architecture} with {card.context} slices at once, "
            "and goes on as such. Leave architecture, context and looks as they are, or train a "
            "new model."
        )
