"""List of the trainings that this computer knows of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from liverseg_gui.system.plain_text import one_line
from liverseg_gui.ui.widgets.buttons import push_button
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.severity import TONE_ROLE, ToneDelegate
from liverseg_gui.ui.widgets.theme import Tone, set_tone
from training.runs.folder import RunRecord, RunState

_OUT = Qt.ItemDataRole.UserRole
_TONES: dict[RunState, Tone] = {
    RunState.RUNNING: "accent",
    RunState.PAUSED: "accent",
    RunState.INTERRUPTED: "warning",
    RunState.FAILED: "error",
    RunState.FINISHED: "good",
}


class RunList(QWidget):
    """`opened`, `resumed` and `forgotten` carry the training. `shown` hides names of
    patients in a text where they must not be seen."""

    opened = Signal(object)
    resumed = Signal(object)
    forgotten = Signal(object)

    def __init__(self, shown: Callable[[str], str] = str) -> None:
        super().__init__()
        self._shown = shown
        self._runs: dict[Path, RunRecord] = {}
        self.list = QListWidget()
        self.list.setAccessibleName("Trainings")
        self.list.setItemDelegate(ToneDelegate(self.list))
        self.list.setWordWrap(True)
        self.list.setSpacing(2)
        self.list.currentItemChanged.connect(self._refresh)
        self.list.itemActivated.connect(lambda _: self._emit(self.opened))
        self.open_button = push_button("Sho&w", lambda: self._emit(self.opened))
        self.resume_button = push_button("Go &on", lambda: self._emit(self.resumed))
        self.forget_button = push_button(
            "Take o&ff",
            lambda: self._emit(self.forgotten),
            "Take it off this list; its folder stays.",
        )
        label = PlainLabel("&Trainings")
        label.setBuddy(self.list)
        row = QHBoxLayout()
        for button in (self.open_button, self.resume_button, self.forget_button):
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.none = PlainLabel("None yet.")
        set_tone(self.none, "muted")
        layout.addWidget(label)
        layout.addWidget(self.none, 1, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.list, 1)
        layout.addLayout(row)
        self.show_runs(())

    @property
    def chosen(self) -> RunRecord | None:
        """The training that is selected."""
        item = self.list.currentItem()
        return None if item is None else self._runs.get(Path(item.data(_OUT)))

    def show_runs(self, runs: Sequence[RunRecord]) -> None:
        """List these; what is selected stays so."""
        if [run.out for run in runs] != list(self._runs):
            self._refill(runs)
        self.none.setVisible(not runs)
        self.list.setVisible(bool(runs))
        self._runs = {run.out: run for run in runs}
        for n, run in enumerate(runs):
            item = self.list.item(n)
            item.setText(f"{one_line(run.name)}\n{_state_text(run)}")
            item.setData(TONE_ROLE, _TONES.get(run.state))
            tip = "\n".join(part for part in (run.message, str(run.out)) if part)
            item.setToolTip(self._shown(tip))
        self._refresh()

    def _refill(self, runs: Sequence[RunRecord]) -> None:
        chosen = self.chosen
        self.list.clear()
        for run in runs:
            item = QListWidgetItem(self.list)
            item.setData(_OUT, str(run.out))
            if chosen is not None and run.out == chosen.out:
                self.list.setCurrentItem(item)

    def _refresh(self, *_: object) -> None:
        run = self.chosen
        self.open_button.setEnabled(run is not None)
        self.resume_button.setEnabled(run is not None and run.resumable)
        self.resume_button.setToolTip(
            "From the last whole epoch"
            if self.resume_button.isEnabled()
            else "For a training that was stopped or interrupted"
        )
        self.forget_button.setEnabled(run is not None and not run.active)

    def _emit(self, signal: SignalInstance) -> None:
        run = self.chosen
        if run is not None:
            signal.emit(run)


def _state_text(run: RunRecord) -> str:
    """E.g. "running, 40%" or "finished, 3 May 14:20"."""
    if run.active:
        return f"{run.state}, {run.fraction:.0%}"
    try:
        started = datetime.fromisoformat(run.started)
    except ValueError:
        return run.state
    return f"{run.state}, begun {started.day} {started:%b %H:%M}"
