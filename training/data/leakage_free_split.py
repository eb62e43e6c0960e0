"""Splits that hold out nobody whom the model to start from was trained on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.io.dataset_names import lits_name
from liverseg_gui.segmentation.models.card import ModelCard
from training.data.case import CaseSource
from training.data.splits import Split, listed, load_split, make_split


def trained_on(card: ModelCard) -> list[str]:
    """The names of the cases that a card says its model was trained on."""
    names = card.about.get("trained_on")
    return [str(name) for name in names] if isinstance(names, list) else []


def patients_seen_by_model(
    sources: Iterable[CaseSource], training_cases: Collection[str]
) -> set[str]:
    """The patients of `sources` who are among the `training_cases` names, themselves or by one of
    their
    cases; the spellings of LiTS's layouts count as one."""
    names = {_spelled(name) for name in training_cases}
    return {s.patient for s in sources if names & {_spelled(s.name), _spelled(s.patient)}}


def _spelled(name: str) -> str:
    """`name`, or of LiTS the number that "007", "volume-7" and "liver_7" have in common."""
    _, number = lits_name(name)
    return (number.lstrip("0") or "0") if number else name


@dataclass(frozen=True)
class SplitResult:
    """A split, and a note where it is another than folds and seed alone would give."""

    split: Split
    note: str = ""


def split_without_leakage(
    sources: Sequence[CaseSource], folds: int, fold: int, seed: int, start: ModelCard | None
) -> SplitResult:
    """Hold out a fold; with a model to start from, only patients that it has not seen.

    Where that model saw none of them it is the fold of `make_split`. With one fold all are trained
    on.

    Raises:
        LiverSegError: there is no such split, or the model to start from saw everybody.
    """
    if folds == 1:
        return SplitResult(Split(tuple(sorted(source.name for source in sources)), ()))
    usual = make_split(sources, folds, fold, seed)
    known = patients_seen_by_model(sources, trained_on(start)) if start else set()
    if start is None or not known:
        return SplitResult(usual)
    otherwise = "train on all with --folds 1, or start from another model"
    split = hold_out_unseen_patients(sources, known, folds, fold, seed, otherwise)
    return SplitResult(split, _note(start, _cases_of(known, sources), usual, split))


def hold_out_unseen_patients(
    sources: Sequence[CaseSource],
    known: Collection[str],
    folds: int,
    fold: int,
    seed: int,
    otherwise: str,
) -> Split:
    """Hold out one patient in `folds`, at least one, and none of the `known` ones.

    The first folds hold out different patients as long as there are any. `otherwise` says what
    else can be done where there are none.

    Raises:
        LiverSegError: all patients are known.
    """
    patients = sorted({source.patient for source in sources})
    unknown = [patient for patient in patients if patient not in known]
    if not unknown:
        raise LiverSegError(
            "The model was trained on patients of all these names, so nobody is left whom it can "
            f"be judged on. Add a patient it has not seen, {otherwise}."
        )
    order = np.random.default_rng(seed).permutation(unknown)
    size = min(len(unknown), max(1, round(len(patients) / folds)), len(patients) - 1)
    held_out = {str(order[(fold * size + n) % len(order)]) for n in range(size)}
    sides: tuple[list[str], list[str]] = [], []
    for source in sources:
        sides[source.patient in held_out].append(source.name)
    return Split(tuple(sorted(sides[0])), tuple(sorted(sides[1])))


def read_split(path: Path, sources: Sequence[CaseSource], start: ModelCard | None) -> SplitResult:
    """The split in the file `path`.

    Raises:
        UnreadableFileError: as `load_split`.
        LiverSegError: it holds out a patient whom the model to start from has learned from.
    """
    split = load_split(path, sources)
    known = patients_seen_by_model(sources, trained_on(start)) if start else set()
    apart = {*split.validation, *split.test}
    seen = [name for name in _cases_of(known, sources) if name in apart]
    if start is not None and seen:
        raise LiverSegError(
            f"{path} holds out {listed(seen)}, and the model {start.name!r}, from which the "
            "training starts, was trained on them, as far as names tell: their figures would be "
            "too good. Put them under training there, or start from another model in another "
            "folder."
        )
    return SplitResult(split)


def _cases_of(patients: Collection[str], sources: Sequence[CaseSource]) -> list[str]:
    return sorted(source.name for source in sources if source.patient in patients)


def _note(start: ModelCard, seen: Sequence[str], usual: Split, split: Split) -> str:
    moved = [name for name in usual.validation if name in seen]
    there = f" Moved from the held-out patients to training: {listed(moved)}." if moved else ""
    return (
        f"The model {start.name!r}, from which this training starts, was trained on "
        f"{listed(seen)}, as far as names tell: none of them is held out.{there} Held out instead "
        f"of what the folds alone give: {listed(split.validation)}."
    )
