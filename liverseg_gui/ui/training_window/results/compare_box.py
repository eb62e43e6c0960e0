"""Comparison of the new model with the one in use, on the held-out patients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from liverseg_gui.segmentation.models.registry import chosen_model
from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.jobs.job_bar import JobBar
from liverseg_gui.ui.jobs.job_runner import JobRunner
from liverseg_gui.ui.training_window.results.difference_table import DifferenceTable
from liverseg_gui.ui.training_window.results.run_results import RunResults
from liverseg_gui.ui.training_window.results.texts import comparison_notes, installed_name
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.patient_display import text_shown
from liverseg_gui.ui.widgets.theme import Tone, set_tone
from training.evaluation.comparison_text import difference_text
from training.evaluation.model_comparison import Comparison, compare_run_apart

_TIP = (
    "Segments the held-out patients with the model in use too, in a process of its own, and judges "
    "both by the same figures"
)

_OFFER = (
    "Both models segment the patients that were held out of this training. For each patient the "
    "Dice of both is given, and over the patients the mean difference with its 95 % interval. "
    "Patients whose names are among those that the model in use was trained on are marked, and "
    "left out of the means."
)


class CompareBox(QWidget):
    """A button, the job it starts, and a table of both models.

    `problem` carries a message, and a traceback for an unexpected error.
    """

    problem = Signal(str, str)

    def __init__(self, settings: Settings, runner: JobRunner) -> None:
        super().__init__()
        self._settings, self._runner = settings, runner
        self._out: Path | None = None
        self._names: Mapping[str, str] = {}
        self._why, self._used = "", ""
        self._outcome: RunResults | None = None
        self.button = QPushButton()
        self.button.setAutoDefault(False)
        self.button.clicked.connect(self.compare)
        self.bar = JobBar(runner, self._shown, "Cancel")
        self.table = DifferenceTable()
        self.means, self.left_out, self.note = PlainLabel(), PlainLabel(), PlainLabel()
        for label in (self.means, self.left_out, self.note):
            label.setWordWrap(True)
        set_tone(self.left_out, "warning")
        runner.job_started.connect(lambda _: self._refresh())
        runner.became_idle.connect(self._refresh)
        row = QHBoxLayout()
        row.addWidget(self.button)
        row.addWidget(self.bar)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addLayout(row)
        layout.addWidget(self.means)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.left_out)
        layout.addWidget(self.note)
        layout.addStretch(0)

    def show_outcome(self, outcome: RunResults, names: Mapping[str, str]) -> None:
        """Show the comparison that was made last, and offer another."""
        self._outcome, self._out, self._names = outcome, outcome.record.out, names
        self._offer(outcome)
        compared = outcome.decision.comparison if outcome.decision else outcome.comparison
        self._show_note(self._why or ("" if compared else _OFFER), "muted")
        self.show_comparison(compared)

    def refresh(self) -> None:
        """Another model may be in use by now: the one that is named is the one that is compared."""
        if self._outcome is None:
            return
        before = self._why
        self._offer(self._outcome)
        if self._why != before:
            self._show_note(self._why or ("" if self.table.isVisibleTo(self) else _OFFER), "muted")

    def _offer(self, outcome: RunResults) -> None:
        self._used = chosen_model(self._settings)
        self._why = _why_no_comparison(outcome, self._used)
        self.button.setText(f"Compare with the model in use ({self._shown(self._used)})")
        self.button.setToolTip(self._why or _TIP)
        self._refresh()

    def show_comparison(self, comparison: Comparison | None) -> None:
        """Show the metrics of both models, or that there are none yet."""
        for widget in (self.table, self.means):
            widget.setVisible(comparison is not None)
        left_out = comparison_notes(comparison) if comparison else ""
        self.left_out.setText(self._shown(left_out))
        self.left_out.setVisible(bool(left_out))
        if comparison is not None:
            self.table.show_comparison(comparison, self._names)
            liver, tumor = difference_text(comparison.liver), difference_text(comparison.tumor)
            self.means.setText(
                f"{comparison.baseline} \N{RIGHTWARDS ARROW} {comparison.candidate}\n"
                f"Liver: {liver}.\nTumor: {tumor}."
            )

    def compare(self) -> None:
        """Evaluate the model in use on the held-out patients."""
        out = self._out
        if out is None or self._runner.busy:
            return
        work = partial(compare_run_apart, out, self._used)
        job = self._runner.submit("Comparing the models", work, partial(self._done, out))
        self._show_note("", "muted")
        self._refresh()
        job.failed.connect(partial(self._fail, out))
        job.cancelled.connect(partial(self._cancelled, out))

    def _refresh(self) -> None:
        """One thing at a time: a model may be being added."""
        self.button.setEnabled(not self._why and not self._runner.busy)

    def _done(self, out: Path, comparison: Comparison) -> None:
        if out == self._out:
            self.show_comparison(comparison)

    def _cancelled(self, out: Path) -> None:
        """Another training may be shown by now, which is why this one's was cancelled."""
        if out == self._out:
            self._show_note("The comparison was cancelled.", "muted")

    def _fail(self, out: Path, message: str, details: str) -> None:
        if out == self._out:
            self._show_note(message, "error")
        if details:
            self.problem.emit(message, details)

    def _show_note(self, text: str, tone: Tone) -> None:
        self.note.setText(self._shown(text))
        self.note.setVisible(bool(text))
        set_tone(self.note, tone)

    @property
    def _shown(self) -> Callable[[str], str]:
        return lambda text: text_shown(text, self._settings)


def _why_no_comparison(outcome: RunResults, used: str) -> str:
    """Why the models cannot be compared, or nothing."""
    if outcome.card is None:
        return "There is no model yet."
    if not outcome.rows:
        return "Nobody was held out, so there are no patients to compare the models on."
    if used == installed_name(outcome.card.sha256):
        return "This model is the one in use."
    return ""
