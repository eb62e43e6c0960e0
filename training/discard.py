"""Deleting a training: what it wrote, and nothing that others put into its folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from liverseg_gui.core.errors import LiverSegError, SaveError
from training.run_folder import LOCK, RUN, is_held, read_record
from training.runs import forget

_FILES = (
    "checkpoint.pt",
    "comparison.json",
    "control",
    "decision.json",
    "events.jsonl",
    "held_out.html",
    "held_out.json",
    "log.csv",
    "log.jsonl",
    "notes.txt",
    "rates.csv",
    "rates.json",
    "recipe.toml",
    "split.json",
    "worst.npz",
    LOCK,
    RUN,
)
_FOLDERS = ("model", "pictures")


def discard_run(out: Path) -> bool:
    """Delete what the training in `out` wrote, and take it off the list of trainings.

    Returns whether the folder is gone too; it stays where there is anything else in it.

    Raises:
        UnreadableFileError: there is no training.
        LiverSegError: it still runs.
        SaveError: something could not be deleted.
    """
    read_record(out)
    if is_held(out):
        raise LiverSegError(f"The training in {out} still runs. Stop it first.")
    try:
        for name in _FOLDERS:
            if (out / name).is_dir():
                shutil.rmtree(out / name)
        for name in _FILES:
            (out / name).unlink(missing_ok=True)
        gone = not any(out.iterdir())
        if gone:
            out.rmdir()
    except OSError as error:
        raise SaveError(
            f"{out} could not be deleted: {error.strerror or error}. Close the program that uses "
            "it, or delete the folder yourself."
        ) from error
    forget(out)
    return gone
