"""One training setting linked to its input widget."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QWidget

from liverseg_gui.ui.training_window.config.form_rows import ConfigRow
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.number_box import NumberBox


class LinkedSetting(QObject):
    """Shows a value and gives it back to the last digit, unless the reader changed it."""

    changed = Signal()

    def __init__(self, row: ConfigRow) -> None:
        super().__init__()
        self.row = row
        self.box: NumberBox | QComboBox = _combo(row) if row.choices else _number(row)
        self.box.setToolTip(row.tip)
        self.box.setAccessibleName(row.label)
        self.box.setAccessibleDescription(row.tip)
        self._given: Any = None
        self._shown: Any = self._read()
        if isinstance(self.box, NumberBox):
            self.box.valueChanged.connect(lambda _: self.changed.emit())
        else:
            self.box.currentIndexChanged.connect(lambda _: self.changed.emit())

    def value(self) -> Any:
        """The value that is set now."""
        now = self._read()
        return self._given if self._given is not None and now == self._shown else now

    def show_value(self, value: Any) -> None:
        """Show `value`, without a signal."""
        self.box.blockSignals(True)
        if isinstance(self.box, NumberBox):
            self.box.setValue(value)
        else:
            self.box.setCurrentIndex(self.box.findData(value))
        self.box.blockSignals(False)
        self._given, self._shown = value, self._read()

    def choose(self, value: Any) -> None:
        """Take `value` as if the reader had chosen it."""
        if value != self.value():
            self.show_value(value)
            self.changed.emit()

    def add_to(self, form: QFormLayout, beside: QWidget | None = None) -> None:
        """A line of `form`, perhaps with something beside the box."""
        label = PlainLabel(self.row.label)
        label.setToolTip(self.row.tip)
        label.setBuddy(self.box)
        if beside is None:
            form.addRow(label, self.box)
            return
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        line.addWidget(self.box, 1)
        line.addWidget(beside)
        form.addRow(label, line)

    def _read(self) -> Any:
        if isinstance(self.box, QComboBox):
            return self.box.currentData()
        return int(self.box.typed) if self.row.whole else self.box.typed


def disable_choices(box: QComboBox, problems: dict[str, str]) -> None:
    """Grey out the items of `box` for which there is a problem, which their tool tip says."""
    for at in range(box.count()):
        problem = problems.get(box.itemData(at) or "", "")
        item = box.model().item(at)  # type: ignore[attr-defined]
        item.setEnabled(not problem)
        if problem:
            box.setItemData(at, problem, Qt.ItemDataRole.ToolTipRole)


def _number(row: ConfigRow) -> NumberBox:
    return NumberBox(row.low, row.high, row.step, row.whole, row.zero)


def _combo(row: ConfigRow) -> QComboBox:
    box = QComboBox()
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(22)
    for at, (key, text) in enumerate(row.choices.items()):
        box.addItem(text[:1].upper() + text[1:], key)
        box.setItemData(at, text, Qt.ItemDataRole.ToolTipRole)
    return box
