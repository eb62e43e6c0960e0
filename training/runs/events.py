"""Events of a training: JSON objects, a line each, in `events.jsonl` of its folder.

docs/json.md has a table of them. Free of torch: the window reads them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

from liverseg_gui.core.errors import SaveError
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.system.regular_file import open_regular

Event = dict[str, Any]
Tell = Callable[[Event], None]
_TAIL = 65_536
_CASE_BEFORE = "Preparing case "
"""How the phase began that alone named a case before events had a field for it."""
_MOST_BYTES = 2**20
"""At most so much at a time: a long training is caught up with in several steps."""


class NextStep(StrEnum):
    """What may be done after a training ended: the `action` of errors and of its "end"."""

    RESUME = "resume"
    """Go on from the last whole epoch."""
    RESTART = "restart"
    """Begin again: no epoch was done."""
    MAKE_ROOM = "make-room"
    """Make room on the disk, then go on."""


def disk_full_error(message: str, kept: str = "") -> Callable[[str], SaveError]:
    """The error, made of the system's reason, where a training has no room on the disk."""
    return lambda reason: SaveError(
        f"{message}: {reason}. {kept}".strip(),
        "Make room and go on with --resume.",
        action=NextStep.MAKE_ROOM,
    )


def end_event(
    state: str,
    reason: str = "",
    remedy: str = "",
    action: str = "",
    case: str | None = None,
    model: str | None = None,
) -> Event:
    """A training ended in `state`, at work on `case`: its message is both `reason` and `remedy`."""
    return {
        "event": "end",
        "state": state,
        "message": f"{reason} {remedy}".strip(),
        "reason": reason,
        "action": action or None,
        "case": case,
        "model": model,
    }


def case_of(event: Event) -> str | None:
    """The case that was worked on at `event`."""
    if "case" not in event:
        before, named, case = str(event.get("phase")).partition(_CASE_BEFORE)
        return case if named and not before else None
    return event["case"] if isinstance(event["case"], str) else None


class EventFile:
    """Appends events to a file; what cannot be written there is no reason to stop."""

    def __init__(self, path: Path, append: bool) -> None:
        """Begin a file, or go on with it: behind half a line, if the last process was killed.

        Raises:
            SaveError: it cannot be written.
        """
        self._path = path
        try:
            with path.open("ab" if append else "wb") as file:
                if file.tell() and not _tail(path, 1).endswith(b"\n"):
                    file.write(b"\n")
        except OSError as error:
            raise SaveError(
                f"{path} could not be written: {error.strerror}. Choose another folder."
            ) from error

    def __call__(self, event: Event) -> None:
        """Add `event`."""
        try:
            with self._path.open("ab") as file:
                file.write(json.dumps(event).encode() + b"\n")
        except OSError:
            return


def read_events(path: Path) -> list[Event]:
    """The events in `path`, without those that a later one supersedes.

    An epoch, its pictures and a patient stand once, though an interrupted training did them again;
    of plans, of progress, and of "paused", "resumed" and "end" the last one counts. The order is
    that in which they were written. What is no event is left out; a missing file has none.
    """
    try:
        with open_regular(path) as file:
            lines = file.read().splitlines()
    except OSError:
        return []
    events: dict[tuple[Any, ...], Event] = {}
    for line in lines:
        event = parse_event(line)
        if event is not None:
            key = _key(event)
            events.pop(key, None)
            events[key] = event
    return list(events.values())


def parse_event(line: bytes | str) -> Event | None:
    """The event on a `line`; None for half a line and for what is no event."""
    try:
        event = parse_json(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else None


def last_progress(path: Path) -> tuple[float, str]:
    """The last fraction (0..1) and phase that were written; nothing done where there is none.

    A line that is damaged, or of another version of the program, is passed over.
    """
    try:
        lines = _tail(path, _TAIL).splitlines()
    except OSError:
        lines = []
    for line in reversed(lines):
        event = parse_event(line)
        progress = _progress(event) if event is not None else None
        if progress is not None:
            return progress
    return 0.0, ""


def _progress(event: Event) -> tuple[float, str] | None:
    if event["event"] != "progress":
        return None
    try:
        fraction, phase = float(event["fraction"]), str(event["phase"])
    except (LookupError, TypeError, ValueError, AttributeError):
        return None
    return (fraction, phase) if 0 <= fraction <= 1 else None


def _key(event: Event) -> tuple[Any, ...]:
    """Events of one key supersede each other."""
    kind = event["event"]
    named = {"epoch": ("stage", "epoch"), "pictures": ("stage", "epoch"), "patient": ("name",)}
    if kind in ("paused", "resumed", "end"):
        return ("state",)
    if kind == "note":
        return kind, str(event.get("text"))
    return kind, *(str(event.get(name)) for name in named.get(kind, ()))


def _tail(path: Path, size: int) -> bytes:
    with open_regular(path) as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(file.tell() - size, 0))
        return file.read()


class EventTail:
    """`read` returns what was added to `path` since; a file that was begun anew is read anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._place = 0
        self._full = False
        self.begun_anew = False
        """Whether the last `read` found another file than the one before."""

    def read(self) -> list[Event]:
        """The events on the next whole lines; what is no event is left out."""
        data = self._next_bytes()
        self._full = len(data) == _MOST_BYTES
        whole = data.rfind(b"\n") + 1
        self._place += whole
        events = (parse_event(line) for line in data[:whole].splitlines())
        return [event for event in events if event is not None]

    @property
    def behind(self) -> bool:
        """Whether the last `read` took as much as it may, so that there is likely more."""
        return self._full

    def _next_bytes(self) -> bytes:
        self.begun_anew = False
        try:
            with open_regular(self._path) as file:
                if file.seek(0, 2) < self._place:
                    self._place, self.begun_anew = 0, True
                file.seek(self._place)
                return file.read(_MOST_BYTES)
        except OSError:
            return b""
