"""Texts about the results of a training, and the fields of its model card. Free of torch."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QLineEdit, QWidget

from liverseg_gui.segmentation.models.card import ModelCard
from liverseg_gui.segmentation.models.registry import list_models
from liverseg_gui.ui.training_window.results.run_results import (
    Mean,
    RunResults,
    mean_of,
    tumor_dice,
)
from liverseg_gui.ui.widgets.theme import Tone
from training.evaluation.acceptance import AcceptanceDecision
from training.evaluation.model_comparison import Comparison
from training.export.model_card import Row
from training.runs.folder import RunState

NOBODY = (
    "Nobody was held out: the model was trained on all patients, so no figure says how good it is. "
    "A training of the same recipe with patients held out tells."
)
_FEW = 5
_ENDINGS: dict[RunState, tuple[str, Tone]] = {
    RunState.RUNNING: ("It still runs", "accent"),
    RunState.PAUSED: ("It is paused", "accent"),
    RunState.INTERRUPTED: ("It was interrupted", "warning"),
    RunState.STOPPED: ("It was stopped", "warning"),
    RunState.CANCELLED: ("It was cancelled", "warning"),
    RunState.FAILED: ("It failed", "error"),
}
_FIELDS = (
    (
        "data",
        "&Data:",
        "Which scans: hospital, years, phase, who drew the masks. No patient's name",
    ),
    ("license", "Li&cense:", "Who may use the model and the data, e.g. CC BY-SA 4.0"),
    ("known_failures", "Known failures:", "Where it goes wrong, e.g. cysts taken for tumors"),
)


def headline(outcome: RunResults) -> tuple[str, Tone | None]:
    """The result in a line, and its tone."""
    if not outcome.finished:
        return _why_no_result(outcome)
    if outcome.problems and not outcome.rows:
        return "There is a result, and it cannot be read.", "error"
    if outcome.held_out_nobody:
        return NOBODY, "warning"
    return means_line(outcome.rows), None


def _why_no_result(outcome: RunResults) -> tuple[str, Tone]:
    record = outcome.record
    how, tone = _ENDINGS[record.state]
    done = f" at {record.fraction:.0%}" if record.fraction else ""
    message = f" {record.message}" if record.state is RunState.FAILED and record.message else ""
    goes_on = " Go on with it in the list of trainings." if record.resumable else ""
    judged = ""
    if outcome.rows:
        judged = f" {_patients(len(outcome.rows))} had been judged by then."
    return f"{how}{done}, so there is no model yet.{message}{judged}{goes_on}", tone


def means_line(rows: Iterable[Row]) -> str:
    """The mean Dice of all held-out patients with their intervals."""
    rows = list(rows)
    liver = mean_of([row["liver"]["dice"] for row in rows])
    tumor = mean_of([tumor_dice(row) for row in rows])
    distance = mean_of([row["liver"]["assd_mm"] for row in rows])
    parts = [f"{_patients(len(rows))} held out."]
    parts.append(f"Liver Dice {_spread(liver)}." if liver else "")
    parts.append(f"Tumor Dice {_spread(tumor, len(rows))}." if tumor else "No tumor among them.")
    parts.append(
        f"Liver surface off by {_spread(distance, len(rows), 1, ' mm')}." if distance else ""
    )
    if len(rows) < _FEW:
        parts.append("So few patients tell little.")
    return " ".join(part for part in parts if part)


def _spread(mean: Mean, all_patients: int = 0, digits: int = 3, unit: str = "") -> str:
    """E.g. "0.912 (95 % 0.880 to 0.940)", with how many patients where it is not all of them."""
    inside = []
    if mean.interval is not None:
        low, high = mean.interval
        inside.append(f"95 % {low:.{digits}f} to {high:.{digits}f}")
    if all_patients and mean.patients != all_patients:
        inside.append(_patients(mean.patients))
    return f"{mean.value:.{digits}f}{unit}" + (f" ({', '.join(inside)})" if inside else "")


def decision_text(decision: AcceptanceDecision) -> tuple[str, Tone]:
    """Whether the improved model may be used, and why."""
    old = decision.comparison.baseline
    passed = f"Passed: the improved model is no worse than {old!r} on the held-out patients."
    failed = f"Not accepted: {old!r} stays in use."
    verdict = passed if decision.accepted else failed
    return " ".join([verdict, *decision.reasons]), "good" if decision.accepted else "warning"


def comparison_notes(comparison: Comparison) -> str:
    """Which patients the means leave out, and whose masks have changed since; or nothing.

    `*` stands at the names in the table that are left out.
    """
    return " ".join(part for part in (_left_out(comparison), _changed(comparison)) if part)


def _left_out(comparison: Comparison) -> str:
    seen_by = [pair for pair in comparison.pairs if not pair.fair]
    if not seen_by:
        return ""
    models = " or ".join(dict.fromkeys(name for pair in seen_by for name in pair.seen_by))
    count = _patients(len(seen_by))
    none_left = " Nobody is left to compare by." if len(seen_by) == len(comparison.pairs) else ""
    return (
        f"* {models} was trained on patients of these names, as far as names tell, which is no "
        f"fair comparison: the means leave {count} out.{none_left}"
    )


def _changed(comparison: Comparison) -> str:
    if not comparison.changed:
        return ""
    return (
        f"Scan or mask of {_patients(len(comparison.changed))} has changed since the training, or "
        f"it is too old to tell: {comparison.candidate} was judged anew there, on today's mask."
    )


def installed_name(sha256: str) -> str | None:
    """The name under which the model with these weights is among the models; None if it is not."""
    names = (m.name for m in list_models() if m.card is not None and m.card.sha256 == sha256)
    return next(names, None)


def names_shown(names: Iterable[str], hide: bool) -> dict[str, str]:
    """What each case is called on the screen: names of cases may be those of patients."""
    return {name: f"Patient {n}" if hide else name for n, name in enumerate(names, 1)}


def _patients(count: int) -> str:
    return "1 patient" if count == 1 else f"{count} patients"


class CardTexts(QWidget):
    """A line edit for each entry of the card; `changed` is emitted when the reader has written."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[str, QLineEdit] = {}
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        for key, title, hint in _FIELDS:
            line = self._lines[key] = QLineEdit()
            line.setPlaceholderText(hint)
            line.setToolTip(hint)
            line.textEdited.connect(lambda _: self.changed.emit())
            form.addRow(title, line)
        self._kept = self._entries()

    def show_card(self, card: ModelCard) -> None:
        """Show what is on the card."""
        for key, line in self._lines.items():
            text = card.about.get(key)
            line.setText(text if isinstance(text, str) else "")
        self._kept = self._entries()

    def edited(self) -> dict[str, str]:
        """The entries that are other than on the card."""
        return {key: text for key, text in self._entries().items() if text != self._kept[key]}

    def line(self, key: str) -> QLineEdit:
        """Where the entry `key` is written."""
        return self._lines[key]

    def _entries(self) -> dict[str, str]:
        return {key: line.text().strip() for key, line in self._lines.items()}
