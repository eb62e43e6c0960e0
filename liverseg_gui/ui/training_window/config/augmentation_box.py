"""The random changes that a training makes to its slices, as sliders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLabel, QSlider, QVBoxLayout, QWidget

from liverseg_gui.ui.training_window.config.augmentation_rows import (
    CHANGES,
    PAINTED,
    ChangeRow,
    with_change,
)
from liverseg_gui.ui.widgets.theme import set_tone
from training.config.augmentation_config import Augmentation
from training.config.synthetic import SyntheticTumors


class AugmentationBox(QWidget):
    """`augmentation` and `synthetic` are what the sliders say; `changed` follows every move."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._augmentation, self._synthetic = Augmentation(), SyntheticTumors()
        self.sliders: dict[ChangeRow, QSlider] = {}
        self._numbers: dict[ChangeRow, QLabel] = {}
        self.paint = QCheckBox("Paint synthetic tumors")
        self.paint.setToolTip("Real tumors are few: the model learns from painted ones, too")
        self.paint.toggled.connect(self._painting)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 0, 0, 0)
        layout.addLayout(self._grid(CHANGES))
        layout.addWidget(self.paint)
        self._painted = QWidget()
        self._painted.setLayout(self._grid(PAINTED))
        layout.addWidget(self._painted)
        self.show_values(self._augmentation, self._synthetic)

    @property
    def augmentation(self) -> Augmentation:
        """The changes that are chosen."""
        return self._augmentation

    @property
    def synthetic(self) -> SyntheticTumors | None:
        """The tumors that are painted, or None."""
        return self._synthetic if self.paint.isChecked() else None

    def show_values(self, augmentation: Augmentation, synthetic: SyntheticTumors | None) -> None:
        """Show these, without a signal."""
        self._augmentation, self._synthetic = augmentation, synthetic or SyntheticTumors()
        self.paint.blockSignals(True)
        self.paint.setChecked(synthetic is not None)
        self.paint.blockSignals(False)
        self._painted.setEnabled(synthetic is not None)
        for row, slider in self.sliders.items():
            value = row.of(self._of(row))
            slider.blockSignals(True)
            slider.setValue(round((value - row.low) / row.step))
            slider.blockSignals(False)
            self._numbers[row].setText(row.words(value))

    def _of(self, row: ChangeRow) -> Augmentation | SyntheticTumors:
        return self._synthetic if row.painted else self._augmentation

    def _grid(self, rows: Sequence[ChangeRow]) -> QGridLayout:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(2, 52)
        for at, row in enumerate(rows):
            label, slider, number = QLabel(row.label), _slider(row), QLabel()
            label.setToolTip(row.tip)
            label.setBuddy(slider)
            set_tone(number, "muted")
            slider.valueChanged.connect(lambda n, of=row: self._move(of, n))
            self.sliders[row], self._numbers[row] = slider, number
            for column, widget in enumerate((label, slider, number)):
                grid.addWidget(widget, at, column)
        return grid

    def _move(self, row: ChangeRow, at: int) -> None:
        value = round(row.low + at * row.step, 6)
        changed = with_change(self._of(row), row, value)
        if row.painted:
            self._synthetic = cast(SyntheticTumors, changed)
        else:
            self._augmentation = cast(Augmentation, changed)
        self._numbers[row].setText(row.words(value))
        self.changed.emit()

    def _painting(self, on: bool) -> None:
        self._painted.setEnabled(on)
        self.changed.emit()


class _Slider(QSlider):
    """Turned by the wheel only while it has the keyboard: else the page scrolls."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """See above."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


def _slider(row: ChangeRow) -> QSlider:
    slider = _Slider()
    slider.setRange(0, round((row.high - row.low) / row.step))
    slider.setPageStep(max(slider.maximum() // 10, 1))
    slider.setToolTip(row.tip)
    slider.setAccessibleName(row.label)
    slider.setAccessibleDescription(row.tip)
    return slider
