"""Events of a training, written and read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from liverseg_gui.core.errors import SaveError
from training.runs.events import EventFile, last_progress, read_events


def epoch(stage: str, number: int, loss: float) -> dict[str, Any]:
    return {"event": "epoch", "stage": stage, "epoch": number, "train_loss": loss}


def told(path: Path, *events: dict[str, Any], append: bool = False) -> None:
    tell = EventFile(path, append)
    for event in events:
        tell(event)


def test_epochs_that_were_done_again_stand_once(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    told(path, epoch("one cycle", 1, 3.0), epoch("one cycle", 2, 2.0), epoch("fine-tune", 1, 1.0))
    told(path, epoch("one cycle", 2, 2.5), append=True)
    losses = {(e["stage"], e["epoch"]): e["train_loss"] for e in read_events(path)}
    assert len(read_events(path)) == 3
    assert losses["one cycle", 2] == 2.5
    assert losses["one cycle", 1] == 3.0


def test_an_end_that_was_gone_on_from_is_no_end(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    told(path, {"event": "paused"}, {"event": "end", "state": "stopped"})
    assert [e["event"] for e in read_events(path)] == ["end"]
    told(path, {"event": "resumed"}, epoch("one cycle", 1, 1.0), append=True)
    assert [e["event"] for e in read_events(path)] == ["resumed", "epoch"]


def test_of_progress_the_last_is_kept_and_of_notes_each_once(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    progress = [{"event": "progress", "fraction": n / 4, "phase": f"p{n}"} for n in range(3)]
    notes = [{"event": "note", "text": text} for text in ("a", "b", "a")]
    told(path, *progress, *notes)
    assert read_events(path) == [progress[2], notes[1], notes[0]]
    assert last_progress(path) == (0.5, "p2")


@pytest.mark.parametrize(
    "damaged",
    [{}, {"fraction": None}, {"fraction": "half", "phase": ""}, {"fraction": float("nan")}],
)
def test_progress_that_is_damaged_is_passed_over(tmp_path: Path, damaged: dict[str, Any]) -> None:
    path = tmp_path / "events.jsonl"
    whole = {"event": "progress", "fraction": 0.25, "phase": "Training"}
    told(path, whole, {"event": "progress", "phase": "x", **damaged})
    assert last_progress(path) == (0.25, "Training")


def test_an_event_of_odd_values_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    odd = [{"event": "patient", "name": ["a"]}, {"event": "note", "text": {}}]
    told(path, *odd)
    assert read_events(path) == odd


def test_half_a_line_of_a_killed_process_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    whole = json.dumps(epoch("one cycle", 1, 1.0))
    path.write_text(whole + "\n" + whole[:20])
    told(path, epoch("one cycle", 2, 0.5), append=True)
    assert [e["epoch"] for e in read_events(path)] == [1, 2]


def test_a_new_training_begins_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    told(path, epoch("one cycle", 1, 1.0))
    told(path, {"event": "note", "text": "new"})
    assert [e["event"] for e in read_events(path)] == ["note"]


def test_without_a_file_nothing_was_told(tmp_path: Path) -> None:
    assert read_events(tmp_path / "none") == []
    assert last_progress(tmp_path / "none") == (0.0, "")


def test_a_file_that_cannot_be_written_is_an_error_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SaveError, match="could not be written"):
        EventFile(tmp_path / "nowhere" / "events.jsonl", append=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full to stand for a full disk")
def test_a_disk_that_is_full_later_is_no_reason_to_stop() -> None:
    EventFile(Path("/dev/full"), append=True)({"event": "note", "text": "x" * 100_000})
