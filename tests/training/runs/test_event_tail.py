"""The file of events, read as it grows."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.runs import events
from training.runs.events import EventTail


def add(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def texts(tail: EventTail) -> list[str]:
    return [event["text"] for event in tail.read()]


def note(text: str) -> str:
    return f'{{"event": "note", "text": "{text}"}}\n'


def test_a_line_is_read_once(path: Path) -> None:
    tail = EventTail(path)
    assert tail.read() == []
    add(path, note("one"))
    assert texts(tail) == ["one"]
    add(path, note("two"))
    path.write_text(path.read_text().replace("one", "uno"))
    assert texts(tail) == ["two"]


def test_half_a_line_waits_for_its_end(path: Path) -> None:
    tail = EventTail(path)
    add(path, note("one")[:10])
    assert texts(tail) == []
    add(path, note("one")[10:])
    assert texts(tail) == ["one"]


def test_what_is_no_event_is_left_out(path: Path) -> None:
    add(path, "[]\nnoise\n" + note("one"))
    assert texts(EventTail(path)) == ["one"]


def test_a_file_that_is_begun_anew_is_read_anew(path: Path) -> None:
    tail = EventTail(path)
    add(path, note("one") + note("two"))
    tail.read()
    path.write_text(note("new"))
    assert texts(tail) == ["new"]
    assert tail.begun_anew
    tail.read()
    assert not tail.begun_anew


def test_a_long_file_is_read_in_steps(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_MOST_BYTES", 50)
    add(path, note("one") + note("two"))
    tail = EventTail(path)
    assert texts(tail) == ["one"]
    assert tail.behind
    assert texts(tail) == ["two"]
    assert not tail.behind
