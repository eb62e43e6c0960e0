"""Python's garbage collection between two events of the window, and nowhere else.

The collector may free a Qt object wherever it happens to run: in a worker, where Qt forbids
it, or within Qt's own locks, where PySide then waits for itself for ever.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_EVERY_MS = 1000


class GarbageTimer(QObject):
    """Takes over from Python's collector until `stop`: the same generations at the same counts."""

    def __init__(self) -> None:
        super().__init__()
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.check)
        self._timer.start(_EVERY_MS)

    def spare_all(self) -> None:
        """What is there now stays as long as the program: never look through it again.

        Looking through all modules takes longer than drawing three slices.
        """
        gc.freeze()

    def check(self) -> None:
        """Collect as far as Python itself would have by now."""
        counts, limits = gc.get_count(), gc.get_threshold()
        due = [n for n in range(3) if counts[n] > limits[n]]
        if 0 in due:
            gc.collect(max(due))

    def collect_soon(self) -> None:
        """Collect all once the present event is done: a scan was closed."""
        QTimer.singleShot(0, self, gc.collect)

    def stop(self) -> None:
        """Leave it to Python again."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()
