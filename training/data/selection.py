"""The selection of labelled cases: which are trained on, and which are held out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDS, SPLIT_SEED = 5, 5


@dataclass(frozen=True, kw_only=True)
class DataSelection:
    """The cases in `folders`, and where `corrected` the studies corrected in this program.

    Cases `excluded` by name are left out. `fold` (from 0) of `folds` is held out, by patient, as
    `seed` shuffles them, or what `split_file` holds out; with one fold all are trained on. Cases in
    which the check finds errors are refused unless `allow_errors`.
    """

    folders: tuple[Path, ...] = ()
    corrected: bool = False
    excluded: tuple[str, ...] = ()
    folds: int = FOLDS
    fold: int = 0
    seed: int = SPLIT_SEED
    split_file: Path | None = None
    allow_errors: bool = False
