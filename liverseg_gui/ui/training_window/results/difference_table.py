"""Table of the Dice of two models on the same patients, and their difference."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem

from liverseg_gui.system.plain_text import one_line
from liverseg_gui.ui.widgets.severity import TONE_ROLE, ToneDelegate
from liverseg_gui.ui.widgets.theme import Tone
from training.evaluation.model_comparison import CaseComparison, Comparison, Difference

NONE = "\N{EN DASH}"
_NOTABLE = 0.0005
"""Below it a difference is 0.000."""


class DifferenceTable(QTreeWidget):
    """A row for each patient, and the means in the last one."""

    def __init__(self) -> None:
        super().__init__()
        self.setColumnCount(7)
        self.setRootIsDecorated(False)
        self.setAllColumnsShowFocus(True)
        self.setAlternatingRowColors(True)
        self.setAccessibleName("Both models, patient by patient")
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setItemDelegate(ToneDelegate(self))
        self.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.header().setStretchLastSection(False)

    def show_comparison(self, comparison: Comparison, names: Mapping[str, str]) -> None:
        """List the patients of `comparison`, those that are left out of the means marked `*`."""
        old, new = comparison.baseline, comparison.candidate
        heads = [
            f"{label}: {what}" for label in ("Liver", "Tumor") for what in (old, new, "change")
        ]
        self.setHeaderLabels(["Patient", *heads])
        for column in range(1, 7):
            self.headerItem().setTextAlignment(column, Qt.AlignmentFlag.AlignCenter)
        self.clear()
        for pair in comparison.pairs:
            self.addTopLevelItem(_patient(pair, names[pair.name]))
        if comparison.fair:
            self.addTopLevelItem(_mean(comparison))


def _patient(pair: CaseComparison, name: str) -> QTreeWidgetItem:
    liver = pair.baseline.liver, pair.candidate.liver
    tumor = pair.baseline.tumor, pair.candidate.tumor
    item = _row(name if pair.fair else f"{name} *", liver, tumor)
    if None in tumor:
        tip = _false_tumor(pair)
        for column in (4, 5, 6):
            item.setToolTip(column, tip)
    if not pair.fair:
        models = one_line(" and ".join(pair.seen_by))
        for column in range(7):
            item.setData(column, TONE_ROLE, "muted")
            item.setToolTip(
                column, f"{models} was trained on a patient of this name; not in the means"
            )
    return item


def _false_tumor(pair: CaseComparison) -> str:
    before, after = pair.baseline.false_tumor_percent, pair.candidate.false_tumor_percent
    if before is None or after is None:
        return "The patient has no tumor"
    return (
        f"The patient has no tumor; falsely found {before:.2f} % of the liver before, "
        f"{after:.2f} % now"
    )


def _row(
    name: str, liver: tuple[float, float], tumor: tuple[float | None, float | None]
) -> QTreeWidgetItem:
    item = QTreeWidgetItem([one_line(name)])
    for first, (before, after) in ((1, liver), (4, tumor)):
        cells: tuple[str, ...] = (NONE, NONE, NONE)
        if before is not None and after is not None:
            cells = (f"{before:.3f}", f"{after:.3f}", f"{after - before:+.3f}")
            item.setData(first + 2, TONE_ROLE, _tone(after - before))
        for column, text in enumerate(cells, first):
            item.setText(column, text)
            item.setTextAlignment(column, Qt.AlignmentFlag.AlignCenter)
    return item


def _mean(comparison: Comparison) -> QTreeWidgetItem:
    """The means of all that is fair, with the interval of their difference."""
    liver, tumor = comparison.liver, comparison.tumor
    assert liver is not None
    both = (tumor.baseline, tumor.candidate) if tumor else (None, None)
    item = _row(f"Mean of {len(comparison.fair)}", (liver.baseline, liver.candidate), both)
    for column, change in ((3, liver), (6, tumor)):
        if change is not None:
            item.setText(column, _with_interval(change))
            item.setToolTip(column, "95 % interval, bootstrap over patients")
    font = item.font(0)
    font.setBold(True)
    for column in range(7):
        item.setFont(column, font)
    return item


def _with_interval(change: Difference) -> str:
    if change.interval is None:
        return f"{change.difference:+.3f}"
    low, high = change.interval
    return f"{change.difference:+.3f} ({low:+.3f} to {high:+.3f})"


def _tone(difference: float) -> Tone | None:
    if abs(difference) < _NOTABLE:
        return None
    return "good" if difference > 0 else "warning"
