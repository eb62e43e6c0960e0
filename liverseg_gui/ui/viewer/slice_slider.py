"""Slider and number of a plane's slice."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QSlider, QWidget

from liverseg_gui.ui.widgets.input_filters import Notches, NumberKeys
from liverseg_gui.ui.widgets.number_box import NumberBox

_PAGE = 10


class SliceSlider(QWidget):
    """`requested` tells the slice that was chosen, `scrolled` notches of the wheel, `done` that the
    keys belong to the plane again."""

    requested = Signal(int)
    scrolled = Signal(int)
    done = Signal()

    def __init__(self, plane: str) -> None:
        super().__init__()
        self._notches = Notches()
        self.slider = _Slider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(f"{plane} slice")
        self.slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.slider.setPageStep(_PAGE)
        self.slider.valueChanged.connect(self.requested)
        self.number = NumberBox(1, 1, step=1, whole=True, nearest=True)
        self.number.setAccessibleName(f"{plane} slice number")
        self.number.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.number.setButtonSymbols(NumberBox.ButtonSymbols.NoButtons)
        self.number.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.number.setToolTip("Number of the slice: type one and press Enter")
        self.number.valueChanged.connect(lambda number: self.requested.emit(int(number) - 1))
        NumberKeys(self.number).done.connect(self.done)
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 0, 2, 0)
        row.setSpacing(4)
        row.addWidget(self.slider, 1)
        row.addWidget(self.number)
        self.hide()

    def show_count(self, count: int) -> None:
        """There are `count` slices; of a single one nothing is shown."""
        for widget, first in ((self.slider, 0), (self.number, 1)):
            widget.blockSignals(True)
            widget.setRange(first, first + count - 1)
            widget.blockSignals(False)
        self.number.setSuffix(f" / {count}")
        self.setVisible(count > 1)

    def show_slice(self, index: int) -> None:
        """Slice `index`, from 0, is shown; what is being typed stays."""
        for widget, value in ((self.slider, index), (self.number, index + 1)):
            if widget.value() != value:
                widget.blockSignals(True)
                widget.setValue(value)
                widget.blockSignals(False)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """As over the slice: one slice a notch."""
        self.scrolled.emit(self._notches.turned(event.angleDelta().y()))
        event.accept()


class _Slider(QSlider):
    """Leaves the wheel to the row: by itself it would move three slices a notch."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Not here."""
        event.ignore()
