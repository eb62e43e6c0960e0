"""Flicker: the overlay goes and comes, or two masks take turns, and the eye finds the change."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from liverseg_gui.state.open_scan import OpenScan
from liverseg_gui.state.view import ViewState

HALF_PERIOD_MS = 200
"""2.5 flashes a second: WCAG 2 (2.3.1) allows no more than 3."""


class Flicker(QObject):
    """`second` is true in every other half: the overlay is off then, or B is shown.

    Showing or hiding the overlay, another scan or comparison, and the loss of the mask stop it.
    """

    changed = Signal()
    started = Signal()
    stopped = Signal()

    def __init__(self, study: OpenScan, view: ViewState) -> None:
        super().__init__()
        self._study, self._view = study, view
        self.second = False
        self.timer = QTimer(self)
        self.timer.setInterval(HALF_PERIOD_MS)
        self.timer.timeout.connect(self._turn)
        view.events.overlay_visible.connect(self.stop)
        view.events.comparing.connect(self.stop)
        study.compared_changed.connect(self.stop)
        study.volume_changed.connect(self.stop)
        study.preview_changed.connect(self.stop)

    @property
    def running(self) -> bool:
        """Whether it flickers."""
        return self.timer.isActive()

    def set_running(self, running: bool) -> None:
        """Start, which shows a hidden overlay, or stop."""
        if not running:
            self.stop()
        elif not self.running and self._study.mask is not None:
            self._view.overlay_visible = True
            self.timer.start()
            self.started.emit()
            self.changed.emit()

    def stop(self, *_: object) -> None:
        """Show the overlay steadily again, if it flickers."""
        if self.running:
            self.timer.stop()
            self.second = False
            self.stopped.emit()
            self.changed.emit()

    def _turn(self) -> None:
        self.second = not self.second
        self.changed.emit()
