"""Progress of a job, and its cancellation, through one call."""

from __future__ import annotations

import threading
from collections.abc import Callable

from liverseg_gui.core.errors import Cancelled

Report = Callable[[float, str], None]


class Progress:
    """Carries a fraction and a phase from a job to whoever watches it, and a cancellation back.

    A job calls `update` at least every few hundred milliseconds. `cancel` may be called from any
    thread; the next `update` then raises `Cancelled` inside the job.
    """

    def __init__(self, report: Report | None = None) -> None:
        self._report = report
        self._cancelled = threading.Event()

    def update(self, fraction: float, phase: str) -> None:
        """Report `fraction` (0 to 1) done of the job, now in `phase`.

        Raises:
            Cancelled: the job was cancelled since the last call.
        """
        if self._cancelled.is_set():
            raise Cancelled
        if self._report is not None:
            self._report(min(max(fraction, 0.0), 1.0), phase)

    def cancel(self) -> None:
        """Ask the job to stop at its next `update`."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancelled.is_set()

    def part(self, start: float, end: float) -> Progress:
        """A Progress whose 0 to 1 is `start` to `end` of this one; they cancel together."""
        part = Progress(
            lambda fraction, phase: self.update(start + fraction * (end - start), phase)
        )
        part._cancelled = self._cancelled
        return part

    def tee(self, report: Report) -> Progress:
        """A Progress that calls `report` as well as this one; they cancel together."""

        def both(fraction: float, phase: str) -> None:
            self.update(fraction, phase)
            report(fraction, phase)

        progress = Progress(both)
        progress._cancelled = self._cancelled
        return progress


def seconds_or_minutes(seconds: float) -> str:
    """A time of up to an hour or two as people say it: "50 s", "12 min"."""
    return f"{max(round(seconds), 1)} s" if seconds < 90 else f"{round(seconds / 60)} min"
