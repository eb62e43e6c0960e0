"""Header of the run page: state, progress and buttons of a training."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from liverseg_gui.ui.training_window.run.status_text import (
    STARTING,
    TITLES,
    TONES,
    resume_text,
    state_text,
)
from liverseg_gui.ui.widgets.buttons import push_button
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.theme import Tone, set_tone
from training.runs.control import RunCommand
from training.runs.folder import RunRecord, RunState

_STEPS = 1000
_NONE = "No training is shown."
_NOT_YET = "The training is starting."
_ENDED = "The training does not run."


class RunHeader(QWidget):
    """Buttons that are of no use now are disabled and say why.

    `command_requested` carries a `RunCommand`; pausing and going on share a button, and so do
    stopping and taking that back.
    """

    command_requested = Signal(str)
    resume_requested = Signal()
    folder_requested = Signal()

    def __init__(self, shown: Callable[[str], str] = str) -> None:
        super().__init__()
        self._shown = shown
        self.title, self.status, self.left = PlainLabel(), PlainLabel(), PlainLabel()
        self.status.setWordWrap(True)
        self.status.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        set_tone(self.left, "muted")
        self.bar = QProgressBar()
        self.bar.setRange(0, _STEPS)
        self.bar.setAccessibleName("Progress of the training")
        self._command = RunCommand.GO
        self.pause = push_button("&Pause", self._pause_or_go)
        self.stop = push_button("&Stop after this epoch", self._stop_or_not)
        self.cancel = push_button("&Cancel now ...", lambda: self._send(RunCommand.CANCEL))
        self.resume = push_button("&Go on", self.resume_requested.emit)
        self.folder = push_button("Op&en folder", self.folder_requested.emit)
        self._arrange()
        self.show_nothing()

    def _arrange(self) -> None:
        top, row = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self.title)
        top.addStretch(1)
        top.addWidget(self.left)
        for button in (self.pause, self.stop, self.cancel, self.resume):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.folder)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(top)
        layout.addWidget(self.bar)
        layout.addWidget(self.status)
        layout.addLayout(row)

    def show_nothing(self) -> None:
        """No training is shown."""
        self._show_status("", "", None)
        self.show_progress(0.0, "", "")
        for button in (self.pause, self.stop, self.cancel, self.resume, self.folder):
            _allow(button, _NONE)

    def show_starting(self, name: str) -> None:
        """The process was started and has not written its record yet."""
        self._show_status(
            f"{name}: {STARTING}", "Python and the network are being loaded.", "accent"
        )
        for button in (self.pause, self.stop, self.cancel, self.resume):
            _allow(button, _NOT_YET)
        _allow(self.folder, "")

    def show_died(self, name: str, reason: str) -> None:
        """The process ended before it wrote its record."""
        self._show_status(
            f"{name}: Failed", self._shown(f"The training did not start. {reason}"), "error"
        )
        for button in (self.pause, self.stop, self.cancel):
            _allow(button, _ENDED)
        _allow(self.resume, "", "Starts it again with the same data and recipe")
        _allow(self.folder, "")

    def show_record(self, record: RunRecord, command: RunCommand, outcome: str = "") -> None:
        """How the training is, which `command` it has not carried out yet, and the `outcome`."""
        self._command = command
        status = self._shown(state_text(record, command, outcome))
        self._show_status(f"{record.name}: {TITLES[record.state]}", status, TONES[record.state])
        paused = record.state is RunState.PAUSED
        waits = paused or command is RunCommand.PAUSE
        self.pause.setText("&Go on" if waits else "&Pause")
        stopping = record.active and command is RunCommand.STOP
        self.stop.setText("Do not &stop" if stopping else "&Stop after this epoch")
        self.resume.setVisible(not record.active)
        self.pause.setVisible(record.active)
        ended = "" if record.active else _ENDED
        leaving = "It is being cancelled." if command is RunCommand.CANCEL else ""
        for button in (self.pause, self.cancel):
            _allow(button, ended or leaving)
        _allow(self.stop, ended or leaving or ("Let it go on first." if waits else ""))
        why_not = "" if record.resumable else "It is finished." if ended else "It runs."
        _allow(self.resume, why_not, resume_text(record))
        _allow(self.folder, "")

    def show_progress(self, fraction: float, phase: str, left: str) -> None:
        """How far it is, 0..1, what it does, and how long that takes."""
        self.bar.setValue(round(fraction * _STEPS))
        self.left.setText(", ".join(part for part in (self._shown(phase), left) if part))

    def _show_status(self, title: str, status: str, tone: Tone | None) -> None:
        self.title.setText(title)
        set_tone(self.title, tone, strong=True)
        self.status.setText(status)
        self.status.setVisible(bool(status))

    def _pause_or_go(self) -> None:
        self._send(RunCommand.GO if self.pause.text() == "&Go on" else RunCommand.PAUSE)

    def _stop_or_not(self) -> None:
        self._send(RunCommand.GO if self._command is RunCommand.STOP else RunCommand.STOP)

    def _send(self, command: RunCommand) -> None:
        self.command_requested.emit(command)


def _allow(button: QPushButton, why_not: str, tip: str = "") -> None:
    button.setEnabled(not why_not)
    button.setToolTip(why_not or tip)
