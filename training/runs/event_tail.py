"""Reads a file of events as it grows, each line once."""

from __future__ import annotations

from pathlib import Path

from training.runs.events import Event, parse_event

_MOST_BYTES = 2**20
"""At most so much at a time: a long training is caught up with in several steps."""


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
            with self._path.open("rb") as file:
                if file.seek(0, 2) < self._place:
                    self._place, self.begun_anew = 0, True
                file.seek(self._place)
                return file.read(_MOST_BYTES)
        except OSError:
            return b""
