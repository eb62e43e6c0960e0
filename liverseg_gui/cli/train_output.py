"""Output of `liverseg train`: events as JSON lines or as text."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO

from liverseg_gui.cli.console import say
from liverseg_gui.core.progress import Progress

if TYPE_CHECKING:
    from liverseg_gui.evaluation.case_metrics import CaseMetrics


_REPORT_S = 0.5


def print_event(event: dict[str, Any]) -> None:
    """Print `event` as a line of JSON."""
    print_line(json.dumps(event))


def print_text(event: dict[str, Any]) -> None:
    """Print epochs and, on stderr, notes; a person sees the progress elsewhere."""
    if event["event"] == "epoch":
        print_line(
            f"{event['stage']} {event['epoch']}: loss {event['train_loss']:.3f}, validation "
            f"{event['valid_loss']:.3f}, liver Dice {event['liver_dice']:.3f}, tumor Dice "
            f"{event['tumor_dice']:.3f}, {event['seconds']:.0f} s"
        )
    elif event["event"] == "note":
        print_line(event["text"], sys.stderr)
    elif event["event"] == "paused":
        print_line("Paused.", sys.stderr)


def event_text(result: CaseMetrics) -> str:
    """A held-out patient in a line."""
    liver, tumor = result.liver.voxels.dice, "none"
    if result.has_tumor:
        tumor = f"{result.tumor.voxels.dice:.3f}"
    elif result.tumor.voxels.found:
        tumor = f"none, {result.false_tumor_percent:.2f} % of the liver found"
    return f"held out {result.name}: liver Dice {liver:.3f}, tumor {tumor}"


def progress_events(progress: Progress) -> tuple[Progress, Callable[[str | None], None]]:
    """A Progress that is printed as events, at most twice a second; it cancels with `progress`.

    Returns with it the function to call with the case that is worked on.
    """
    last_s, case = float("-inf"), None

    def works_on(name: str | None) -> None:
        nonlocal case
        case = name

    def report(fraction: float, phase: str) -> None:
        nonlocal last_s
        if time.monotonic() - last_s >= _REPORT_S:
            last_s = time.monotonic()
            event = {"event": "progress", "fraction": fraction, "phase": phase, "case": case}
            print_event(event)

    return progress.tee(report), works_on


def print_line(line: str, stream: TextIO | None = None) -> None:
    """Print `line`, as `say` does. Where nobody reads any more, the training goes on without saying
    anything: the window that started it was closed, perhaps, and what it would read is in the
    folder, too."""
    stream = stream or sys.stdout
    try:
        say(line, stream=stream)
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
