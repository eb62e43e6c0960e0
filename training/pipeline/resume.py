"""The cases of a training that is resumed: its own, whatever was added to the data since."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from liverseg_gui.core.errors import LiverSegError
from training.data.case import CaseSource
from training.data.dataset_layouts import find_all
from training.data.splits import listed, named_in
from training.runs.files import CHECKPOINT, SPLIT


def resumed_split(out: Path, resume: bool) -> Path | None:
    """Where it is written who is in the training in `out` that is gone on with; None without."""
    path = out / SPLIT
    return path if resume and (out / CHECKPOINT).exists() and path.is_file() else None


def resumed_cases(
    split: Path, folders: Sequence[Path], corrected: bool, excluded: Collection[str]
) -> list[CaseSource]:
    """The cases that the file `split` names, and no others.

    What is `excluded` may be gone.

    Raises:
        UnreadableFileError: the file or the data cannot be read.
        LiverSegError: one of its cases is gone, or is to be left out now.
    """
    names = named_in(split)
    if now := sorted(names & set(excluded)):
        raise LiverSegError(
            f"{listed(now)} cannot be left out any more: the training in {split.parent} was begun "
            "with these cases. Resume it with them, or train into another folder."
        )
    there = {source.name: source for source in find_all(folders, corrected, ())}
    if gone := sorted(names - set(there)):
        raise LiverSegError(
            f"The training in {split.parent} was begun with {listed(gone)}, which the data no "
            "longer holds. Put these scans and masks back to resume it, or train into another "
            "folder."
        )
    return [source for name, source in there.items() if name in names]
