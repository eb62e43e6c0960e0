"""Splits of cases by patient, made by a rule or read from a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from liverseg_gui.core.errors import LiverSegError, UnreadableFileError
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.system.atomic_write import write_text
from training.data.case import CaseSource


class Side(StrEnum):
    """What a case is for."""

    TRAINING = "training"
    VALIDATION = "validation"
    TEST = "test"


@dataclass(frozen=True)
class Split:
    """The names of the cases on each side, sorted. Cases of one patient share a side."""

    training: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...] = ()

    def side(self, name: str) -> Side:
        """Where the case `name` is.

        Raises:
            KeyError: nowhere.
        """
        for side in Side:
            if name in self.names(side):
                return side
        raise KeyError(name)

    def names(self, side: Side) -> tuple[str, ...]:
        """The cases of `side`."""
        return {
            Side.TRAINING: self.training,
            Side.VALIDATION: self.validation,
            Side.TEST: self.test,
        }[side]


def split_patients(names: Sequence[str], folds: int, fold: int, seed: int) -> list[str]:
    """The held-out patients of `fold`: the same for the same names, folds and seed."""
    order = np.random.default_rng(seed).permutation(len(names))
    return sorted(names[i] for i in order[fold::folds])


def make_split(
    sources: Sequence[CaseSource], folds: int, fold: int, seed: int, test_fraction: float = 0.0
) -> Split:
    """Hold out fold number `fold` (from 0) of `folds` for validation, by patient.

    First `test_fraction` of the patients are set apart for testing, the same for every fold. The
    order of `sources` plays no part. Without a test part and with a case a patient, the validation
    cases are `split_patients` of the sorted names.

    Raises:
        LiverSegError: the numbers make no sense, or there are too few patients for them.
    """
    patients = sorted({source.patient for source in sources})
    if folds < 2 or not 0 <= fold < folds or not 0 <= test_fraction < 1:
        raise LiverSegError(
            f"Fold {fold} of {folds} with {test_fraction:g} for testing makes no split. Give at "
            "least 2 folds, a fold from 0 to one less, and a test part from 0 to below 1."
        )
    test = _test_patients(patients, test_fraction, seed)
    rest = [patient for patient in patients if patient not in test]
    if len(rest) == 1:
        raise LiverSegError(
            "There is a single patient, too few to train on some and hold out others. Add "
            "patients, or train on this one with --folds 1: nothing then says how good it is."
        )
    if len(rest) < folds:
        kept = f" besides {len(test)} for testing" if test else ""
        raise LiverSegError(
            f"There are {len(rest)} patients{kept}, too few for {folds} folds. Take fewer folds or "
            "more patients."
        )
    held_out = split_patients(rest, folds, fold, seed)
    sides = dict.fromkeys(rest, Side.TRAINING)
    sides |= dict.fromkeys(held_out, Side.VALIDATION) | dict.fromkeys(test, Side.TEST)
    return _split({source.name: sides[source.patient] for source in sources})


def save_split(split: Split, path: Path) -> None:
    """Write `split` as JSON: a list of names for each side.

    Raises:
        SaveError: it could not be written; what was there before is kept.
    """
    write_text(path, json.dumps(asdict(split), indent=1) + "\n")


def load_split(path: Path, sources: Sequence[CaseSource]) -> Split:
    """The split of `sources` that was written to `path`, by `save_split` or by hand.

    Raises:
        UnreadableFileError: it is damaged, names no case or one twice, leaves one out, has a
            patient on two sides or nothing to train on.
    """
    sides = _sides(path)
    patients = {source.name: source.patient for source in sources}
    if unknown := sorted(set(sides) - set(patients)):
        raise UnreadableFileError(
            f"{path} names cases that are not in the data: {listed(unknown)}. Use it with the "
            "data it was made for, or take them out."
        )
    if missing := sorted(set(patients) - set(sides)):
        raise UnreadableFileError(
            f"{path} leaves out the cases {listed(missing)}. Add each to training, validation or "
            "test."
        )
    seen: dict[str, str] = {}
    for name, side in sides.items():
        other = seen.setdefault(patients[name], name)
        if sides[other] is not side:
            raise UnreadableFileError(
                f"{path} has one patient on two sides: {other} ({sides[other]}) and {name} "
                f"({side}). Put all scans of a patient on one side."
            )
    split = _split(sides)
    if not split.training:
        raise UnreadableFileError(f"{path} has nothing to train on. Add cases to training.")
    return split


def named_in(path: Path) -> set[str]:
    """The names of all cases in the split that was written to `path`.

    Raises:
        UnreadableFileError: it is damaged, or names a case twice.
    """
    return set(_sides(path))


def _sides(path: Path) -> dict[str, Side]:
    """The side of each name in a file."""
    try:
        stored = parse_json(path.read_text("utf-8"))
        pairs = [(name, side) for side in Side for name in stored.pop(side.value, [])]
        whole = not stored and all(isinstance(name, str) for name, _ in pairs)
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise _damaged(path) from error
    if not whole:
        raise _damaged(path)
    names = [name for name, _ in pairs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UnreadableFileError(f"{path} names {listed(twice)} twice. Name each case once.")
    return dict(pairs)


def _damaged(path: Path) -> UnreadableFileError:
    return UnreadableFileError(
        f'{path} is missing or no split: it should be {{"training": [names], "validation": '
        '[names], "test": [names]}.'
    )


def _split(sides: dict[str, Side]) -> Split:
    named = {side: tuple(sorted(n for n, s in sides.items() if s is side)) for side in Side}
    return Split(named[Side.TRAINING], named[Side.VALIDATION], named[Side.TEST])


def _test_patients(patients: list[str], fraction: float, seed: int) -> set[str]:
    """Drawn by a generator of its own, so that the folds of `seed` do not follow from it."""
    order = np.random.default_rng([seed, 1]).permutation(len(patients))
    return {patients[i] for i in order[: round(fraction * len(patients))]}


def listed(names: Sequence[str], most: int = 5) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
