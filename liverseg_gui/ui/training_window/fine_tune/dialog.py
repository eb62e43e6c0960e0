"""Dialog that fine-tunes the model in use on one's own cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.segmentation.models.card import name_problem
from liverseg_gui.segmentation.models.registry import chosen_model, find_installed
from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.jobs.job_runner import JobRunner
from liverseg_gui.ui.training_window.data.page import DataPage
from liverseg_gui.ui.training_window.fine_tune.plan import make_plan, plan_text
from liverseg_gui.ui.training_window.widgets.time_estimate_bar import TimeEstimateBar
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.patient_display import text_shown
from liverseg_gui.ui.widgets.theme import set_tone
from training.data.case import CaseSource
from training.data.selection import DataSelection
from training.runs.registry import new_run_folder

_SIZE = QSize(640, 340)
_TIP = (
    "The model in use learns from these cases, and is judged against itself as it was; first it is "
    "said what will happen"
)
_NOTHING_NEW = (
    "The model in use was trained on all of these, as far as names tell. Add a study that it has "
    "not seen."
)


class FineTuneDialog(QDialog):
    """`job_requested` carries the `TrainingJob`. `slices` is how many the cases have together, and
    `reviews` says which of them somebody reviewed here."""

    job_requested = Signal(object)

    def __init__(
        self,
        parent: QWidget | None,
        settings: Settings,
        sources: Sequence[CaseSource],
        selection: DataSelection,
        slices: int,
        reviews: str = "",
    ) -> None:
        super().__init__(parent)
        self._settings, self._reviews = settings, reviews
        self.runner = JobRunner()
        self.plan = make_plan(sources, selection, chosen_model(settings))
        self.setWindowTitle("Improve the model")
        self._build(len(sources))
        self.resize(_SIZE)
        if not isinstance(self.plan, str):
            self.estimate.show_config(self.plan.config, *self.plan.slice_counts(slices))
        self._refresh()

    def _build(self, count: int) -> None:
        model = chosen_model(self._settings)
        cases = "1 case" if count == 1 else f"{count} cases"
        self.title = PlainLabel(text_shown(f"Improve {model} with {cases}", self._settings))
        set_tone(self.title, None, strong=True)
        self.plan_label, self.note = PlainLabel(self._plan_text()), PlainLabel()
        self.reviews = PlainLabel(self._reviews)
        self.reviews.setVisible(bool(self._reviews))
        set_tone(self.reviews, "muted")
        for label in (self.plan_label, self.reviews, self.note):
            label.setWordWrap(True)
        set_tone(self.note, "error")
        self.name = QLineEdit(_free_name(model))
        self.name.textChanged.connect(lambda _: self._refresh())
        label = PlainLabel("&Name of the new model:")
        label.setBuddy(self.name)
        self.estimate = TimeEstimateBar(self.runner)
        self.estimate.button.setAutoDefault(False)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.start_button = buttons.addButton("&Start", QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self._start)
        buttons.rejected.connect(self.reject)
        row = QHBoxLayout()
        row.addWidget(label)
        row.addWidget(self.name, 1)
        layout = QVBoxLayout(self)
        for widget in (self.title, self.plan_label, self.reviews, self.estimate):
            layout.addWidget(widget)
        layout.addLayout(row)
        layout.addWidget(self.note)
        layout.addStretch(1)
        layout.addWidget(buttons)

    def _plan_text(self) -> str:
        if isinstance(self.plan, str):
            return ""
        hide = self._settings.values.hide_patient
        return text_shown(plan_text(self.plan, hide), self._settings)

    @property
    def why_not(self) -> str:
        """Why it cannot start, or nothing."""
        if isinstance(self.plan, str):
            return self.plan
        name = self.name.text().strip()
        if problem := name_problem(name):
            return f"{problem[0].upper()}{problem[1:]}."
        if find_installed(name) is not None:
            return f"There is a model {name!r} already. Give the new one another name."
        return ""

    def _refresh(self) -> None:
        why = self.why_not
        for widget in (self.plan_label, self.estimate):
            widget.setVisible(not isinstance(self.plan, str))
        self.name.setEnabled(not isinstance(self.plan, str))
        self.start_button.setEnabled(not why)
        self._show_note(why)

    def _start(self) -> None:
        if self.why_not or isinstance(self.plan, str):
            return
        name = self.name.text().strip()
        try:
            job = self.plan.job(new_run_folder(name), name)
        except LiverSegError as problem:
            self._show_note(str(problem))
            return
        self.job_requested.emit(job)
        self.accept()

    def _show_note(self, text: str) -> None:
        self.note.setText(text_shown(text, self._settings))
        self.note.setVisible(bool(text))

    def done(self, result: int) -> None:
        """Cancel the time estimate."""
        self.runner.shutdown()
        super().done(result)


def _free_name(model: str) -> str:
    """A name for the improved model: "default-2", or whatever comes next."""
    base = model if not name_problem(model) else "improved"
    numbers = range(2, 1000)
    return next((n for k in numbers if find_installed(n := f"{base}-{k}") is None), base)


class FineTuneButton(QPushButton):
    """Button with the number of studies on it; `offer` keeps up with the data page."""

    def __init__(self, do: Callable[[], None]) -> None:
        super().__init__()
        self.setAutoDefault(False)
        self.clicked.connect(lambda: do())

    def offer(self, data: DataPage) -> None:
        """Offer to improve the model with the cases of `data`, or say why that cannot be.

        A fine-tuning splits its patients itself, also where they are too few for the folds.
        """
        count = len(data.new_sources)
        studies = {0: "new studies", 1: "1 new study"}.get(count, f"{count} new studies")
        self.setText(f"&Improve the model with {studies} ...")
        why = "" if data.scanned and data.sources else data.why_not
        if not why and not count:
            why = _NOTHING_NEW
        self.setEnabled(not why)
        self.setToolTip(why or _TIP)
