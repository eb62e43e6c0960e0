"""The list of readings beside the views: a row each, with figures, place and text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from liverseg_gui.core.annotations import Annotation
from liverseg_gui.state.annotations import Annotations
from liverseg_gui.state.open_scan import OpenScan
from liverseg_gui.system.plain_text import one_line
from liverseg_gui.ui.annotations.texts import (
    EMPTY,
    measure_lines,
    place,
    short_measures,
    short_place,
)
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.severity import why_unreliable
from liverseg_gui.ui.widgets.theme import set_tone

_COLUMNS = ("#", "Name", "Slice", "Figures")
_NAME, _MEASURES = 1, 3
BUTTONS = ("delete_reading", "delete_readings", "undo", "redo")


class AnnotationsPanel(QWidget):
    """Follows `Annotations`. A chosen row asks to go to its reading, and to delete it, whatever
    the panes show; names can be edited."""

    requested = Signal(int)
    deletion_requested = Signal(int)

    def __init__(self, study: OpenScan, annotations: Annotations) -> None:
        super().__init__()
        self._study, self._annotations = study, annotations
        self._ids: list[int] = []
        self._filled: list[tuple[int, Annotation]] = []
        self._table = _Table()
        self._table.currentCellChanged.connect(self._ask)
        self._table.cellClicked.connect(self._ask)
        self._table.itemChanged.connect(self._rename)
        self._table.deletion_requested.connect(self._delete)
        self._empty = PlainLabel(EMPTY)
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        set_tone(self._empty, "muted")
        self._buttons = QGridLayout()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 4)
        layout.addWidget(self._empty, 1)
        layout.addWidget(self._table, 1)
        layout.addLayout(self._buttons)
        annotations.changed.connect(self.refresh)
        study.preview_changed.connect(self.refresh)
        self.refresh()

    def add_buttons(self, actions: Mapping[str, QAction]) -> None:
        """Buttons for the commands of this panel."""
        for at, key in enumerate(BUTTONS):
            call = self._delete if key == "delete_reading" else actions[key].trigger
            self._buttons.addWidget(_Button(actions[key], call), at // 2, at % 2)

    def refresh(self) -> None:
        """Show the readings of the open study; none while another one is read."""
        items = {} if self._study.preview is not None else self._annotations.items
        self._empty.setVisible(not items)
        self._table.setVisible(bool(items))
        self._table.blockSignals(True)
        if list(items.items()) != self._filled:
            self._filled, self._ids = list(items.items()), list(items)
            self._table.setRowCount(len(items))
            for row, (id_, annotation) in enumerate(items.items()):
                self._fill(row, id_, annotation)
        chosen = self._annotations.chosen
        row = self._ids.index(chosen) if chosen in self._ids else -1
        self._table.setCurrentCell(row, _NAME if row >= 0 else -1)
        self._table.blockSignals(False)

    def _fill(self, row: int, id_: int, annotation: Annotation) -> None:
        measures = self._annotations.figures(id_)
        lines = short_measures(measures) if measures is not None else ()
        reason = (
            "" if measures is None or measures.mm_reliable else why_unreliable(self._study.volume)
        )
        name = annotation.text or annotation.title
        cells = (f"{row + 1}", name, short_place(annotation), "\n".join(lines))
        for column, text in enumerate(cells):
            item = QTableWidgetItem(one_line(text) if column == _NAME else text)
            item.setToolTip(place(annotation))
            if column == _MEASURES:
                full = "\n".join(measure_lines(measures)) if measures is not None else ""
                item.setToolTip(f"{full}\nNot reliable: {reason}" if reason else full)
            if column == _NAME:
                item.setToolTip(f"{annotation.title}. Double click or Enter: another name")
            else:
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)
            self._table.setItem(row, column, item)

    def _ask(self, row: int, *_: int) -> None:
        if 0 <= row < len(self._ids):
            self.requested.emit(self._ids[row])

    def _delete(self) -> None:
        row = self._table.currentRow()
        if 0 <= row < len(self._ids):
            self.deletion_requested.emit(self._ids[row])

    def _rename(self, item: QTableWidgetItem) -> None:
        """Take a typed name; that of its kind, or none, is no name of its own."""
        id_ = self._ids[item.row()]
        text = item.text().strip()
        self._filled = []  # what was typed may not be what is shown
        self._annotations.set_text(id_, "" if text == self._annotations.items[id_].title else text)
        self.refresh()


class _Table(QTableWidget):
    """A row a reading; Enter edits its name, Del deletes it."""

    deletion_requested = Signal()

    def __init__(self) -> None:
        super().__init__(0, len(_COLUMNS))
        self.setHorizontalHeaderLabels(_COLUMNS)
        self.setAccessibleName("Readings")
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter edits the name, Del deletes the row's reading."""
        item = self.item(self.currentRow(), _NAME)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and item is not None:
            self.editItem(item)
        elif event.key() == Qt.Key.Key_Delete:
            self.deletion_requested.emit()
        else:
            super().keyPressEvent(event)


class _Button(QPushButton):
    """A button of a command: it can be used whenever the command can."""

    def __init__(self, action: QAction, call: Callable[[], object]) -> None:
        keys = action.shortcut().toString()
        super().__init__(action.text().replace("&", ""))
        self.setToolTip(f"{action.text()}  ({keys})" if keys else action.text())
        self.setEnabled(action.isEnabled())
        self.setAutoDefault(False)
        self.clicked.connect(lambda: call())
        action.enabledChanged.connect(self.setEnabled)
