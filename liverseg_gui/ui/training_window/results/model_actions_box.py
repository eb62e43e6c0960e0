"""Actions on a trained model: edit its card, add, use, export, discard."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.models.card import ModelCard, name_problem, read_card
from liverseg_gui.segmentation.models.history import choose_instead
from liverseg_gui.segmentation.models.registry import (
    InstalledModel,
    ModelSource,
    chosen_model,
    find_installed,
)
from liverseg_gui.segmentation.models.store import add_model, export_as_zip
from liverseg_gui.segmentation.models.weights_check import expected_shapes_apart
from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.dialogs.models_list import ModelCardView
from liverseg_gui.ui.dialogs.prompts import Dialogs
from liverseg_gui.ui.dialogs.roll_back_button import RollBackButton
from liverseg_gui.ui.jobs.job_bar import JobBar
from liverseg_gui.ui.jobs.job_runner import JobRunner
from liverseg_gui.ui.training_window.process.training_process import starting
from liverseg_gui.ui.training_window.results.run_results import RunResults
from liverseg_gui.ui.training_window.results.texts import CardTexts, installed_name
from liverseg_gui.ui.widgets.buttons import push_button
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.patient_display import text_shown
from liverseg_gui.ui.widgets.theme import Tone, set_tone
from training.evaluation.acceptance import add_accepted
from training.export.model_card import add_to_card
from training.runs.delete import delete_run

_WHY_NOT_ACCEPTED = (
    "It was not accepted, so it does not take the old model's place. It can be added, and chosen "
    "in Segmentation > Models all the same."
)


class ModelActionsBox(QWidget):
    """Everything that can be done with the model of a training.

    `changed` is emitted when a model was added, used or rolled back, or its card written;
    `discarded` carries the folder of a training that is gone, and whether the folder is gone, too.
    """

    changed = Signal()
    discarded = Signal(object, bool)

    def __init__(self, settings: Settings, dialogs: Dialogs, runner: JobRunner) -> None:
        super().__init__()
        self._settings, self._dialogs, self._runner = settings, dialogs, runner
        self._outcome: RunResults | None = None
        self._build()
        self._lay_out()
        runner.job_started.connect(lambda _: self.refresh())
        runner.became_idle.connect(self.refresh)

    def _build(self) -> None:
        self.name = QLineEdit()
        self.name.setAccessibleName("Name of the model")
        self.name.setMaximumWidth(300)
        self.name.textChanged.connect(lambda _: self.refresh())
        self.card_texts = CardTexts()
        self.card_texts.changed.connect(self.refresh)
        self.card = ModelCardView(self._shown)
        self.write_button = push_button("W&rite on the card", self.write)
        self.add_button = push_button("&Add to the models", partial(self.add, False))
        self.use_button = push_button("", partial(self.add, True))
        self.export_button = push_button("&Export as one file ...", self.export)
        self.discard_button = push_button(
            "D&iscard ...", self.discard, "Delete the training and its model from the disk"
        )
        self.roll_back_button = RollBackButton(self._settings)
        self.roll_back_button.done.connect(lambda text: self._changed(text))
        self.roll_back_button.failed.connect(lambda text: self.show_note(text, "error"))
        self.bar = JobBar(self._runner, self._shown, "Cancel")
        self.note = PlainLabel()
        self.note.setWordWrap(True)
        self._label = PlainLabel("&Name of the model:")
        self._label.setBuddy(self.name)

    def _lay_out(self) -> None:
        first = _row(self._label, self.name, self.write_button, None)
        last = _row(
            self.discard_button,
            self.export_button,
            self.roll_back_button,
            None,
            self.add_button,
            self.use_button,
        )
        layout = QVBoxLayout(self)
        layout.addLayout(first)
        layout.addWidget(self.card_texts)
        layout.addWidget(self.card, 1)
        layout.addWidget(self.note)
        layout.addWidget(self.bar, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addLayout(last)

    def show_outcome(self, outcome: RunResults) -> None:
        """Show the model of a training, or that there is none."""
        self._outcome = outcome
        card = outcome.card
        if card is not None:
            self._show_card(card)
            self.name.setText(installed_name(card.sha256) or card.name)
        else:
            self.card.clear()
        self.show_note("", "muted")
        self.refresh()

    def refresh(self) -> None:
        """What can be done now, and why other things cannot."""
        outcome = self._outcome
        self.roll_back_button.refresh()
        if outcome is None:
            return
        card, busy = outcome.card, self._runner.busy
        for widget in (self._label, self.name, self.card_texts, self.card, self.write_button):
            widget.setVisible(card is not None)
        added = installed_name(card.sha256) if card else None
        self.name.setEnabled(added is None and not busy)
        self.write_button.setEnabled(bool(self.card_texts.edited()) and not busy)
        nameless = "There is no model yet." if card is None else self._name_problem(added)
        self._offer(self.add_button, f"It is added, as {added}." if added else nameless, busy)
        self._offer(self.use_button, self._why_not_used(outcome, added) or nameless, busy)
        improved = outcome.decision is not None
        self.use_button.setText(_use_text(improved, added is not None))
        self._offer(self.export_button, "" if card else nameless, busy)
        self.discard_button.setEnabled(not (outcome.record.active or busy))

    def _offer(self, button: QPushButton, why: str, busy: bool) -> None:
        button.setEnabled(not why and not busy)
        button.setToolTip(self._shown(why))

    def _name_problem(self, added: str | None) -> str:
        """Why the model cannot have the name that is written, or nothing."""
        if added is not None:
            return ""
        name = self.name.text().strip()
        problem = name_problem(name)
        if problem:
            return f"{problem[0].upper()}{problem[1:]}."
        if find_installed(name) is not None:
            return f"There is a model {name!r} already. Give this one another name."
        return ""

    def _why_not_used(self, outcome: RunResults, added: str | None) -> str:
        if outcome.decision is not None and not outcome.decision.accepted:
            return _WHY_NOT_ACCEPTED
        return "It is in use." if added and added == chosen_model(self._settings) else ""

    def write(self) -> bool:
        """Write the reader's entries on the card; whether that went well."""
        outcome = self._outcome
        if outcome is None or outcome.card is None:
            return False
        try:
            if self.card_texts.edited():
                add_to_card(outcome.card.folder, self.card_texts.edited())
                self._show_card(read_card(outcome.card.folder))
                self.show_note("The card is written.", "good")
        except LiverSegError as problem:
            self.show_note(str(problem), "error")
            return False
        self.refresh()
        return True

    def add(self, use: bool) -> None:
        """Add the model to the reader's, and `use` it from the next segmentation on."""
        outcome = self._outcome
        if outcome is None or outcome.card is None or not self.write():
            return
        added = installed_name(outcome.card.sha256)
        if added is not None:
            self._added(use, find_installed(added))
            return
        name = self.name.text().strip()
        add: Callable[[Progress], InstalledModel] = partial(_add, outcome.card.folder, name)
        if use and outcome.decision is not None:
            add = partial(_accept, outcome.record.out, name)
        self._run("Adding the model", add, partial(self._added, use))

    def _added(self, use: bool, model: InstalledModel | None) -> None:
        if model is None:
            return
        try:
            if use:
                choose_instead(model.name, self._settings)
        except LiverSegError as problem:
            self.show_note(f"{model.name} is added, and not used: {problem}", "error")
            return
        used = " and used from the next segmentation on" if use else ""
        self._changed(f"{model.name} is added{used}.")

    def export(self) -> None:
        """Write the model as a zip, called as the reader named it."""
        outcome = self._outcome
        if outcome is None or outcome.card is None or not self.write():
            return
        card, name = outcome.card, self.name.text().strip()
        path = self._dialogs.export_model_as(Path(f"{name or card.name}.zip"))
        if path is None:
            return
        try:
            if name and name != card.name and not name_problem(name):
                add_to_card(card.folder, {"name": name})
        except LiverSegError as problem:
            self.show_note(str(problem), "error")
            return
        work = partial(export_as_zip, str(card.folder), path)
        self._run("Exporting the model", work, lambda _: self.show_note(f"Written: {path}", "good"))

    def discard(self) -> None:
        """Delete the training, once the reader has confirmed."""
        outcome = self._outcome
        if outcome is None:
            return
        out = outcome.record.out
        why = self._why_not_discarded(out)
        if why:
            self.show_note(why, "error")
            return
        if not self._dialogs.confirm(*self._discard_question(outcome)):
            return
        try:
            gone = delete_run(out)
        except LiverSegError as problem:
            self.show_note(str(problem), "error")
            return
        self._outcome = None
        self.discarded.emit(out, gone)

    def _why_not_discarded(self, out: Path) -> str:
        """Why the training cannot be deleted, or nothing."""
        if Path(chosen_model(self._settings)) == out / "model":
            return "Its model is the one in use, from this folder. Use another one first."
        if starting(out) is not None:
            return "The training is just starting again. Wait until it runs, and cancel it first."
        return ""

    def _discard_question(self, outcome: RunResults) -> tuple[str, str, str]:
        added = installed_name(outcome.card.sha256) if outcome.card else None
        kept = f" The model stays among the models, as {added}." if added else ""
        lost = " Its model has not been added and is lost." if outcome.card and not added else ""
        question = f"Discard the training {outcome.record.name}? Its folder is deleted.{kept}{lost}"
        return self._shown(question), "Discard it", "Keep it"

    def show_note(self, text: str, tone: Tone) -> None:
        """Show `text` in the line below the card."""
        self.note.setText(self._shown(text))
        self.note.setVisible(bool(text))
        set_tone(self.note, tone)

    def _changed(self, text: str) -> None:
        self.refresh()
        self.show_note(text, "good")
        self.changed.emit()

    def _show_card(self, card: ModelCard) -> None:
        self.card_texts.show_card(card)
        self.card.show_model(InstalledModel(card.name, card.folder, ModelSource.USER, card))

    def _run(self, name: str, work: Callable[[Progress], Any], done: Callable[[Any], None]) -> None:
        job = self._runner.submit(name, work, done)
        self.show_note("", "muted")
        self.refresh()
        job.failed.connect(self._fail)
        job.cancelled.connect(lambda: self.show_note(f"{name}: cancelled.", "muted"))

    def _fail(self, message: str, details: str) -> None:
        self.show_note(message, "error")
        if details:
            self._dialogs.problem(self._shown(message), details)

    def _shown(self, text: str) -> str:
        return text_shown(text, self._settings)


def _add(folder: Path, name: str, progress: Progress) -> InstalledModel:
    return add_model(folder, name, progress, expected_shapes_apart)


def _accept(out: Path, name: str, progress: Progress) -> InstalledModel:
    """Only a model that passed comes through."""
    return add_accepted(out, name, progress, expected_shapes_apart)


def _use_text(improved: bool, added: bool) -> str:
    if improved:
        return "Accept: &use it from now on"
    return "&Use it from now on" if added else "Add and &use it from now on"


def _row(*widgets: QWidget | None) -> QHBoxLayout:
    """Widgets side by side; None is what stretches."""
    row = QHBoxLayout()
    for widget in widgets:
        if widget is None:
            row.addStretch(1)
        else:
            row.addWidget(widget)
    return row
