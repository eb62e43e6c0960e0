"""Progress of the running job: its phase, the time left, and a Cancel button."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QWidget

from liverseg_gui.core.progress import seconds_or_minutes
from liverseg_gui.system.plain_text import one_line
from liverseg_gui.ui.jobs.job_runner import Job, JobRunner
from liverseg_gui.ui.widgets.labels import PlainLabel

_ESTIMATE_FROM = 0.08
_ESTIMATE_AFTER_SECONDS = 2.0
_LEAST_PX, _MOST_PX = 330, 600


class JobBar(QWidget):
    """Visible while jobs run. `shown` says what of a text may be seen."""

    def __init__(
        self,
        runner: JobRunner,
        shown: Callable[[str], str] = str,
        cancel: str = "Cancel (Esc)",
    ) -> None:
        super().__init__()
        self._runner, self._shown = runner, shown
        self._job: Job | None = None
        self._text = ""
        self._phase = PlainLabel()
        self._phase.setMinimumWidth(_LEAST_PX)
        self._bar = QProgressBar()
        self._bar.setRange(0, 1000)
        self._bar.setFixedWidth(120)
        self._cancel = QPushButton(cancel)
        self._cancel.setAutoDefault(False)  # in a dialog Enter is for what it is there for
        self._cancel.clicked.connect(self.cancel)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 0)
        for widget in (self._phase, self._bar, self._cancel):
            layout.addWidget(widget)
        runner.job_started.connect(self._watch)
        runner.became_idle.connect(self._rest)
        self.hide()

    def cancel(self) -> None:
        """Cancel all jobs."""
        if self._job is not None:
            self._cancel.setEnabled(False)
            self._text = "Cancelling ..."
            self.refresh()
        self._runner.cancel_all()

    def _watch(self, job: Job) -> None:
        self._job = job
        self._cancel.setEnabled(True)
        self._bar.setValue(0)
        self._text = job.name
        self.refresh()
        job.progressed.connect(self._show)
        self.show()

    def _rest(self) -> None:
        """Let go of the last job: those who listen to it may hold a mask."""
        self._job = None
        self.hide()

    def _show(self, fraction: float, phase: str) -> None:
        if self._job is None or not self._cancel.isEnabled():
            return
        self._bar.setValue(round(fraction * 1000))
        elapsed = time.monotonic() - self._job.started_at
        self._text = phase + remaining(fraction, elapsed)
        self.refresh()

    def refresh(self) -> None:
        """Show the phase as it may be shown now."""
        text = one_line(self._shown(self._text))
        middle = Qt.TextElideMode.ElideMiddle
        self._phase.setText(self._phase.fontMetrics().elidedText(text, middle, _MOST_PX))


def remaining(fraction: float, elapsed_s: float) -> str:
    """ ", about 12 s left" once there is enough to go by, else nothing."""
    if fraction < _ESTIMATE_FROM or fraction >= 1 or elapsed_s < _ESTIMATE_AFTER_SECONDS:
        return ""
    return f", about {seconds_or_minutes(elapsed_s * (1 - fraction) / fraction)} left"
