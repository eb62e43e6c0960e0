"""The room: four steps from labelled cases to a model, and the trainings that are known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.ui.training_window.data.page import DataPage
from liverseg_gui.ui.training_window.fine_tune.dialog import FineTuneButton
from liverseg_gui.ui.training_window.pages import (
    TITLES,
    ConfigStep,
    HasJobs,
    Job,
    KnownRun,
    Pages,
    ResultStep,
    RunStep,
    Step,
    allow,
    makers,
    offered_steps,
)
from liverseg_gui.ui.training_window.process.training_process import BusyError
from liverseg_gui.ui.training_window.run_list import RunList
from liverseg_gui.ui.training_window.widgets.tab_order import put_last
from liverseg_gui.ui.widgets.buttons import push_button
from liverseg_gui.ui.widgets.theme import set_tone

if TYPE_CHECKING:
    from training.config.train_config import TrainConfig
from PySide6.QtCore import QByteArray, QSettings, QSize

from liverseg_gui.system.paths import config_folder

SIZE = QSize(1240, 820)
_GEOMETRY = "training room"
_SIDE_PX = 210
_LOOK_MS = 3000
_NO_RUN = "Start a training first, or show one of those below."


def restore_window(room: QDialog) -> None:
    """As it was, or as large as the screen allows."""
    room.resize(SIZE.boundedTo(room.screen().availableSize() * 0.95))
    geometry = _stored().value(_GEOMETRY)
    if isinstance(geometry, QByteArray):
        room.restoreGeometry(geometry)


def keep_window(room: QDialog) -> None:
    """Remember it."""
    stored = _stored()
    stored.setValue(_GEOMETRY, room.saveGeometry())
    stored.sync()


def _stored() -> QSettings:
    return QSettings(str(config_folder() / "window.ini"), QSettings.Format.IniFormat)


class TrainingWindow(QDialog):
    """Non-modal: the window stays usable beside it, and a training goes on when it is closed."""

    def __init__(self, parent: QWidget | None, pages: Pages) -> None:
        super().__init__(parent)
        self._pages = pages
        self._made: dict[Step, QWidget] = {}
        self._out: Path | None = None
        self._in_the_way: Path | None = None
        self._closed = False
        self.setWindowTitle("Train a model")
        self.setModal(False)
        self.setSizeGripEnabled(True)
        self._steps = offered_steps(pages)
        self._build()
        restore_window(self)
        self._watch = QTimer(self)
        self._watch.setInterval(_LOOK_MS)
        self._watch.timeout.connect(self.refresh_runs)
        self.data.changed.connect(self._refresh)
        self.go_to(Step.DATA)

    @property
    def data(self) -> DataPage:
        """The first step, which is there from the beginning."""
        return cast("DataPage", self.page(Step.DATA))

    @property
    def _config(self) -> ConfigStep:
        return cast("ConfigStep", self.page(Step.RECIPE))

    @property
    def _run(self) -> RunStep:
        return cast("RunStep", self.page(Step.RUN))

    @property
    def step(self) -> Step:
        """Where the reader is."""
        return self._steps[max(self.steps.currentRow(), 0)]

    def _build(self) -> None:
        self._stack = QStackedWidget()
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.show_it = push_button("S&how it", self._show_in_the_way)
        self.show_it.hide()
        told = QHBoxLayout()
        told.addWidget(self.note, 1)
        told.addWidget(self.show_it)
        right = QWidget()
        layout = QVBoxLayout(right)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack, 1)
        layout.addLayout(told)
        layout.addLayout(self._buttons())
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self._side())
        split.addWidget(right)
        split.setStretchFactor(1, 1)
        split.setSizes([_SIDE_PX, SIZE.width() - _SIDE_PX])
        split.setChildrenCollapsible(False)
        QVBoxLayout(self).addWidget(split)

    def _side(self) -> QWidget:
        """The steps, and below them the trainings."""
        self.steps = QListWidget()
        self.steps.setAccessibleName("Steps")
        for number, step in enumerate(self._steps, 1):
            self.steps.addItem(QListWidgetItem(f"{number}  {TITLES[step]}"))
        self.steps.setFixedHeight(self.steps.sizeHintForRow(0) * len(self._steps) + 8)
        self.steps.currentRowChanged.connect(self._show_step)
        self.runs = RunList(self._pages.shown)
        self.runs.opened.connect(self.open_run)
        self.runs.resumed.connect(self.resume_run)
        self.runs.forgotten.connect(self._forget_run)
        self.runs.setVisible(Step.RUN in self._steps)
        side = QWidget()
        layout = QVBoxLayout(side)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.steps)
        layout.addWidget(self.runs, 1)
        if Step.RUN not in self._steps:
            layout.addStretch(1)
        return side

    def _buttons(self) -> QHBoxLayout:
        self.name_label = QLabel("Name of the &model:")
        self.name = QLineEdit("trained")
        self.name.setMaximumWidth(240)
        self.name.textChanged.connect(lambda _: self._refresh())
        self.name_label.setBuddy(self.name)
        self.improve_button = FineTuneButton(self.improve)
        self.back_button = push_button("&Back", self.back)
        self.next_button = push_button("&Next", self.next)
        self.close_button = push_button("Close", self.reject)
        self._foot: tuple[QWidget, ...] = (self.show_it, self.improve_button, self.name)
        self._foot += (self.back_button, self.next_button, self.close_button)
        row = QHBoxLayout()
        for widget in (self.improve_button, self.name_label, self.name, *self._foot[3:]):
            row.addWidget(widget)
        row.insertStretch(3, 1)
        return row

    def page(self, step: Step) -> QWidget:
        """The page of `step`, made where it is not there yet."""
        if step not in self._made:
            make = makers(self._pages)[step]
            assert make is not None
            self._made[step] = make()
            self._stack.addWidget(self._made[step])
            put_last(self, self._foot)
            if step is Step.RECIPE:
                self._config.changed.connect(self._refresh)
            elif step is Step.RUN:
                self._run.finished.connect(self._show_result)
                self._run.changed.connect(self.refresh_runs)
            elif step is Step.RESULT:
                cast("ResultStep", self._made[step]).discarded.connect(self._discarded)
        return self._made[step]

    def go_to(self, step: Step) -> None:
        """Show `step`, if it can be gone to by now."""
        row = self._steps.index(step)
        if self.why_not(step):
            return
        if row == self.steps.currentRow():
            self._show_step(row)  # another training at the same step
        self.steps.setCurrentRow(row)

    def back(self) -> None:
        """To the step before."""
        self.go_to(Step(max(self.step - 1, 0)))

    def next(self) -> None:
        """To the step after; from the recipe on by starting a training."""
        if self.step is Step.RECIPE:
            self.start()
        elif self.step < self._steps[-1]:
            self.go_to(Step(self.step + 1))

    def why_not(self, step: Step) -> str:
        """Why `step` cannot be gone to, or nothing."""
        if step is Step.RECIPE:
            return self.data.why_not
        return _NO_RUN if step > Step.RECIPE and self._out is None else ""

    def start(self) -> None:
        """Start a training with what is chosen; a problem is told below the recipe."""
        training = self._pages.training
        if training is None or self.data.why_not:
            return
        name = self.name.text().strip()
        try:
            training.refuse_second()
            config = self._config.config()
            job = training.job(self.data.selection(), config, name, training.new_folder(name))
        except LiverSegError as problem:
            self._tell_problem(problem)
            return
        self.start_job(job)

    def start_job(self, job: Job) -> None:
        """Start a training and show it; a problem is told below the page."""
        try:
            self._run.start(job)
        except LiverSegError as problem:
            self._tell_problem(problem)
            return
        self._begin(job.out)

    def improve(self) -> None:
        """Ask whether the model in use is to be improved with the cases that are chosen."""
        training, improve = self._pages.training, self._pages.improve
        if training is None or improve is None:
            return
        try:
            training.refuse_second()
        except LiverSegError as problem:
            self._tell_problem(problem)
        else:
            ask = improve(self, self.data)
            ask.asked.connect(self.start_job)
            ask.open()

    def open_run(self, run: KnownRun) -> None:
        """Show a training: what came of it where it is finished, else how it is."""
        self._open(run.out, run.state == "finished")

    def _open(self, out: Path, finished: bool) -> None:
        try:
            self._run.attach(out)
        except LiverSegError as problem:
            self._tell(str(problem))
            return
        self._out = out
        self._pages.concern(out)
        self._refresh()
        self.go_to(Step.RESULT if finished and Step.RESULT in self._steps else Step.RUN)

    def resume_run(self, run: KnownRun) -> None:
        """Let a training go on that was stopped or interrupted."""
        try:
            self._run.start(run.job, resume=True)
        except LiverSegError as problem:
            self._tell_problem(problem)
            return
        self._begin(run.out)

    def refresh_runs(self) -> None:
        """List the trainings as they are now."""
        if self._pages.training is not None and Step.RUN in self._steps:
            self.runs.show_runs(self._pages.training.known())

    def open_folder(self, out: Path) -> None:
        """Show the training in `out`; one that only starts is not among the known ones yet."""
        if (training := self._pages.training) and Step.RUN in self._steps:
            self._open(out, any(r.out == out and r.state == "finished" for r in training.known()))

    def _show_in_the_way(self) -> None:
        if self._in_the_way is not None:
            self.open_folder(self._in_the_way)

    def _show_result(self, out: Path) -> None:
        """A training is done: its result is shown to a reader who waits for it."""
        self.refresh_runs()
        if self.step is Step.RUN and out == self._out and Step.RESULT in self._steps:
            self.go_to(Step.RESULT)

    def _begin(self, out: Path) -> None:
        self._out = out
        self._pages.concern(out)
        self.refresh_runs()
        self._refresh()
        self.go_to(Step.RUN)

    def _discarded(self, out: Path) -> None:
        """The training that was shown is gone."""
        self._out = None
        self.refresh_runs()
        self._refresh()

    def _forget_run(self, run: KnownRun) -> None:
        assert self._pages.training is not None
        try:
            self._pages.training.forget(run.out)
        except LiverSegError as problem:
            self._tell(str(problem))
        self.refresh_runs()

    def _command(self, config: TrainConfig, out: Path) -> Sequence[str]:
        assert self._pages.training is not None
        name = self.name.text().strip()
        return self._pages.training.job(self.data.selection(), config, name, out).arguments()

    def _show_step(self, _: int) -> None:
        step = self.step
        self._tell("")
        page = self.page(step)
        if step is Step.DATA:
            self.data.refresh_corrected()
        elif step is Step.RECIPE:
            self._config.set_cases(self.data.sources, *self.data.slices)
            self._config.set_command(self._command)
        elif step is Step.RESULT and self._out is not None:
            cast("ResultStep", page).show_run(self._out)
        self._stack.setCurrentWidget(page)
        self._refresh()

    def _refresh(self) -> None:
        """Which steps can be gone to, and what Next does."""
        step = self.step
        for n, other in enumerate(self._steps):
            allow(self.steps.item(n), self.why_not(other))
        offered = self._pages.improve is not None and Step.RUN in self._steps
        self.improve_button.setVisible(offered and step is Step.DATA)
        self.improve_button.offer(self.data)
        starts = step is Step.RECIPE
        self.name_label.setVisible(starts)
        self.name.setVisible(starts)
        self.next_button.setText("&Start training" if starts else "&Next")
        self.next_button.setDefault(not starts)  # Enter in a box of the recipe starts nothing
        self.next_button.setVisible(step < self._steps[-1])
        self.back_button.setVisible(step > self._steps[0])
        why = self._why_no_next(step)
        self.next_button.setEnabled(not why)
        self.next_button.setToolTip(why)

    def _why_no_next(self, step: Step) -> str:
        if step is Step.RECIPE:
            nameless = "" if self.name.text().strip() else "Give the model a name."
            return self.data.why_not or self._config.problem() or nameless
        return "" if step >= self._steps[-1] else self.why_not(Step(step + 1))

    def _tell_problem(self, problem: LiverSegError) -> None:
        """A training that is in the way can be shown."""
        self._tell(str(problem))
        self._in_the_way = problem.out if isinstance(problem, BusyError) else None
        self.show_it.setVisible(self._in_the_way is not None)

    def _tell(self, text: str) -> None:
        self.show_it.hide()
        self.note.setText(self._pages.shown(text))
        self.note.setVisible(bool(text))
        set_tone(self.note, "error")

    def showEvent(self, event: QShowEvent) -> None:
        """Look after the trainings for as long as they are seen."""
        super().showEvent(event)
        self.refresh_runs()
        if Step.RUN in self._steps:
            self._watch.start()

    def changeEvent(self, event: QEvent) -> None:
        """Coming back from the window, where a mask may have been saved meanwhile."""
        super().changeEvent(event)
        back = event.type() is QEvent.Type.ActivationChange and self.isActiveWindow()
        if back and not self._closed and Step.DATA in self._made:
            self.data.refresh_corrected()

    def reject(self) -> None:
        """Close, unless the reader stays with a training that runs."""
        if self._closed or self._pages.may_leave():
            self.leave()

    def leave(self) -> None:
        """Close without a question."""
        self.done(QDialog.DialogCode.Rejected)

    def done(self, result: int) -> None:
        """Remember the size and give up what runs here; a training goes on."""
        keep_window(self)
        self._watch.stop()
        for page in () if self._closed else self._made.values():
            if isinstance(page, HasJobs):
                page.shutdown()
        self._closed = True
        super().done(result)
