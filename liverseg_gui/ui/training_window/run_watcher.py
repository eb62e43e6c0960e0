"""Watcher of trainings for the main window: notices, and the question at closing.

What reads their folders is loaded late, as a package without training has none of it; torch never
is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.system.features import has_training
from liverseg_gui.ui.dialogs.prompts import Dialogs
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.theme import Tone, set_tone
from liverseg_gui.ui.widgets.window_settings import window_settings

_POLL_MS = 5000
_DISMISSED = "training notices dismissed"


class RunNotice(QWidget):
    """Notice about a training, hidden until there is one. `show_requested` asks for its page."""

    show_requested = Signal()
    dismissed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.label, self.show_button, self.close_button = PlainLabel(), QToolButton(), QToolButton()
        self.show_button.setText("Show")
        self.show_button.setToolTip("Open the training room at it")
        self.show_button.clicked.connect(self.show_requested)
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
    """`notice` is about a training that runs, or was interrupted; `show_requested` carries its
    folder. There is one about the end of a training that was seen running, too."""

    show_requested = Signal(Path)

    def __init__(self, dialogs: Dialogs, shown: Callable[[str], str] = str) -> None:
        super().__init__()
        self._dialogs, self._shown = dialogs, shown
        self._concerns: list[Path] = []
        self._noticed: Path | None = None
        self._key = ""
        self.notice = RunNotice()
        self.notice.show_requested.connect(self._show)
        self.notice.dismissed.connect(self._dismiss)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self.look)

    def concern(self, out: Path) -> None:
        """The training in `out` was started or shown here: its reader is asked before leaving."""
        if out not in self._concerns:
            self._concerns.append(out)

    def look(self) -> None:
        """Update the notice; again and again while a training runs."""
        self._timer.stop()
        if not has_training():
            return
        from liverseg_gui.ui.training_window.process import run_notice

        run = run_notice.run_to_notice(self._noticed, _dismissed())
        if run is None:
            self._noticed = None
            self.notice.hide()
            return
        self._noticed, self._key = run.out, run_notice.notice_key(run)
        self.notice.say(*run_notice.notice_text(run, self._shown(run.name)))
        if run.active:
            self._timer.start()

    def stop(self) -> None:
        """Stop polling: the window closes."""
        self._timer.stop()

    def may_leave(self) -> bool:
        """Whether window or program may close: what runs goes on, or is cancelled first."""
        return all(self._may_leave(out) for out in self._concerns)

    def _may_leave(self, out: Path) -> bool:
        from liverseg_gui.ui.training_window.process.training_process import (
            active_run_name,
            is_paused,
        )

        name = active_run_name(out)
        if name is None:
            return True
        paused = is_paused(out)
        answer = self._dialogs.leave_training(
            f'The training "{self._shown(name)}" is {"paused" if paused else "running"}. It '
            f"{'stays so' if paused else 'can go on'} without this window, and the training window "
            "finds it again.",
            "Leave it paused" if paused else "Go on in the background",
        )
        return self._cancel(out) if answer is False else answer is True

    def _show(self) -> None:
        noticed, self._noticed = self._noticed, None
        self._timer.stop()
        self.notice.hide()
        if noticed is not None:
            self.show_requested.emit(noticed)

    def _dismiss(self) -> None:
        if self._noticed is not None:
            stored = window_settings()
            stored.setValue(_DISMISSED, [*_dismissed(), self._key])
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


def _dismissed() -> list[str]:
    value = window_settings().value(_DISMISSED)
    if isinstance(value, str):  # a list of one comes back as its text
        return [value]
    return [str(each) for each in value] if isinstance(value, list) else []
