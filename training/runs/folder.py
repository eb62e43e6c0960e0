"""The folder of a training and its state: whether it runs, ended or was killed.

Free of torch: the window reads it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from liverseg_gui.core.errors import LiverSegError, SaveError, UnreadableFileError
from liverseg_gui.segmentation.models.card import CARD
from liverseg_gui.system.regular_file import read_json
from training.runs.events import NextStep, last_progress
from training.runs.files import (
    CHECKPOINT,
    CONTROL,
    CURVE,
    CURVE_TABLE,
    EVENTS,
    FILES,
    IMAGES,
    LOCK,
    MODEL,
    RECIPE,
    RUN,
    SPLIT,
    STDERR,
)
from training.runs.training_job import TrainingJob

_WRITTEN = (
    MODEL,
    IMAGES,
    *(name for name in FILES if name not in (RECIPE, SPLIT, STDERR, CONTROL, CURVE, CURVE_TABLE)),
)
"""What no training has left where there is no record of one; a recipe and a split may have been put
there for it."""
_PATIENCE_S = 2.0
"""`is_held`, in any process, holds the lock for a moment."""


class RunState(StrEnum):
    """How a training is."""

    RUNNING = "running"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"
    """Its process is gone, and did not say why: killed, crashed, or without power."""
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    FAILED = "failed"
    FINISHED = "finished"


@dataclass(frozen=True)
class RunRecord:
    """A training. `started` is its local time in ISO 8601; `fraction` (0..1) and `phase` are the
    last that it reported; `checkpoint` says whether there is an epoch to go on from."""

    out: Path
    name: str
    state: RunState
    started: str
    job: TrainingJob
    message: str = ""
    fraction: float = 0.0
    phase: str = ""
    command: str = ""
    pid: int = 0
    model: Path | None = None
    checkpoint: bool = False

    @property
    def active(self) -> bool:
        """Whether a process works on it."""
        return self.state in (RunState.RUNNING, RunState.PAUSED)

    @property
    def resumable(self) -> bool:
        """Whether --resume has something to do: from the checkpoint, or else from the start."""
        return not self.active and self.state is not RunState.FINISHED


def read_run(out: Path) -> RunRecord:
    """The training in `out`.

    Raises:
        UnreadableFileError: there is none, or its record is damaged.
    """
    values = read_record(out)
    try:
        state = RunState(values["state"])
        job = TrainingJob.from_json({**values["job"], "out": str(out)})
        started, message = str(values["started"]), str(values["message"])
        command, pid = str(values["command"]), int(values["pid"])
        model = out / values["model"] if values["model"] else None
    except (LookupError, TypeError, ValueError, AttributeError, LiverSegError) as error:
        raise UnreadableFileError(
            f"{out / RUN} is damaged or of another version of this program ({error}). "
            "Train again into another folder."
        ) from error
    if state in (RunState.RUNNING, RunState.PAUSED) and not is_held(out):
        state, message = RunState.INTERRUPTED, "It ended before it was done."
    fraction, phase = last_progress(out / EVENTS)
    if state is RunState.FINISHED:
        fraction, phase = 1.0, ""
    return RunRecord(
        out,
        job.name,
        state,
        started,
        job,
        message,
        fraction,
        phase,
        command,
        pid,
        model,
        (out / CHECKPOINT).exists(),
    )


def read_record(out: Path) -> dict[str, Any]:
    """run.json as it is.

    Raises:
        UnreadableFileError: there is none, or it is damaged.
    """
    try:
        values: dict[str, Any] = read_json(out / RUN)
    except (OSError, ValueError) as error:
        raise UnreadableFileError(
            f"{out} holds no training of this program. Name the folder that was given with --out."
        ) from error
    return values


@contextmanager
def held(out: Path) -> Iterator[None]:
    """Keep other trainings out of `out`; the system lets go of it when this process ends.

    Raises:
        LiverSegError: another process trains into it.
        SaveError: the folder cannot be written.
    """
    lock = FileLock(out / LOCK)
    try:
        lock.acquire(timeout=_PATIENCE_S, poll_interval=0.05)
    except Timeout as error:
        raise LiverSegError(
            f"{out} is being trained into already{_by_whom(out)}. Wait for it, stop it, or choose "
            "another folder."
        ) from error
    except OSError as error:
        raise SaveError(
            f"{out} could not be written: {error.strerror or error}. Choose another folder, or "
            "ask for the permission to write there."
        ) from error
    try:
        yield
    finally:
        lock.release()


def is_held(out: Path) -> bool:
    """Whether a process trains into `out`."""
    if not (out / LOCK).exists():
        return False
    lock = FileLock(out / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:  # a folder that cannot be written is not trained into
        return False
    lock.release()
    return False


def _by_whom(out: Path) -> str:
    try:
        pid = int(read_record(out)["pid"])
    except (UnreadableFileError, LookupError, TypeError, ValueError):
        return ""
    return f" by process {pid}" if pid != os.getpid() else " by this process"


def make_folder(out: Path) -> None:
    """Make the folder of a training.

    Raises:
        SaveError: it cannot be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SaveError(
            f"{out} could not be made: {error.strerror}. Choose another folder."
        ) from error


def refuse_earlier(out: Path, resume: bool) -> None:
    """An earlier training in `out`, or what others keep there, is neither overwritten nor mixed.

    One that ended before its first checkpoint is begun again.

    Raises:
        LiverSegError: there is one that is not gone on with, or a file that would be replaced.
    """
    if (out / CHECKPOINT).exists():
        if not resume:
            raise LiverSegError(
                f"{out} holds a training already.",
                "Go on with --resume, or choose another folder.",
                action=NextStep.RESUME,
            )
        return
    try:
        finished, foreign = read_record(out).get("state") == RunState.FINISHED, None
    except UnreadableFileError:
        finished = False
        foreign = next((out / name for name in _WRITTEN if (out / name).exists()), None)
    if finished or (out / MODEL / CARD).exists():
        raise LiverSegError(f"{out} holds a finished training.", "Choose another folder.")
    if foreign is not None:
        raise LiverSegError(
            f"{foreign} is not of a training of this program, and would be replaced.",
            "Choose another folder.",
        )
