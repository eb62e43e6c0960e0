"""The training window: four steps from labelled cases to a model, and the known trainings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, QSize, Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.system.plain_text import printable
from liverseg_gui.ui.training_window.config.page import ConfigPage
from liverseg_gui.ui.training_window.data.page import DataPage
from liverseg_gui.ui.training_window.fine_tune.dialog import FineTuneButton
from liverseg_gui.ui.training_window.pages import TITLES, Pages, Step
from liverseg_gui.ui.training_window.process.training_process import BusyError, require_no_other_run
from liverseg_gui.ui.training_window.results.page import ResultPage
from liverseg_gui.ui.training_window.run.page import RunPage
from liverseg_gui.ui.training_window.run_list import RunList
from liverseg_gui.ui.training_window.widgets.tab_order import put_last
from liverseg_gui.ui.widgets.buttons import push_button
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.theme import set_tone
from liverseg_gui.ui.widgets.window_settings import window_settings
from training.config.train_config import TrainConfig
from training.runs.folder import RunRecord, RunState
from training.runs.registry import known_runs, new_run_folder, unregister_run
from training.runs.training_job import TrainingJob

SIZE = QSize(1240, 820)
_GEOMETRY = "training room"
_SIDE_PX = 210
_POLL_MS = 3000
_NO_RUN = "Start a training first, or show one of those below."
_Page = DataPage | ConfigPage | RunPage | ResultPage


def restore_window(window: QDialog) -> None:
    """As it was, or as large as the screen allows."""
    window.resize(SIZE.boundedTo(window.screen().availableSize() * 0.95))
    geometry = window_settings().value(_GEOMETRY)
    if isinstance(geometry, QByteArray):
        window.restoreGeometry(geometry)


def keep_window(window: QDialog) -> None:
    """Remember it."""
    stored = window_settings()
    stored.setValue(_GEOMETRY, window.saveGeometry())
    stored.sync()


class TrainingWindow(QDialog):
    """Non-modal: the window stays usable beside it, and a training goes on when it is closed."""

    def __init__(self, parent: QWidget | None, pages: Pages) -> None:
        super().__init__(parent)
        self._pages = pages
        self._made: list[_Page] = []
        self._out: Path | None = None
        self._blocking_run: Path | None = None
        self._closed = False
        self.setWindowTitle("Train a model")
        self.setModal(False)
        self.setSizeGripEnabled(True)
        self._build()
        restore_window(self)
        self._watch = QTimer(self)
        self._watch.setInterval(_POLL_MS)
        self._watch.timeout.connect(self.refresh_runs)
        self.go_to(Step.DATA)

    @cached_property
    def data(self) -> DataPage:
        """The first step."""
        page = self._pages.data()
        page.changed.connect(self._refresh)
        self._add_page(page)
        return page

    @cached_property
    def _config(self) -> ConfigPage:
        page = self._pages.config()
        page.changed.connect(self._follow_config)
        self._add_page(page)
        return page

    @cached_property
    def _run(self) -> RunPage:
        page = self._pages.run()
        page.finished.connect(self._show_result)
        page.changed.connect(self.refresh_runs)
        self._add_page(page)
        return page

    @cached_property
    def _result(self) -> ResultPage:
        page = self._pages.result()
        page.discarded.connect(self._discarded)
        self._add_page(page)
        return page

    def _add_page(self, page: _Page) -> None:
        self._made.append(page)
        self._stack.addWidget(page)
        put_last(self, self._foot)

    def page(self, step: Step) -> _Page:
        """The page of `step`, made where it is not there yet."""
        if step is Step.DATA:
            return self.data
        if step is Step.RECIPE:
            return self._config
        return self._run if step is Step.RUN else self._result

    @property
    def step(self) -> Step:
        """Where the reader is."""
        return Step(max(self.steps.currentRow(), 0))

    def _build(self) -> None:
        self._stack = QStackedWidget()
        self.note = PlainLabel()
        self.note.setWordWrap(True)
        self.show_it = push_button("S&how it", self._show_blocking_run)
        self.show_it.hide()
        note_row = QHBoxLayout()
        note_row.addWidget(self.note, 1)
        note_row.addWidget(self.show_it)
        right = QWidget()
        layout = QVBoxLayout(right)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack, 1)
        layout.addLayout(note_row)
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
        for step in Step:
            self.steps.addItem(QListWidgetItem(f"{step + 1}  {TITLES[step]}"))
        self.steps.setFixedHeight(self.steps.sizeHintForRow(0) * len(Step) + 8)
        self.steps.currentRowChanged.connect(self._show_step)
        self.runs = RunList(self._pages.shown)
        self.runs.opened.connect(self.open_run)
        self.runs.resumed.connect(lambda run: self.run_job(run.job, resume=True))
        self.runs.forgotten.connect(self._forget_run)
        side = QWidget()
        layout = QVBoxLayout(side)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.steps)
        layout.addWidget(self.runs, 1)
        return side

    def _buttons(self) -> QHBoxLayout:
        self.name_label = PlainLabel("Name of the &model:")
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

    def _follow_config(self) -> None:
        """The split depends on the model that the training starts from."""
        self.data.start_from(self._config.start_from)
        self._refresh()

    def go_to(self, step: Step) -> None:
        """Show `step`, if it can be gone to by now."""
        if self.why_not(step):
            return
        if step == self.steps.currentRow():
            self._show_step(step)  # another training at the same step
        self.steps.setCurrentRow(step)

    def back(self) -> None:
        """To the step before."""
        self.go_to(Step(max(self.step - 1, 0)))

    def next(self) -> None:
        """To the step after; from the configuration on by starting a training."""
        if self.step is Step.RECIPE:
            self.start()
        elif self.step < Step.RESULT:
            self.go_to(Step(self.step + 1))

    def why_not(self, step: Step) -> str:
        """Why `step` cannot be gone to, or nothing."""
        if step is Step.RECIPE:
            return self.data.why_not
        return _NO_RUN if step > Step.RECIPE and self._out is None else ""

    def start(self) -> None:
        """Start a training with what is chosen; a problem is shown below the configuration."""
        if self.data.why_not:
            return
        name = self.name.text().strip()
        with self._problems_shown():
            require_no_other_run()
            config = self._config.config()
            self.run_job(self._pages.job(self.data.selection(), config, name, new_run_folder(name)))

    def run_job(self, job: TrainingJob, resume: bool = False) -> None:
        """Start a training, or let one go on, and show it; a problem is shown below the page."""
        with self._problems_shown():
            self._run.start(job, resume)
            self._show_run(job.out)
            self.refresh_runs()
            self.go_to(Step.RUN)

    def improve(self) -> None:
        """Ask whether the model in use is to be improved with the cases that are chosen."""
        with self._problems_shown():
            require_no_other_run()
            dialog = self._pages.improve(self, self.data)
            dialog.job_requested.connect(self.run_job)
            dialog.open()

    def open_run(self, run: RunRecord) -> None:
        """Show a training: its results where it is finished, else its state."""
        self._open(run.out, run.state is RunState.FINISHED)

    def open_folder(self, out: Path) -> None:
        """Show the training in `out`; one that only starts is not among the known ones yet."""
        finished = (run.out for run in known_runs() if run.state is RunState.FINISHED)
        self._open(out, out in finished)

    def _open(self, out: Path, finished: bool) -> None:
        with self._problems_shown():
            self._run.attach(out)
            self._show_run(out)
            self.go_to(Step.RESULT if finished else Step.RUN)

    def _show_run(self, out: Path) -> None:
        """From now on the steps are about the training in `out`."""
        self._out = out
        self._pages.concern(out)
        self._refresh()

    def refresh_runs(self) -> None:
        """List the trainings as they are now."""
        self.runs.show_runs(known_runs())

    def _show_blocking_run(self) -> None:
        if self._blocking_run is not None:
            self.open_folder(self._blocking_run)

    def _show_result(self, out: Path) -> None:
        """A training is done: its result is shown to a reader who waits for it."""
        self.refresh_runs()
        if self.step is Step.RUN and out == self._out:
            self.go_to(Step.RESULT)

    def _discarded(self, out: Path) -> None:
        """The training that was shown is gone."""
        self._out = None
        self.refresh_runs()
        self._refresh()

    def _forget_run(self, run: RunRecord) -> None:
        with self._problems_shown():
            unregister_run(run.out)
        self.refresh_runs()

    def _command(self, config: TrainConfig, out: Path) -> Sequence[str]:
        name = self.name.text().strip()
        return self._pages.job(self.data.selection(), config, name, out).arguments()

    def _show_step(self, _: int) -> None:
        step = self.step
        self._show_note("")
        if step is Step.DATA:
            self.data.refresh_corrected()
        elif step is Step.RECIPE:
            self._config.set_cases(self.data.sources, *self.data.slices)
            self._config.set_command(self._command)
        elif step is Step.RESULT and self._out is not None:
            self._result.show_run(self._out)
        self._stack.setCurrentWidget(self.page(step))
        self._refresh()

    def _refresh(self) -> None:
        """Which steps can be gone to, and what Next does."""
        step = self.step
        for other in Step:
            _allow(self.steps.item(other), self.why_not(other))
        self.improve_button.setVisible(step is Step.DATA)
        self.improve_button.offer(self.data)
        starts = step is Step.RECIPE
        self.name_label.setVisible(starts)
        self.name.setVisible(starts)
        self.next_button.setText("&Start training" if starts else "&Next")
        self.next_button.setDefault(
            not starts
        )  # Enter in a box of the configuration starts nothing
        self.next_button.setVisible(step < Step.RESULT)
        self.back_button.setVisible(step > Step.DATA)
        why = self._why_no_next(step)
        self.next_button.setEnabled(not why)
        self.next_button.setToolTip(printable(why))

    def _why_no_next(self, step: Step) -> str:
        if step is Step.RECIPE:
            nameless = "" if self.name.text().strip() else "Give the model a name."
            return self.data.why_not or self._config.problem() or nameless
        return "" if step is Step.RESULT else self.why_not(Step(step + 1))

    @contextmanager
    def _problems_shown(self) -> Iterator[None]:
        """Show what cannot be done; a training that is in the way can be opened."""
        try:
            yield
        except LiverSegError as problem:
            self._show_note(str(problem))
            self._blocking_run = problem.out if isinstance(problem, BusyError) else None
            self.show_it.setVisible(self._blocking_run is not None)

    def _show_note(self, text: str) -> None:
        self.show_it.hide()
        self.note.setText(self._pages.shown(text))
        self.note.setVisible(bool(text))
        set_tone(self.note, "error")

    def showEvent(self, event: QShowEvent) -> None:
        """Look after the trainings for as long as they are seen."""
        super().showEvent(event)
        self.refresh_runs()
        self._watch.start()

    def changeEvent(self, event: QEvent) -> None:
        """Coming back from the window, where a mask may have been saved meanwhile."""
        super().changeEvent(event)
        back = event.type() is QEvent.Type.ActivationChange and self.isActiveWindow()
        if back and not self._closed:
            self.data.refresh_corrected()

    def reject(self) -> None:
        """Close, unless the reader stays with a training that runs."""
        if self._closed or self._pages.may_leave():
            self.leave()

    def leave(self) -> None:
        """Close without a question."""
        self.done(QDialog.DialogCode.Rejected)

    def done(self, result: int) -> None:
        """Remember the size and end the background work; a training goes on."""
        keep_window(self)
        self._watch.stop()
        for page in () if self._closed else self._made:
            page.shutdown()
        self._closed = True
        super().done(result)


def _allow(item: QListWidgetItem, why_not: str) -> None:
    """Let the step in a list be gone to, or say why it cannot be."""
    enabled = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
    item.setFlags(Qt.ItemFlag.NoItemFlags if why_not else enabled)
    item.setToolTip(why_not)
