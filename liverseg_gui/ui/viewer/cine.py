"""Cine: automatic scrolling through a plane."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

SPEEDS = (2, 5, 10, 15, 20, 30)
"""Slices a second."""


class Cine(QObject):
    """Calls `step` with 1 or -1 at `speed`; turns round where `step` says that it is at the end."""

    changed = Signal()

    def __init__(self, step: Callable[[int], bool]) -> None:
        super().__init__()
        self._step = step
        self._direction = 1
        self._speed = 10
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.tick)

    @property
    def running(self) -> bool:
        """Whether it scrolls."""
        return self._timer.isActive()

    @property
    def speed(self) -> int:
        """Slices a second."""
        return self._speed

    def play(self, on: bool) -> None:
        """Start or stop."""
        if on and not self.running:
            self._timer.start(round(1000 / self._speed))
        elif not on:
            self._timer.stop()
        self.changed.emit()

    def change_speed(self, step: int) -> None:
        """Take the next of `SPEEDS`, or the one before."""
        at = min(max(SPEEDS.index(self._speed) + step, 0), len(SPEEDS) - 1)
        self._speed = SPEEDS[at]
        self._timer.setInterval(round(1000 / self._speed))
        self.changed.emit()

    def tick(self) -> None:
        """One slice on, or back from the end."""
        if not self._step(self._direction):
            self._direction = -self._direction
            self._step(self._direction)
