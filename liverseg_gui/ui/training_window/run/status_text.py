"""Texts about the state of a training."""

from __future__ import annotations

from liverseg_gui.core.progress import seconds_or_minutes
from liverseg_gui.ui.training_window.process.training_process import stderr_tail
from liverseg_gui.ui.widgets.theme import Tone
from training.runs.control import RunCommand
from training.runs.folder import RunRecord, RunState

STARTING = "Starting ..."
TONES: dict[RunState, Tone] = {
    RunState.RUNNING: "accent",
    RunState.PAUSED: "warning",
    RunState.INTERRUPTED: "warning",
    RunState.STOPPED: "info",
    RunState.CANCELLED: "info",
    RunState.FAILED: "error",
    RunState.FINISHED: "good",
}
TITLES: dict[RunState, str] = {
    RunState.RUNNING: "Running",
    RunState.PAUSED: "Paused",
    RunState.INTERRUPTED: "Interrupted",
    RunState.STOPPED: "Stopped",
    RunState.CANCELLED: "Cancelled",
    RunState.FAILED: "Failed",
    RunState.FINISHED: "Finished",
}
_KEPT = "What was trained up to the last whole epoch is kept."
_NOT_KEPT = "No epoch was done yet, so nothing is kept."
_PENDING_TEXTS: dict[RunCommand, str] = {
    RunCommand.PAUSE: "Pauses at the next batch.",
    RunCommand.STOP: "Stops after this epoch.",
    RunCommand.CANCEL: "Is being cancelled.",
}


def state_text(record: RunRecord, command: RunCommand, outcome: str = "") -> str:
    """How the training is and what that means, in a sentence or two.

    `outcome` is how it ended as the window puts it, where that is known.
    """
    if record.state is RunState.RUNNING:
        return _PENDING_TEXTS.get(command, "")
    if record.state is RunState.PAUSED:
        if command is not RunCommand.PAUSE:
            return "Goes on in a moment."
        return "It waits between two batches and keeps its memory. It goes on where it is."
    if record.state is RunState.FINISHED:
        return "The model is written. The next step shows how good it is."
    kept = _KEPT if record.checkpoint else _NOT_KEPT
    return f"{_why(record, outcome)} {kept}".strip()


def resume_text(record: RunRecord) -> str:
    """What the button Go on does."""
    return (
        "Goes on from the last whole epoch"
        if record.checkpoint
        else "Begins again with the same data and recipe"
    )


def time_left(seconds: float | None) -> str:
    """E.g. "about 12 min to the last epoch", or nothing."""
    if seconds is None:
        return ""
    minutes = round(seconds / 60)
    amount = seconds_or_minutes(seconds) if minutes < 120 else f"{minutes / 60:.1f} h"
    return f"about {amount} to the end of the last epoch"


def _why(record: RunRecord, outcome: str) -> str:
    if record.state is RunState.STOPPED:
        return "Stopped as asked."
    if record.state is RunState.CANCELLED:
        return ""
    if record.state is RunState.FAILED:
        return outcome or record.message
    last = stderr_tail(record.out)
    last_text = f" It said last: {last.rstrip('.')}." if last else ""
    return (
        f"Its process ended before it was done: it was killed, or the computer stopped.{last_text}"
    )
