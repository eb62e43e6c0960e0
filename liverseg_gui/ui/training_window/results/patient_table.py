"""Table of the metrics of each held-out patient, the worst first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem

from liverseg_gui.system.plain_text import one_line
from liverseg_gui.ui.training_window.results.run_results import tumor_dice
from liverseg_gui.ui.widgets.severity import TONE_ROLE, ToneDelegate
from training.export.model_card import Row

NONE = "\N{EN DASH}"
_SORT = Qt.ItemDataRole.UserRole
Cell = tuple[str, float]
"""What stands in a cell, and what it is sorted by."""

_LAST = float("inf")
_COLUMNS: tuple[tuple[str, str, Callable[[Row], Cell]], ...] = (
    ("Liver Dice", "Overlap of found and true liver, 1 where they are the same",
     lambda row: _number(row["liver"]["dice"], 3)),
    ("Tumor Dice", "The same for tumors, in patients who have one",
     lambda row: _number(tumor_dice(row), 3)),
    ("Lesions found", "True lesions of which more than half of found and true together overlap",
     lambda row: _found(row["lesions"])),
    ("From 10 mm", "The same for lesions whose longest axial diameter is 10 mm or more",
     lambda row: _found(row["lesions"]["from_10_mm"])),
    ("False lesions", "Found lesions that are none in the truth",
     lambda row: _false(row["lesions"])),
    ("False tumor", "Tumor found in a patient without one, in percent of the liver",
     lambda row: _percent(row["false_positive"]["tumor_percent_of_liver"])),
    ("Liver surface mm", "Mean distance of the found from the true surface (ASSD)",
     lambda row: _number(row["liver"]["assd_mm"], 1)),
    ("Tumor surface mm", "Mean distance of the found from the true surface (ASSD)",
     lambda row: _number(row["tumor"]["assd_mm"], 1)),
)  # fmt: skip
_NEEDS_MM = ("From 10 mm", "Liver surface mm", "Tumor surface mm")


class PatientTable(QTreeWidget):
    """A row for each patient. Columns in mm are there where somebody's mm are known."""

    def __init__(self) -> None:
        super().__init__()
        self.setHeaderLabels(["Patient", *(title for title, _, _ in _COLUMNS)])
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAlternatingRowColors(True)
        self.setAllColumnsShowFocus(True)
        self.setAccessibleName("Held-out patients")
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setItemDelegate(ToneDelegate(self))
        for column, (_, tip, _) in enumerate(_COLUMNS, 1):
            self.headerItem().setToolTip(column, tip)
            self.headerItem().setTextAlignment(column, Qt.AlignmentFlag.AlignCenter)
        self.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.header().setStretchLastSection(False)

    def show_rows(self, rows: Sequence[Row], names: Mapping[str, str]) -> None:
        """List `rows` in their order; a click on a column's head sorts by it."""
        self.setSortingEnabled(False)
        self.clear()
        for place, row in enumerate(rows):
            self.addTopLevelItem(_Item(row, names[row["name"]], place))
        for column, (title, _, cell) in enumerate(_COLUMNS, 1):
            unknown = title in _NEEDS_MM and all(cell(row)[0] == NONE for row in rows)
            self.setColumnHidden(column, unknown)
        self.header().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)


class _Item(QTreeWidgetItem):
    """Sorted by what its cells mean; by how bad the patient is where they are alike."""

    def __init__(self, row: Row, name: str, place: int) -> None:
        name = one_line(name)
        super().__init__([name])
        self._place = place
        self.setData(0, _SORT, float(place))
        for column, (_, _, cell) in enumerate(_COLUMNS, 1):
            text, key = cell(row)
            self.setText(column, text)
            self.setData(column, _SORT, key)
            self.setTextAlignment(column, Qt.AlignmentFlag.AlignCenter)
        if not row.get("mm_reliable", True):
            self.setText(0, f"{name} *")
            self.setData(0, TONE_ROLE, "warning")
            self.setToolTip(
                0, one_line(" ".join(["mm are not reliable.", *row.get("warnings", ())]))
            )

    def __lt__(self, other: QTreeWidgetItem) -> bool:
        tree = self.treeWidget()
        column = max(tree.sortColumn(), 0) if tree is not None else 0
        mine, theirs = self.data(column, _SORT), other.data(column, _SORT)
        if mine == theirs and isinstance(other, _Item):
            return self._place < other._place
        return bool(mine < theirs)


def _number(value: float | None, digits: int) -> Cell:
    return (NONE, _LAST) if value is None else (f"{value:.{digits}f}", value)


def _percent(value: float | None) -> Cell:
    return (NONE, _LAST) if value is None else (f"{value:.2f} %", value)


def _found(counts: Row | None) -> Cell:
    """E.g. "3 of 4"."""
    if counts is None or not counts["true"]:
        return NONE, _LAST
    share = counts["true_matched"] / counts["true"]
    return f"{counts['true_matched']} of {counts['true']}", share


def _false(counts: Row) -> Cell:
    wrong = counts["found"] - counts["found_matched"]
    return str(wrong), float(wrong)
