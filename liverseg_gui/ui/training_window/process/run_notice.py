"""Texts of the main window's notice about a training."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from liverseg_gui.ui.widgets.theme import Tone
from training.runs.folder import RunRecord, RunState
from training.runs.registry import known_runs

_STATES: dict[RunState, tuple[str, Tone]] = {
    RunState.RUNNING: ("is running", "accent"),
    RunState.PAUSED: ("is paused", "warning"),
    RunState.INTERRUPTED: ("was interrupted", "warning"),
    RunState.FINISHED: ("is finished", "good"),
    RunState.FAILED: ("failed", "error"),
    RunState.STOPPED: ("was stopped", "info"),
    RunState.CANCELLED: ("was cancelled", "info"),
}


def run_to_notice(before: Path | None, dismissed: Collection[str]) -> RunRecord | None:
    """One that runs; else the one in `before`, which the last notice was about; else an interrupted
    one."""
    runs = [run for run in known_runs() if notice_key(run) not in dismissed]
    chosen = [run for run in runs if run.active]
    chosen += [run for run in runs if run.out == before]
    chosen += [run for run in runs if run.state is RunState.INTERRUPTED]
    return chosen[0] if chosen else None


def notice_key(run: RunRecord) -> str:
    """A training as it is now: when it has gone on or ended otherwise there is a notice again."""
    return f"{run.out} {run.started} {'active' if run.active else run.state}"


def notice_text(run: RunRecord, name: str) -> tuple[str, Tone]:
    """The notice about `run` under the `name` that may be seen, and its tone."""
    state_text, tone = _STATES[run.state]
    done = f", {run.fraction:.0%}" if run.active else ""
    return f'The training "{name}" {state_text}{done}.', tone
