"""Results page of the training window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QTabWidget, QVBoxLayout, QWidget

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.dialogs.prompts import Dialogs
from liverseg_gui.ui.jobs.job_runner import JobRunner
from liverseg_gui.ui.training_window.results.compare_box import CompareBox
from liverseg_gui.ui.training_window.results.model_actions_box import ModelActionsBox
from liverseg_gui.ui.training_window.results.patient_table import PatientTable
from liverseg_gui.ui.training_window.results.run_results import RunResults, read_results
from liverseg_gui.ui.training_window.results.texts import decision_text, headline, names_shown
from liverseg_gui.ui.training_window.results.worst_slices_strip import WorstSlicesStrip
from liverseg_gui.ui.training_window.widgets.slice_image import ShowSlice
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.patient_display import text_shown
from liverseg_gui.ui.widgets.theme import set_tone
from training.evaluation.acceptance import RULE
from training.evaluation.worst_slices_file import SavedSlice

_WORST = "Worst slices, the worst first. Green is liver, orange tumor."
_NO_WORST = "No slice is wrong, or none was kept."


class ResultPage(QWidget):
    """Shows the training in a folder; `discarded` carries a folder that is gone.

    `show_slice` shows a slice in the viewer.
    """

    discarded = Signal(object)

    def __init__(
        self, settings: Settings, dialogs: Dialogs, show_slice: ShowSlice | None = None
    ) -> None:
        super().__init__()
        self._settings, self._dialogs, self._show_slice = settings, dialogs, show_slice
        self._out: Path | None = None
        self.outcome: RunResults | None = None
        self._hides = settings.values.hide_patient
        self.runner = JobRunner()
        self._build()
        settings.changed.connect(self._show_settings)

    def _build(self) -> None:
        self.title, self.line, self.verdict, self.rule = (PlainLabel() for _ in range(4))
        self.worst_line = PlainLabel()
        for label in (self.title, self.line, self.verdict, self.rule, self.worst_line):
            label.setWordWrap(True)
        set_tone(self.title, None, strong=True)
        set_tone(self.rule, "muted")
        set_tone(self.worst_line, "muted")
        self.table = PatientTable()
        self.strip = WorstSlicesStrip()
        self.strip.requested.connect(self._ask_slice)
        self.comparison = CompareBox(self._settings, self.runner)
        self.comparison.problem.connect(
            lambda message, details: self._dialogs.problem(self._shown(message), details)
        )
        self.model = ModelActionsBox(self._settings, self._dialogs, self.runner)
        self.model.changed.connect(self._show_comparison)
        self.model.discarded.connect(self._discarded)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self._first = self._patients()
        self.tabs.addTab(self._first, "&Patients")
        self.tabs.addTab(self.comparison, "O&ld and new model")
        self.tabs.addTab(self.model, "&Model")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.title, self.line, self.verdict, self.rule):
            layout.addWidget(widget)
        layout.addWidget(self.tabs, 1)

    def _patients(self) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.worst_line)
        layout.addWidget(self.strip)
        return page

    def show_run(self, out: Path) -> None:
        """Show the results of the training in `out`, or why they cannot be read."""
        new = out != self._out
        if new:
            self.runner.cancel_all()
        self._out = out
        try:
            self.outcome = read_results(out)
        except LiverSegError as problem:
            self.outcome = None
            self._show_text(self.title, out.name, None)
            self._show_text(self.line, str(problem), "error")
            self.tabs.hide()
            return
        self.tabs.show()
        self._show(self.outcome)
        if new:
            self.tabs.setCurrentWidget(self.comparison if self.outcome.decision else self._first)

    def _show(self, outcome: RunResults) -> None:
        names = self._names(outcome)
        self._show_text(self.title, outcome.record.name, None)
        self._show_text(self.line, *headline(outcome))
        verdict = decision_text(outcome.decision) if outcome.decision else ("", None)
        self._show_text(self.verdict, *verdict)
        self._show_text(self.rule, f"The rule: {RULE}" if outcome.decision else "", "muted")
        self.table.show_rows(outcome.rows, names)
        self.strip.show_slices(outcome.worst, names)
        problems = " ".join(outcome.problems)
        tone = "error" if problems else "muted"
        self._show_text(self.worst_line, problems or (_WORST if outcome.worst else _NO_WORST), tone)
        self.worst_line.setVisible(bool(problems or outcome.rows))
        self.comparison.show_outcome(outcome, names)
        self.model.show_outcome(outcome)

    def _names(self, outcome: RunResults) -> dict[str, str]:
        compared = outcome.decision.comparison if outcome.decision else outcome.comparison
        names = [row["name"] for row in outcome.rows]
        names += [saved.slice.name for saved in outcome.worst]
        names += [pair.name for pair in compared.pairs] if compared else []
        return names_shown(dict.fromkeys(names), self._hides)

    def _show_comparison(self) -> None:
        """Another model may be in use by now."""
        if self._out is not None and self.outcome is not None:
            self.outcome = read_results(self._out)
            self.comparison.show_outcome(self.outcome, self._names(self.outcome))

    def _ask_slice(self, saved: SavedSlice) -> None:
        if self._show_slice is not None and saved.scan is not None:
            self._show_slice(saved.scan, saved.volume, saved.slice.index)

    def _discarded(self, out: Path, gone: bool) -> None:
        self._out = self.outcome = None
        self._show_text(self.title, "", None)
        stays = "" if gone else f" {out} holds other files too, and stays."
        self._show_text(self.line, f"The training is discarded.{stays}", "muted")
        for label in (self.verdict, self.rule):
            self._show_text(label, "", None)
        self.tabs.hide()
        self.discarded.emit(out)

    def _show_text(self, label: QLabel, text: str, tone: str | None) -> None:
        label.setText(self._shown(text))
        label.setVisible(bool(text))
        set_tone(label, tone, strong=label is self.title)  # type: ignore[arg-type]

    def _show_settings(self) -> None:
        """Names may have to be hidden; another model may be in use."""
        self.model.refresh()
        self.comparison.refresh()
        if self._hides != self._settings.values.hide_patient:
            self._hides = self._settings.values.hide_patient
            if self.outcome is not None:
                self._show(self.outcome)

    def shutdown(self) -> None:
        """End the background work, and disconnect from the settings: the window is closing."""
        self.runner.shutdown()
        self._settings.changed.disconnect(self._show_settings)

    def _shown(self, text: str) -> str:
        return text_shown(text, self._settings)
