"""Events become curves, pictures and log lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from liverseg_gui.system.privacy import HIDDEN, forget_secrets, scrub
from liverseg_gui.ui.training_window.process.run_progress import RunProgress, Usage
from liverseg_gui.ui.training_window.run.status_text import time_left
from training.runs.events import NextStep, end_event

START = {
    "event": "start",
    "stages": [["one cycle", 3], ["fine-tune", 2]],
    "training": ["a"],
    "held_out": [],
    "device": "cpu",
    "precision": "float32",
    "batch_size": 8,
}


def epoch(stage: str, number: int, loss: float = 0.5) -> dict[str, Any]:
    figures = {"train_loss": loss, "valid_loss": 0.6, "liver_dice": 0.9, "tumor_dice": 0.4}
    return {"event": "epoch", "stage": stage, "epoch": number, "seconds": 2.0, **figures}


def progress_after(*events: dict[str, Any]) -> RunProgress:
    progress = RunProgress()
    for event in events:
        progress.add(event)
    return progress


def test_epochs_are_counted_on_over_the_stages() -> None:
    progress = progress_after(
        START, epoch("one cycle", 1), epoch("fine-tune", 2), epoch("fine-tune", 1)
    )
    assert [step.at for step in progress.steps] == [1, 4, 5]
    assert progress.stage_starts == (("one cycle", 0), ("fine-tune", 3))
    assert progress.epochs == 5


def test_an_epoch_that_is_done_again_stands_once_with_its_last_figures() -> None:
    progress = progress_after(START, epoch("one cycle", 1, 0.5), epoch("one cycle", 1, 0.7))
    assert [step.result.train_loss for step in progress.steps] == [0.7]
    assert sum("epoch 1" in line for line in progress.log) == 1


def test_pictures_are_in_the_order_of_their_epochs() -> None:
    shown = [("fine-tune", 1, "pictures/004.npz"), ("one cycle", 2, "pictures/002.npz")]
    told_of = [
        {"event": "pictures", "stage": stage, "epoch": n, "path": p} for stage, n, p in shown
    ]
    progress = progress_after(START, *told_of)
    assert [file.path for file in progress.pictures] == [
        Path("pictures/002.npz"),
        Path("pictures/004.npz"),
    ]


def test_what_a_computer_does_not_tell_is_none() -> None:
    event = {"event": "progress", "fraction": 0.5, "phase": "P", "eta_s": None}
    progress = progress_after({**event, "cpu_percent": 150, "memory_mb": None})
    assert progress.usage == Usage(150.0, None, None, None)
    assert progress.eta_s is None
    assert progress_after({**event, "cpu_percent": 150}, _end("failed")).usage == Usage()


def test_events_of_another_version_are_left_out() -> None:
    progress = progress_after(
        {"event": "unheard of"}, {"event": "epoch", "stage": "x"}, {"event": "start"}
    )
    assert progress.steps == ()
    assert progress.log == []


def _end(state: str, message: str = "") -> dict[str, Any]:
    """As an earlier version told it."""
    return {"event": "end", "state": state, "message": message, "model": None}


def test_the_log_is_in_the_words_of_the_window() -> None:
    patient = {"event": "patient", "name": "007", "liver": {"dice": 0.95}, "tumor": {"dice": None}}
    stopped = end_event("stopped", "Stopped as asked.", "Any words.", NextStep.RESUME)
    progress = progress_after(START, patient, {"event": "paused"}, {"event": "resumed"}, stopped)
    assert progress.log == [
        "Trains on 1 case, held out: none. cpu, float32, 8 slices in a batch.",
        "Held-out patient 007: Dice liver 0.950, tumor -.",
        "Paused.",
        "Goes on.",
        "Stopped as asked. What was trained up to the last whole epoch is kept; press Go on.",
    ]
    assert progress_after(_end("failed", "The disk is full.")).log == ["Failed. The disk is full."]


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (NextStep.RESUME, "What was trained up to the last whole epoch is kept; press Go on."),
        (NextStep.RESTART, "No epoch was done yet; Go on begins again."),
        (NextStep.MAKE_ROOM, "Make room and press Go on."),
        ("", "Bitte mit --resume fortsetzen."),
        ("of another version", "Bitte mit --resume fortsetzen."),
    ],
)
def test_what_to_do_is_told_by_the_action_whatever_the_words(action: str, words: str) -> None:
    event = end_event("failed", "Voll.", "Bitte mit --resume fortsetzen.", action)
    progress = progress_after(event)
    assert progress.outcome == f"Voll. {words}"
    assert progress.log == [f"Failed. Voll. {words}"]
    progress.add({"event": "resumed"})
    assert progress.outcome == ""


@pytest.mark.parametrize(
    "event",
    [
        {
            "event": "progress",
            "fraction": 0.1,
            "phase": "Doe_John wird gelesen",
            "case": "Doe_John",
        },
        {"event": "progress", "fraction": 0.1, "phase": "Preparing case Doe_John"},
        end_event("failed", "Doe_John fehlt.", case="Doe_John"),
    ],
)
def test_a_case_is_hidden_by_its_field_whatever_the_words(event: dict[str, Any]) -> None:
    forget_secrets()
    progress_after({**event, "eta_s": None})
    assert scrub("Doe_John is damaged") == f"{HIDDEN} is damaged"


def test_where_no_case_is_worked_on_no_words_are_hidden() -> None:
    forget_secrets()
    progress_after(
        {"event": "progress", "fraction": 0.1, "phase": "Preparing case files", "case": None}
    )
    assert scrub("Preparing case files") == "Preparing case files"


def test_how_an_earlier_version_ended_is_told_as_it_said_it() -> None:
    kept = "Stopped as asked. What is done is kept; go on with --resume."
    assert progress_after(_end("stopped", kept)).log == [kept]


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, ""), (0.2, "1 s"), (80, "80 s"), (600, "10 min"), (9000, "2.5 h")]
)
def test_what_is_left_is_said_as_exactly_as_it_is_known(seconds: float | None, words: str) -> None:
    assert time_left(seconds) == (f"about {words} to the end of the last epoch" if words else "")
