"""The log of a training: a row for each epoch as JSON lines and as CSV, and notes in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from liverseg_gui.system.atomic_write import atomic_write
from liverseg_gui.system.csv_table import csv_table
from liverseg_gui.system.plain_text import one_line
from training.runs.events import disk_full_error
from training.runs.files import LOG, NOTES, TABLE


@dataclass(frozen=True)
class EpochResult:
    """What one epoch gave, for logs and progress.

    Dice and `accuracy` (pixels that are right, 0..1) are of all validation slices together;
    `learning_rate` is the one of the epoch's last step, `batch_size` slices are in a batch.
    """

    stage: str
    epoch: int
    train_loss: float
    valid_loss: float
    liver_dice: float
    tumor_dice: float
    seconds: float
    accuracy: float = 0.0
    learning_rate: float = 0.0
    batch_size: int = 0


def write_log(folder: Path, rows: Sequence[EpochResult]) -> None:
    """Write all `rows` anew, so that an epoch that is done again after a kill stands there once.

    Raises:
        SaveError: the folder cannot be written.
    """
    table = csv_table([field.name for field in fields(EpochResult)], map(asdict, rows))
    lines = "".join(json.dumps(asdict(row)) + "\n" for row in rows)
    for name, text in ((LOG, lines), (TABLE, table)):
        problem = disk_full_error(f"The log {folder / name} could not be written")
        with atomic_write(folder / name, problem) as beside:
            beside.write_bytes(text.encode())


def add_note(folder: Path, note: str) -> None:
    """Add a line to the notes; what cannot be noted is no reason to stop."""
    try:
        with (folder / NOTES).open("a", encoding="utf-8") as notes:
            notes.write(one_line(note) + "\n")
    except OSError:
        return
