"""Looks after the trainings of this computer while no room is open, and when the program closes.

What reads their folders is loaded when there is a training; torch never is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSettings, QTimer, Signal

from liverseg_gui.core.errors import LiverSegError, UnreadableFileError
from liverseg_gui.system.paths import config_folder, data_folder
from liverseg_gui.ui.dialogs.prompts import Dialogs
from liverseg_gui.ui.widgets.theme import Tone

if TYPE_CHECKING:
    from training.runs.folder import RunRecord
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from liverseg_gui.ui.widgets.theme import set_tone

_LOOK_MS = 5000
_LIST = "trainings.json"
_DISMISSED = "training notices dismissed"
_WORDS: dict[str, tuple[str, Tone]] = {
    "running": ("is running", "accent"),
    "paused": ("is paused", "warning"),
    "interrupted": ("was interrupted", "warning"),
    "finished": ("is finished", "good"),
    "failed": ("failed", "error"),
    "stopped": ("was stopped", "info"),
    "cancelled": ("was cancelled", "info"),
}


class RunNotice(QWidget):
    """Hidden until there is something to say. `asked` to show the training, `dismissed` not to."""

    asked = Signal()
    dismissed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.label, self.show_button, self.close_button = QLabel(), QToolButton(), QToolButton()
        self.show_button.setText("Show")
        self.show_button.setToolTip("Open the training room at it")
        self.show_button.clicked.connect(self.asked)
        self.close_button.setText("✕")
        self.close_button.setAutoRaise(True)
        self.close_button.setToolTip("Do not say this again")
        self.close_button.setAccessibleName("Dismiss")
        self.close_button.clicked.connect(self.dismissed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 0, 8, 0)
        for widget in (self.label, self.show_button, self.close_button):
            layout.addWidget(widget)
        self.hide()

    def say(self, text: str, tone: Tone) -> None:
        """Show `text`."""
        self.label.setText(text)
        set_tone(self.label, tone)
        self.show()


class RunWatcher(QObject):
    """`notice` tells of a training that runs, or was interrupted; `show_asked` carries its folder.

    One that was seen running is told of when it ends, too.
    """

    show_asked = Signal(Path)

    def __init__(self, dialogs: Dialogs, shown: Callable[[str], str] = str) -> None:
        super().__init__()
        self._dialogs, self._shown = dialogs, shown
        self._concerns: list[Path] = []
        self._told: RunRecord | None = None
        self.notice = RunNotice()
        self.notice.asked.connect(self._show)
        self.notice.dismissed.connect(self._dismiss)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self.look)

    def concern(self, out: Path) -> None:
        """The training in `out` was started or shown here: its reader is asked before leaving."""
        if out not in self._concerns:
            self._concerns.append(out)

    def look(self) -> None:
        """Tell of a training that runs or was interrupted; again and again while one runs."""
        self._timer.stop()
        if not (data_folder() / _LIST).exists():
            return
        from training.runs.registry import known_runs

        self._told = self._worth_telling(known_runs())
        if self._told is None:
            self.notice.hide()
            return
        words, tone = _WORDS[self._told.state]
        done = f", {self._told.fraction:.0%}" if self._told.active else ""
        self.notice.say(f'The training "{self._shown(self._told.name)}" {words}{done}.', tone)
        if self._told.active:
            self._timer.start()

    def stop(self) -> None:
        """Look no more: the window closes."""
        self._timer.stop()

    def may_leave(self) -> bool:
        """Whether the room or the program may close: what runs goes on, or is cancelled first."""
        for out in self._concerns:
            name = _running(out)
            if name is None:
                continue
            answer = self._dialogs.leave_training(
                f'The training "{self._shown(name)}" is running. It can go on without this window; '
                "the training room finds it again."
            )
            if answer is None or (answer is False and not self._cancel(out)):
                return False
        return True

    def _worth_telling(self, runs: list[RunRecord]) -> RunRecord | None:
        """One that runs; else the one that ran when it was last looked; else an interrupted one."""
        before = self._told.out if self._told is not None else None
        dismissed = _dismissed()
        runs = [run for run in runs if _mark(run) not in dismissed]
        chosen = [run for run in runs if run.active]
        chosen += [run for run in runs if run.out == before]
        chosen += [run for run in runs if run.state == "interrupted"]
        return chosen[0] if chosen else None

    def _show(self) -> None:
        told, self._told = self._told, None
        self._timer.stop()
        self.notice.hide()
        if told is not None:
            self.show_asked.emit(told.out)

    def _dismiss(self) -> None:
        if self._told is not None:
            stored = _stored()
            stored.setValue(_DISMISSED, [*_dismissed(), _mark(self._told)])
            stored.sync()
        self.look()

    def _cancel(self, out: Path) -> bool:
        from liverseg_gui.ui.training_window.process.training_process import cancel_training

        try:
            cancel_training(out)
        except LiverSegError as problem:
            self._dialogs.problem(self._shown(str(problem)))
            return False
        return True


def _running(out: Path) -> str | None:
    """The name of the training in `out`, if a process works on it."""
    from liverseg_gui.ui.training_window.process.training_process import starting
    from training.runs.folder import read_run

    try:
        run = read_run(out)
    except UnreadableFileError:
        return None if starting(out) is None else out.name
    return run.name if run.active or starting(out) is not None else None


def _mark(run: RunRecord) -> str:
    """A training as it is now: when it has gone on or ended otherwise it is told of again."""
    state = "active" if run.active else run.state
    return f"{run.out} {run.started} {state}"


def _dismissed() -> list[str]:
    value = _stored().value(_DISMISSED)
    if isinstance(value, str):  # a list of one comes back as its text
        return [value]
    return [str(each) for each in value] if isinstance(value, list) else []


def _stored() -> QSettings:
    return QSettings(str(config_folder() / "window.ini"), QSettings.Format.IniFormat)
