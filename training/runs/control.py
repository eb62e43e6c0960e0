"""Commands to a training that runs: a word in a file, which it reads at each batch."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from liverseg_gui.core.errors import Cancelled, LiverSegError
from liverseg_gui.system.atomic_write import write_read_text
from liverseg_gui.system.regular_file import read_text
from training.runs.files import CONTROL

SentCommand = tuple[int, int]
"""Inode of the command's file, and when it was written: no two commands share both."""


class RunCommand(StrEnum):
    """Commands; the latest counts."""

    PAUSE = "pause"
    GO = "go"
    STOP = "stop"
    """After this epoch, so that nothing is lost."""
    CANCEL = "cancel"
    """Now: what the epoch has done so far is lost."""


class Stopped(Cancelled):
    """A stop was asked for, and carried out after the epoch."""


def send_command(out: Path, command: str) -> None:
    """Ask the training in `out` to pause, go (on), stop after this epoch, or cancel now.

    Raises:
        LiverSegError: the word is none of these.
        SaveError: the folder cannot be written.
    """
    if command not in tuple(RunCommand):
        raise LiverSegError(f"A training knows no {command!r}. Ask for {', '.join(RunCommand)}.")
    write_read_text(out / CONTROL, f"{command}\n")


def read_command(out: Path) -> RunCommand:
    """The latest command; `GO` where there is none, or none that is known."""
    try:
        return RunCommand(read_text(out / CONTROL).strip())
    except (OSError, ValueError):
        return RunCommand.GO


def last_command(out: Path) -> SentCommand | None:
    """The latest command that was sent, or None: to be read before a training can be seen."""
    try:
        stat = (out / CONTROL).stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns


def clear_commands(out: Path, earlier: SentCommand | None) -> None:
    """Remove a command that was meant for an earlier training, `earlier`.

    One that was sent since then is meant for the next, and stays.

    Raises:
        OSError: the folder cannot be written.
    """
    if earlier is not None and last_command(out) == earlier:
        (out / CONTROL).unlink(missing_ok=True)
