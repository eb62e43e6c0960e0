"""Plan of a fine-tuning of the model in use, before it starts. Free of Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.segmentation.models.registry import find_model
from training.config.train_config import TrainConfig
from training.data.case import CaseSource
from training.data.leakage_free_split import patients_seen_by_model, trained_on
from training.data.selection import FOLDS, DataSelection
from training.planning.fine_tune_plan import fine_tune_config, fine_tune_split
from training.runs.training_job import TrainingJob


@dataclass(frozen=True)
class FineTunePlan:
    """Improving `model` with `selection`. Cases are in `training` or `held_out`, by patient.

    `known` of the cases the old model was trained on: they are never held out.
    """

    model: str
    selection: DataSelection
    config: TrainConfig
    training: tuple[str, ...]
    held_out: tuple[str, ...]
    known: int

    def job(self, out: Path, name: str) -> TrainingJob:
        """The training that carries it out in `out`."""
        return TrainingJob(
            out=out, data=self.selection, config=self.config, name=name, fine_tune=True
        )

    def slice_counts(self, slices: int) -> tuple[int, int]:
        """Roughly how many of `slices` are trained on, and how many are held out."""
        validation_slices = round(
            slices * len(self.held_out) / (len(self.training) + len(self.held_out))
        )
        return slices - validation_slices, validation_slices


def make_plan(
    sources: Sequence[CaseSource], selection: DataSelection, model: str
) -> FineTunePlan | str:
    """How `model` would be improved with `sources`, or why it cannot be.

    Where the reader holds nobody out, a patient in five is: old and new have to be judged.
    """
    if selection.folds == 1:
        selection = replace(selection, folds=FOLDS, fold=0)
    folds, fold, seed = selection.folds, selection.fold, selection.seed
    try:
        card = find_model(model)
        training_names = trained_on(card)
        split = fine_tune_split(sources, training_names, folds, fold, seed)
        config = fine_tune_config(card, model)
    except LiverSegError as problem:
        return str(problem)
    patients = patients_seen_by_model(sources, training_names)
    known = sum(source.patient in patients for source in sources)
    return FineTunePlan(model, selection, config, split.training, split.validation, known)


def plan_text(plan: FineTunePlan, hide: bool) -> str:
    """What will happen, in sentences; without names of cases where they are to be hidden."""
    names = "" if hide else f": {', '.join(plan.held_out)}"
    config = plan.config
    known = (
        f" {_cases(plan.known)} it was trained on before, by name, and can only be learned from."
        if plan.known
        else ""
    )
    return (
        f"1.  {plan.model!r} goes on learning from {_cases(len(plan.training))}, gently: "
        f"{config.fine_tune_epochs} epochs at a rate of {config.fine_tune_rate:g}. The model "
        "itself stays as it is; the outcome is another one.\n\n"
        f"2.  {_cases(len(plan.held_out))} held out, by patient{names}. Nothing is learned from "
        f"them.{known}\n\n"
        "3.  Both models segment the held-out patients, and are judged by the same figures.\n\n"
        "4.  You see both for each patient. The new model can be accepted if neither the mean Dice "
        "of the liver nor that of tumors has fallen. Nothing is used before you accept it, and "
        "then you can go back."
    )


def _cases(count: int) -> str:
    return "1 case" if count == 1 else f"{count} cases"
