"""The loss at each learning rate, on a logarithmic axis; a click chooses a rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from liverseg_gui.ui.training_window.widgets.schedule_plot import bare_plot, color_plot
from liverseg_gui.ui.widgets.theme import tone_color

_STEP = {Qt.Key.Key_Left: -0.05, Qt.Key.Key_Right: 0.05}
"""In decades."""


class RatePlot(QWidget):
    """`rate` is what is chosen, at first the suggestion; `chosen` tells of another."""

    chosen = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self.rate = 0.0
        self.plot = bare_plot("Learning rate", "Loss")
        self.plot.setLogMode(x=True, y=False)
        self.curve = self.plot.plot(antialias=True)
        self.suggestion = pg.InfiniteLine(label="suggested", labelOpts={"position": 0.92})
        self.line = pg.InfiniteLine(label="chosen", labelOpts={"position": 0.08})
        self._lines = (self.suggestion, self.line)
        self.suggestion.setZValue(self.line.zValue() + 1)  # its word lies over the other line
        for line in self._lines:
            line.hide()
            self.plot.addItem(line)
        self.plot.scene().sigMouseClicked.connect(self._clicked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.plot.plotItem.layout.setContentsMargins(4, 10, 12, 2)
        layout.addWidget(self.plot)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Loss at each learning rate")
        self.setToolTip("Click where the loss falls steadily; the arrow keys move the choice")

    def show_curve(self, rates: Sequence[float], losses: Sequence[float], suggested: float) -> None:
        """Draw the curve and choose what is suggested."""
        self.curve.setData(np.asarray(rates), np.asarray(losses))
        self._paint()
        self.suggestion.setPos(math.log10(suggested))
        self.suggestion.show()
        self.choose(suggested)

    def choose(self, rate: float) -> None:
        """Mark `rate`, within the curve, as the one that is chosen."""
        rates = self.curve.getOriginalDataset()[0]
        self.rate = float(np.clip(rate, rates.min(), rates.max()))
        self.line.setPos(math.log10(self.rate))
        self.line.setVisible(not math.isclose(self.line.value(), self.suggestion.value()))
        self.setAccessibleDescription(f"Chosen: {self.rate:.2g}")
        self.chosen.emit(self.rate)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right move the choice by a twentieth of a decade."""
        step = _STEP.get(Qt.Key(event.key()))
        if step is None or not self.rate:
            super().keyPressEvent(event)
        else:
            self.choose(self.rate * 10**step)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "line"):
            color_plot(self.plot)
            self._paint()

    def _paint(self) -> None:
        self.curve.setPen(pg.mkPen(tone_color("accent"), width=2))
        colors = (tone_color("good"), tone_color("warning"))
        for line, color in zip(self._lines, colors, strict=True):
            line.setPen(pg.mkPen(color, width=2))
            line.label.setColor(color)
            line.label.fill = pg.mkBrush(self.palette().base().color())

    def _clicked(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.suggestion.isVisible():
            self.choose(10 ** self.plot.plotItem.vb.mapSceneToView(event.scenePos()).x())
