"""Table of the labelled cases, with a thumbnail and a check box for each."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QImage, QKeyEvent, QPainter, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem

from liverseg_gui.io.dataset_names import natural
from liverseg_gui.system.plain_text import one_line, printable
from liverseg_gui.ui.training_window.data import case_columns
from liverseg_gui.ui.training_window.data.case_columns import Cell
from liverseg_gui.ui.training_window.data.scan_cases import ScannedCase
from liverseg_gui.ui.widgets.severity import TONE_ROLE, ToneDelegate
from liverseg_gui.ui.widgets.theme import Tone, placeholder_color

ICON_PX = 64
_FINEST = 2
_WIDTHS = {
    case_columns.PATIENT: 84,
    case_columns.PART: 84,
    case_columns.REVIEWED: 84,
    case_columns.SLICES: 52,
    case_columns.SPACING: 146,
    case_columns.LIVER: 76,
    case_columns.TUMORS: 142,
}
_CASE_WIDTH = 190
_PARTS: dict[str, Tone | None] = {
    "": None,
    "held out": "accent",
    "trained on": None,
    "left out": "muted",
}
_ON, _OFF = Qt.CheckState.Checked, Qt.CheckState.Unchecked


class CaseTable(QTreeWidget):
    """A row for each case. `checks_changed` is emitted when the reader takes or leaves out cases,
    `case_chosen` with the name of the selected one."""

    checks_changed = Signal()
    case_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[str, _Row] = {}
        self.setHeaderLabels(case_columns.COLUMNS)
        self.setRootIsDecorated(False)
        self.setIconSize(QSize(ICON_PX, ICON_PX))
        self.setUniformRowHeights(True)
        self.setAccessibleName("Labelled cases")
        self.setAllColumnsShowFocus(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setItemDelegate(ToneDelegate(self))
        self._shape_header()
        self.setSortingEnabled(True)
        self.sortByColumn(case_columns.CASE, Qt.SortOrder.AscendingOrder)
        self.itemChanged.connect(self._changed)
        self.currentItemChanged.connect(lambda *_: self.case_chosen.emit(self.chosen))

    def _shape_header(self) -> None:
        head = self.header()
        head.setStretchLastSection(True)
        head.setMinimumSectionSize(44)
        head.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.setColumnWidth(case_columns.CASE, _CASE_WIDTH)
        for column, width in _WIDTHS.items():
            self.setColumnWidth(column, width)
        for column, tip in case_columns.TIPS.items():
            self.headerItem().setToolTip(column, tip)
        self.setColumnHidden(case_columns.REVIEWED, True)  # until there is a study that may be

    @property
    def chosen(self) -> str:
        """The name of the current case, or nothing."""
        item = self.currentItem()
        return item.name if isinstance(item, _Row) else ""

    def title_of(self, name: str) -> str:
        """What the case `name` is called on the screen."""
        row = self._rows.get(name)
        return row.text(case_columns.CASE) if row is not None else name

    @property
    def left_out(self) -> set[str]:
        """The names of the cases that are not taken."""
        return {name for name, row in self._rows.items() if row.checkState(0) is not _ON}

    def add(self, case: ScannedCase, taken: bool, hide: bool) -> None:
        """A row for `case`, in its place; it takes that of an earlier one of the same name."""
        self.remove(case.name)
        row = _Row(case, case_columns.cells(case, len(self._rows) + 1 if hide else None))
        self._rows[case.name] = row
        row.setCheckState(0, _ON if taken else _OFF)
        if not case.usable:
            row.setFlags(row.flags() & ~Qt.ItemFlag.ItemIsUserCheckable)
            row.setToolTip(0, case.why_not or "It cannot be read, so it is left out.")
        self.addTopLevelItem(row)
        if case.study is not None:
            self.setColumnHidden(case_columns.REVIEWED, False)

    def remove(self, name: str) -> None:
        """Take the row of the case `name` away, if there is one."""
        row = self._rows.pop(name, None)
        if row is not None:
            self.takeTopLevelItem(self.indexOfTopLevelItem(row))

    def keep_only(self, names: Collection[str]) -> None:
        """Take away the rows of all other cases."""
        for name in [name for name in self._rows if name not in names]:
            self.remove(name)

    def show_parts(self, held_out: Collection[str] | None) -> None:
        """Show the part of each case; None where they are not split yet."""
        left_out = self.left_out
        self.blockSignals(True)
        for name, row in self._rows.items():
            row.show_part(_part(name, held_out, left_out))
        self.blockSignals(False)
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space takes or leaves out all that is selected."""
        row = self.currentItem()
        if event.key() != Qt.Key.Key_Space or not isinstance(row, _Row):
            super().keyPressEvent(event)
            return
        self._check(self._selected_with(row), row.checkState(0) is not _ON)
        self.checks_changed.emit()

    def _changed(self, item: QTreeWidgetItem, column: int) -> None:
        if column == case_columns.CASE and isinstance(item, _Row) and item.was_toggled():
            self._check(self._selected_with(item), item.checkState(0) is _ON)
            self.checks_changed.emit()

    def _selected_with(self, row: _Row) -> Sequence[_Row]:
        """All that is selected, where `row` is; else `row` alone."""
        selected = [item for item in self.selectedItems() if isinstance(item, _Row)]
        return selected if row in selected else [row]

    def _check(self, rows: Sequence[_Row], taken: bool) -> None:
        self.blockSignals(True)
        for row in rows:
            row.take(taken)
        self.blockSignals(False)


