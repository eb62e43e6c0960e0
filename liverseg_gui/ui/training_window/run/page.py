"""Run page of the training window: a training while it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.state.settings import Settings
from liverseg_gui.system.privacy import remember_case
from liverseg_gui.ui.training_window.process.follower import RunFollower
from liverseg_gui.ui.training_window.process.training_process import (
    RunProcess,
    require_no_other_run,
    start_process,
    starting,
)
from liverseg_gui.ui.training_window.run.curves_box import CurvesBox
from liverseg_gui.ui.training_window.run.header import RunHeader
from liverseg_gui.ui.training_window.run.log_view import LogView
from liverseg_gui.ui.training_window.run.status_text import time_left
from liverseg_gui.ui.training_window.run.usage_row import UsageRow
from liverseg_gui.ui.training_window.run.validation_image_strip import ValidationImageStrip
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.open_externally import open_externally
from liverseg_gui.ui.widgets.patient_display import text_shown
from liverseg_gui.ui.widgets.theme import set_tone
from training.runs.control import RunCommand, send_command
from training.runs.folder import RunState, read_run
from training.runs.training_job import TrainingJob

_POLL_MS = 250
_STATE_TICKS = 4
"""Whether the process lives is asked once a second: that takes the lock for a moment."""
_IDLE_MS = 1000
"""Where nothing runs: another window or a command line may let it go on."""
_CANCEL = (
    "Cancel the training now? What was trained up to the last whole epoch is kept, and Go on "
    "continues from there; what this epoch has done so far is lost."
)
Confirm = Callable[[str, str, str], bool]


class RunPage(QWidget):
    """A client of the training's folder: the process goes on whatever becomes of the page.

    `finished` is emitted when a training that was seen running is done. `confirm` asks a question
    whose yes and no are named; `settings` hold whether patients are hidden.
    """

    finished = Signal(Path)
    changed = Signal()

    def __init__(self, confirm: Confirm, settings: Settings) -> None:
        super().__init__()
        self._confirm, self._settings, self._message = confirm, settings, ""
        shown = self._shown
        self.command: Sequence[str] | None = None
        """What stands before the arguments of a command line; None is this program."""
        self._follower: RunFollower | None = None
        self._job: TrainingJob | None = None
        self._ran, self._tick, self._state_changes = False, 0, 0
        self._state: object = None
        self._unread = False
        """Whether the last poll found no training any more."""
        self.head, self.curves, self.usage_row = RunHeader(shown), CurvesBox(), UsageRow()
        self.strip, self.log = ValidationImageStrip(shown), LogView(shown)
        self.problem = PlainLabel()
        self.problem.setWordWrap(True)
        self.problem.hide()
        set_tone(self.problem, "error")
        self._arrange()
        self.head.command_requested.connect(self._send)
        self.head.resume_requested.connect(self._resume)
        self.head.folder_requested.connect(self._open_folder)
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._poll)
        settings.changed.connect(self._show_settings)

    def _arrange(self) -> None:
        self.log.row.insertWidget(0, self.usage_row, 1)
        across = QSplitter(Qt.Orientation.Horizontal)
        across.addWidget(self.curves)
        across.addWidget(self.strip)
        across.setStretchFactor(0, 3)
        across.setStretchFactor(1, 2)
        across.setSizes([600, 380])
        down = QSplitter(Qt.Orientation.Vertical)
        down.addWidget(across)
        down.addWidget(self.log)
        down.setStretchFactor(0, 1)
        down.setSizes([460, 130])
        for splitter in (across, down):
            splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.head)
        layout.addWidget(self.problem)
        layout.addWidget(down, 1)

    @property
    def out(self) -> Path | None:
        """The folder of the training that is shown."""
        return None if self._follower is None else self._follower.out

    @property
    def active(self) -> bool:
        """Whether the training that is shown starts, runs or is paused."""
        follower = self._follower
        if follower is None:
            return False
        return follower.starting or (follower.record is not None and follower.record.active)

    def start(self, job: TrainingJob, resume: bool = False) -> None:
        """Start `job` in a process of its own, or let it go on from its last epoch.

        Raises:
            BusyError: another training runs on this computer.
            LiverSegError: its folder cannot be written, or the process not started.
        """
        require_no_other_run()
        process = start_process(job, resume, self.command)
        self._follow(job, process)

    def attach(self, out: Path) -> None:
        """Show the training in `out`, whoever started it and however it is.

        Raises:
            UnreadableFileError: there is none, or its record is damaged.
        """
        if out == self.out and self.active:
            return
        process = starting(out)
        self._follow(process.job if process else read_run(out).job, process)

    def shutdown(self) -> None:
        """Stop polling; the training goes on."""
        self._timer.stop()
        self._settings.changed.disconnect(self._show_settings)

    def _follow(self, job: TrainingJob, process: RunProcess | None) -> None:
        for name in job.data.excluded:
            remember_case(name)
        self._job, self._follower = job, RunFollower(job.out, process)
        self._ran, self._tick, self._state_changes = process is not None, 0, -1
        self.log.show_lines(())
        self._show_message("")
        self._timer.start(_POLL_MS)
        self._poll()

    def _poll(self) -> None:
        """Show new events at once; read the state once a second or when it has changed."""
        follower = self._follower
        assert follower is not None
        new = follower.read()
        if new or self._tick == 0:
            self._show_events(follower)
        due = self._tick % _STATE_TICKS == 0 or self._timer.interval() == _IDLE_MS
        if due or follower.progress.state_changes != self._state_changes:
            self._poll_state(follower)
        self._tick += 1

    def _keep_pace(self, follower: RunFollower) -> None:
        """Poll often only where something happens."""
        pace = _POLL_MS if self.active or follower.behind else _IDLE_MS
        if self._timer.interval() != pace:
            self._timer.setInterval(pace)

    def _poll_state(self, follower: RunFollower) -> None:
        self._state_changes = follower.progress.state_changes
        try:
            follower.read_state()
        except LiverSegError as error:
            self._timer.setInterval(_IDLE_MS)
            self.head.show_nothing()
            self._unread = True
            self._show_message(str(error))
            return
        if self._unread:
            self._unread = False
            self._show_message("")
        self._show_state(follower)
        self._keep_pace(follower)
        done = follower.record is not None and follower.record.state is RunState.FINISHED
        self._ran = self._ran or self.active
        if done and self._ran:
            self._ran = False
            self.finished.emit(follower.out)

    def _show_state(self, follower: RunFollower) -> None:
        assert self._job is not None
        if follower.starting:
            self.head.show_starting(self._job.name)
        elif follower.died:
            self.head.show_died(self._job.name, follower.died)
        elif follower.record is not None:
            self.head.show_record(follower.record, follower.command, follower.progress.outcome)
        self._show_progress(follower)
        state = follower.out, follower.starting, follower.record and follower.record.state
        if state != self._state:
            self._state = state
            self.changed.emit()

    def _show_events(self, follower: RunFollower) -> None:
        progress = follower.progress
        self._show_progress(follower)
        self.curves.show_steps(progress.steps, progress.stage_starts, progress.epochs)
        self.strip.show_files(follower.out, progress.pictures)
        self.log.show_lines(progress.log)

    def _show_progress(self, follower: RunFollower) -> None:
        """Where no process works, the last events are those of an earlier or a killed one."""
        progress, record = follower.progress, follower.record
        if self.active and not follower.starting:
            self.head.show_progress(progress.fraction, progress.phase, time_left(progress.eta_s))
            self.usage_row.show_usage(progress.usage)
            return
        finished = record is not None and record.state is RunState.FINISHED
        self.head.show_progress(1.0 if finished else progress.fraction, "", "")
        self.usage_row.show_nothing()

    def _send(self, command: str) -> None:
        if self._follower is None:
            return
        if command == RunCommand.CANCEL and not self._confirm(
            _CANCEL, "Cancel the training", "Keep training"
        ):
            return
        try:
            send_command(self._follower.out, command)
        except LiverSegError as error:
            self._show_message(str(error))
            return
        self._poll_state(self._follower)

    def _resume(self) -> None:
        assert self._follower is not None
        assert self._job is not None
        try:
            self.start(self._job, resume=True)
        except LiverSegError as error:
            self._show_message(str(error))

    def _open_folder(self) -> None:
        if self.out is not None:
            open_externally(self.out)

    def _show_settings(self) -> None:
        """Names may have to be hidden, or may be shown again."""
        self._show_message(self._message)
        self.strip.show_caption()
        if self._follower is not None:
            self.log.show_lines(self._follower.progress.log)
            self._poll_state(self._follower)

    def _shown(self, text: str) -> str:
        return text_shown(text, self._settings)

    def _show_message(self, text: str) -> None:
        self._message = text
        self.problem.setText(self._shown(text))
        self.problem.setVisible(bool(text))
