"""Preview of the split of the chosen cases, as the training will make it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.segmentation.models.card import ModelCard
from training.data.case import CaseSource
from training.data.selection import DataSelection


@dataclass(frozen=True)
class SplitPreview:
    """The names of the cases held out, None where there is no split; the line about it; and
    whether a training can start with it."""

    held_out: frozenset[str] | None
    text: str
    ready: bool


NOT_YET = SplitPreview(None, "The cases are still being looked through.", False)


def preview_split(
    sources: Sequence[CaseSource], selection: DataSelection, start: ModelCard | None
) -> SplitPreview:
    """Split `sources` as a training does that starts from the model `start`, or from none."""
    if not sources:
        return SplitPreview(None, "No case is included.", False)
    from training.data.leakage_free_split import split_without_leakage  # late: for the start

    folds = selection.folds
    patients = {source.name: source.patient for source in sources}
    count = len(set(patients.values()))
    if folds == 1:
        text = f"Nobody is held out ({_patients(count)}): no figure will say how good the model is."
        return SplitPreview(frozenset(), text, True)
    if count == 1:
        text = "All cases are one patient's, so none can be held out. Add another patient."
        return SplitPreview(None, text, False)
    if folds > count:
        text = f"{_patients(count)} cannot be dealt into {folds} parts. Take at most {count} parts."
        return SplitPreview(None, text, False)
    try:
        result = split_without_leakage(sources, folds, selection.fold, selection.seed, start)
    except LiverSegError as problem:
        return SplitPreview(None, str(problem), False)
    held_out = frozenset(result.split.validation)
    out = len({patients[name] for name in held_out})
    text = _split_text(count - out, out, len(sources) - count)
    if start is not None and result.note:
        text += f" Nobody is held out whom {start.name!r} was trained on, as far as names tell."
    return SplitPreview(held_out, text, True)


def _split_text(training: int, held_out: int, more: int) -> str:
    scans = f" ({more} more scans go with their patient)" if more > 1 else ""
    scans = " (1 more scan goes with its patient)" if more == 1 else scans
    return f"Split by patient: {training} train, {held_out} held out{scans}."


def _patients(count: int) -> str:
    return "1 patient" if count == 1 else f"{count} patients"
