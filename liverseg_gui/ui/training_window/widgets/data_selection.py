"""What the data page comes to: which cases, and which of them are held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from liverseg_gui.core.errors import LiverSegError

if TYPE_CHECKING:
    from training.data.case import CaseSource

FOLDS, SPLIT_SEED = 5, 5


@dataclass(frozen=True)
class DataSelection:
    """`data` are folders of labelled cases, `corrected` whether the studies corrected here are
    taken too, `excluded` the names of cases left out. `fold` (from 0) of `folds` is held out, by
    patient, as `split_seed` deals them; with one fold none is."""

    data: tuple[Path, ...] = ()
    corrected: bool = False
    excluded: tuple[str, ...] = ()
    folds: int = FOLDS
    fold: int = 0
    split_seed: int = SPLIT_SEED


@dataclass(frozen=True)
class Deal:
    """How the cases are dealt: the names of those held out, None where they are not dealt, the line
    that says so, and whether a training can begin with it."""

    held_out: frozenset[str] | None
    words: str
    ready: bool


NOT_YET = Deal(None, "The cases are still being looked through.", False)


def deal(sources: Sequence[CaseSource], folds: int, fold: int, seed: int) -> Deal:
    """Deal `sources` by patient, as the training will."""
    if not sources:
        return Deal(None, "No case is included.", False)
    from training.data.splits import make_split  # late: it loads what reads scans

    patients = {source.name: source.patient for source in sources}
    count = len(set(patients.values()))
    if folds == 1:
        words = (
            f"Nobody is held out ({_patients(count)}): no figure will say how good the model is."
        )
        return Deal(frozenset(), words, True)
    if count == 1:
        words = "All cases are one patient's, so none can be held out. Add another patient."
        return Deal(None, words, False)
    try:
        held_out = frozenset(make_split(sources, folds, fold, seed).validation)
    except LiverSegError:
        words = (
            f"{_patients(count)} cannot be dealt into {folds} parts. Take at most {count} parts."
        )
        return Deal(None, words, False)
    out = len({patients[name] for name in held_out})
    return Deal(held_out, _split_words(count - out, out, len(sources) - count), True)


def _split_words(training: int, held_out: int, more: int) -> str:
    scans = f" ({more} more scans go with their patient)" if more > 1 else ""
    scans = " (1 more scan goes with its patient)" if more == 1 else scans
    return f"Split by patient: {training} train, {held_out} held out{scans}."


def _patients(count: int) -> str:
    return "1 patient" if count == 1 else f"{count} patients"
