"""The Models dialog: which models there are, which one is used, and adding and removing them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from liverseg_gui.core.errors import LiverSegError, ModelError, NameTakenError
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.models.registry import (
    InstalledModel,
    ModelSource,
    choose_model,
    chosen_model,
    find_installed,
    find_model,
    list_models,
)
from liverseg_gui.segmentation.models.store import add_model, export_as_zip, remove_model
from liverseg_gui.segmentation.models.weights_check import expected_shapes_apart
from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.dialogs.models_list import ModelCardView, ModelsList
from liverseg_gui.ui.dialogs.prompts import Dialogs
from liverseg_gui.ui.dialogs.roll_back_button import RollBackButton
from liverseg_gui.ui.jobs.job_runner import JobRunner, Work
from liverseg_gui.ui.widgets.buttons import push_button
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.patient_display import text_shown
from liverseg_gui.ui.widgets.theme import Tone, set_tone

_DROP = "A model can be dropped here too: its zip or its folder."
_MOST_TRIES = 100
_STAYS: dict[ModelSource | None, str] = {
    ModelSource.BUILT_IN: "It comes with the program and stays.",
    ModelSource.SITE: "It is for all users of this computer: an administrator removes it.",
}


class ModelsDialog(QDialog):
    """Lists the models; what is chosen is used from the next segmentation on.

    Adding and exporting run beside a segmentation, in a job of this dialog. Problems are told in
    its own line.
    """

    def __init__(self, parent: QWidget | None, settings: Settings, dialogs: Dialogs) -> None:
        super().__init__(parent)
        self._settings, self._dialogs = settings, dialogs
        self.runner = JobRunner()
        self._path: Path | None = None
        self.setWindowTitle("Models")
        self.setAcceptDrops(True)
        self.resize(QSize(1000, 560).boundedTo(self.screen().availableSize() * 0.95))
        self._build()
        settings.changed.connect(self.refresh)
        self.refresh()
        self.list.setFocus()

    def _build(self) -> None:
        self.list = ModelsList()
        self.list.currentItemChanged.connect(self._select)
        self.list.itemDoubleClicked.connect(self.use)
        self.card = ModelCardView(lambda text: text_shown(text, self._settings))
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.list)
        split.addWidget(self.card)
        split.setSizes([590, 390])
        split.setChildrenCollapsible(False)
        self.note = PlainLabel()
        self.note.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.addWidget(split, 1)
        layout.addWidget(self.note)
        layout.addWidget(self._name_row())
        layout.addWidget(self._busy_row())
        layout.addLayout(self._buttons())

    def _name_row(self) -> QWidget:
        """Asks for another name where that of a model is taken."""
        self.name_row = QWidget()
        self.name = QLineEdit()
        self.name.setAccessibleName("Another name for the model")
        self.add_renamed = push_button("Add &under this name", self._add_renamed)
        row = QHBoxLayout(self.name_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(PlainLabel("Another name:"))
        row.addWidget(self.name, 1)
        row.addWidget(self.add_renamed)
        self.name_row.hide()
        return self.name_row

    def _busy_row(self) -> QWidget:
        self.busy_row = QWidget()
        self._phase, bar = PlainLabel(), QProgressBar()
        bar.setRange(0, 0)
        bar.setTextVisible(False)
        bar.setFixedWidth(160)
        row = QHBoxLayout(self.busy_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._phase, 1)
        row.addWidget(bar)
        row.addWidget(push_button("Ca&ncel", self.runner.cancel_all))
        self.busy_row.hide()
        return self.busy_row

    def _buttons(self) -> QHBoxLayout:
        ask = self._dialogs
        self.use_button = push_button("U&se this model", self.use)
        self.use_button.setDefault(True)
        self.add_file = push_button(
            "Add &file ...",
            lambda: self._ask(ask.model_file),
            "The zip of a model, as another workstation exported it",
        )
        self.add_folder = push_button(
            "Add f&older ...",
            lambda: self._ask(ask.model_folder),
            "A model folder, as training writes it",
        )
        self.export_button = push_button(
            "&Export ...", self.export, "One file, to be added on another workstation"
        )
        self.remove_button = push_button("&Remove", self.remove)
        self.roll_back_button = RollBackButton(self._settings)
        self.roll_back_button.done.connect(lambda text: self.tell(text, "good"))
        self.roll_back_button.failed.connect(lambda text: self.tell(text, "error"))
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        close.rejected.connect(self.reject)
        row = QHBoxLayout()
        for button in (self.add_file, self.add_folder, self.export_button, self.remove_button):
            row.addWidget(button)
        row.addWidget(self.roll_back_button)
        row.addStretch(1)
        row.addWidget(self.use_button)
        row.addWidget(close)
        return row

    @property
    def selected(self) -> InstalledModel | None:
        """The model that is selected."""
        folder = self.list.folder
        return next((model for model in self._models if model.folder == folder), None)

    def refresh(self, select: Path | None = None) -> None:
        """List what there is now, with the model in `select` selected, else what was."""
        self._models = list_models()
        chosen = chosen_model(self._settings)
        self._used = find_installed(chosen)
        used = self._used.folder if self._used else None
        self.list.fill(self._models, used, select or self.list.folder or used)
        self._select()
        self._show_used(chosen)

    def _show_used(self, used: str) -> None:
        """Say what is used where the list does not: a folder, or what is not there any more."""
        self.tell(_DROP, "muted")
        if self._used is not None and self._used.card:
            return
        try:
            find_model(used)
        except ModelError as problem:
            self.tell(str(problem), "error")
        else:
            self.tell(f"In use now: {used}, as the command line said.", "info")

    def tell(self, text: str, tone: Tone) -> None:
        """Say something in the dialog's line."""
        self.note.setText(text_shown(text, self._settings))
        self.note.setVisible(bool(text))
        set_tone(self.note, tone)

    def _select(self, *_: object) -> None:
        model, busy = self.selected, self.runner.busy
        self.card.show_model(model)
        usable = model is not None and model.card is not None and not busy
        used = model is not None and model == self._used
        self.use_button.setEnabled(usable and not used)
        self.use_button.setToolTip("It is in use." if used else "From the next segmentation on")
        self.export_button.setEnabled(usable)
        place = None if model is None else model.place
        self.remove_button.setEnabled(place is ModelSource.USER and not busy)
        self.remove_button.setToolTip(_STAYS.get(place, ""))
        self.roll_back_button.refresh()
        for button in (self.add_file, self.add_folder, self.add_renamed):
            button.setEnabled(not busy)

    def use(self, *_: object) -> None:
        """Use the selected model from the next segmentation on."""
        model = self.selected
        if model is None or not self.use_button.isEnabled():
            return
        try:
            choose_model(model.name, self._settings)
        except ModelError as problem:
            self.tell(str(problem), "error")
        else:
            self.tell(f"{model.name} is used from the next segmentation on.", "good")

    def _ask(self, ask: Callable[[], Path | None]) -> None:
        path = ask()
        if path is not None:
            self.add(path)

    def add(self, path: Path, name: str | None = None) -> None:
        """Add the model in the zip or folder `path`."""
        self._path = path

        def work(progress: Progress) -> InstalledModel | NameTakenError:
            try:
                return add_model(path, name, progress, expected_shapes_apart)
            except NameTakenError as taken:
                return taken

        def done(added: InstalledModel | NameTakenError) -> None:
            if isinstance(added, NameTakenError):
                self._ask_name(str(added), name)
                return
            self.refresh(added.folder)
            self.tell(f"{added.name} is added.", "good")

        self._run("Adding the model", work, done)

    def _ask_name(self, problem: str, tried: str | None) -> None:
        """Offer a name that is free."""
        self.tell(problem, "error")
        base = tried or (self._path.stem if self._path else "model")
        names = (base, *(f"{base} {n}" for n in range(2, _MOST_TRIES)))
        self.name.setText(next((n for n in names if find_installed(n) is None), base))
        self.name_row.show()
        self.add_renamed.setDefault(True)
        self.name.setFocus()
        self.name.selectAll()

    def _add_renamed(self) -> None:
        if self._path is not None and not self.runner.busy:
            self.add(self._path, self.name.text())

    def export(self) -> None:
        """Write the selected model as a zip."""
        model = self.selected
        path = self._dialogs.export_model_as(Path(f"{model.name}.zip")) if model else None
        if model is None or path is None:
            return
        work = partial(export_as_zip, model.name, path)
        self._run("Exporting the model", work, lambda _: self.tell(f"Written: {path}", "good"))

    def remove(self) -> None:
        """Remove the selected model, once the reader has said so."""
        model = self.selected
        if model is None or not self._dialogs.confirm(
            f"Remove the model {model.name}? It can be added again only from its file.",
            "Remove it",
            "Keep it",
        ):
            return
        try:
            remove_model(model.name, self._settings)
        except LiverSegError as problem:
            self.tell(str(problem), "error")
            return
        self.refresh()
        self.tell(f"{model.name} is removed.", "good")

    def _run(self, name: str, work: Work, done: Callable[[Any], None]) -> None:
        """Run `work` beside whatever the window does; one thing at a time."""
        if self.runner.busy:
            return
        self.name_row.hide()
        self.use_button.setDefault(True)
        self.list.setFocus()  # what has it now may be off while this runs
        job = self.runner.submit(name, work, done)
        self.tell("", "muted")
        self._phase.setText(f"{name} ...")
        self.busy_row.show()
        job.progressed.connect(lambda _, phase: self._phase.setText(f"{phase} ..."))
        job.failed.connect(self._fail)
        job.cancelled.connect(lambda: self.tell(f"{name}: cancelled.", "muted"))
        job.ended.connect(self._rest)
        self._select()

    def _fail(self, message: str, details: str) -> None:
        """Tell what is expected in the dialog's line, and what nobody foresaw where it is copied
        from."""
        self.tell(message, "error")
        if details:
            self._dialogs.problem(text_shown(message, self._settings), details)

    def _rest(self) -> None:
        self.busy_row.hide()
        self._select()

    def done(self, result: int) -> None:
        """Give up what runs here, and listen no more."""
        self.runner.shutdown()
        self._settings.changed.disconnect(self.refresh)
        super().done(result)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take one file or folder."""
        urls = event.mimeData().urls()
        if len(urls) == 1 and urls[0].isLocalFile() and not self.runner.busy:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Add what was dropped."""
        event.acceptProposedAction()
        self.add(Path(event.mimeData().urls()[0].toLocalFile()))