class _Row(QTreeWidgetItem):
    """A case in the table, sorted by what its cells mean."""

    def __init__(self, case: ScannedCase, row: dict[int, Cell]) -> None:
        super().__init__()
        self.name = case.name
        self._keys: dict[int, tuple[object, ...]] = {}
        for column, cell in row.items():
            self._fill(column, cell)
        self.setIcon(0, _icon(case.picture))
        self._taken = False

    def _fill(self, column: int, cell: Cell) -> None:
        self._keys[column] = cell.key
        self.setText(column, one_line(cell.text))
        self.setToolTip(column, printable(cell.tip))
        self.setData(column, TONE_ROLE, cell.tone)

    def setCheckState(self, column: int, state: Qt.CheckState) -> None:
        """As usual, and remember that it was not the reader who did it."""
        self._taken = state is _ON
        super().setCheckState(column, state)

    def was_toggled(self) -> bool:
        """Whether the reader has changed the check since it was last set or asked about."""
        before, self._taken = self._taken, self.checkState(0) is _ON
        return before != self._taken

    def take(self, taken: bool) -> None:
        """Take the case or leave it out, where that can be chosen."""
        if self.flags() & Qt.ItemFlag.ItemIsUserCheckable:
            self.setCheckState(0, _ON if taken else _OFF)

    def show_part(self, part: str) -> None:
        """Show the part of the case: trained on, held out or left out."""
        self._fill(case_columns.PART, Cell(part, (part,), _PARTS[part]))

    def __lt__(self, other: QTreeWidgetItem) -> bool:
        tree = self.treeWidget()
        column = tree.sortColumn() if tree is not None else 0
        if not isinstance(other, _Row):
            return False
        mine, theirs = self._keys.get(column, ()), other._keys.get(column, ())
        if mine == theirs:
            return natural(self.name) < natural(other.name)
        return _before(mine, theirs)


def _part(name: str, held_out: Collection[str] | None, left_out: Collection[str]) -> str:
    if name in left_out:
        return "left out"
    if held_out is None:
        return ""
    return "held out" if name in held_out else "trained on"


def _before(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    """Keys of one column are of one kind, or empty."""
    return bool(one < other)


def _icon(picture: NDArray[np.uint8] | None) -> QIcon:
    """The picture on a black square; an empty place where there is none."""
    side = ICON_PX * _FINEST
    square = QPixmap(side, side)
    square.fill(placeholder_color() if picture is None else QColor("black"))
    if picture is not None:
        rows, columns, _ = picture.shape
        image = QImage(picture.data, columns, rows, 3 * columns, QImage.Format.Format_RGB888)
        smooth = Qt.TransformationMode.SmoothTransformation
        scaled = image.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio, smooth)
        painter = QPainter(square)
        painter.drawImage((side - scaled.width()) // 2, (side - scaled.height()) // 2, scaled)
        painter.end()
    square.setDevicePixelRatio(_FINEST)
    icon = QIcon()
    # In all modes: Qt would make selected and disabled pictures of its own, tinted or faded.
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected, QIcon.Mode.Disabled):
        icon.addPixmap(square, mode)
    return icon
