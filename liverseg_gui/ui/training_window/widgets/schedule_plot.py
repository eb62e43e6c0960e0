"""Plot of the learning rate schedule over the whole training."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QVBoxLayout, QWidget

from liverseg_gui.ui.widgets.theme import tone_color
from training.config.schedule import planned_rates, training_stages
from training.config.train_config import TrainConfig

_BATCHES = 60
"""Points to an epoch: enough for a smooth curve."""


class SchedulePlot(QWidget):
    """Epochs along, the rate upwards; a line between stages, each with its name."""

    def __init__(self) -> None:
        super().__init__()
        self.plot = bare_plot("Epoch", "Learning rate")
        self.curve = self.plot.plot(antialias=True)
        self._marks: list[pg.InfiniteLine] = []
        self._config: TrainConfig | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.plot.plotItem.layout.setContentsMargins(4, 10, 12, 2)
        self.setMinimumHeight(150)
        layout.addWidget(self.plot)
        self.setAccessibleName("Schedule of the learning rate")
        self.setToolTip("The size of the learning steps, from the first to the last epoch")

    def show_config(self, config: TrainConfig) -> None:
        """Draw the schedule of `config`."""
        self._config = config
        rates = planned_rates(config, _BATCHES)
        self.curve.setData(np.arange(len(rates)) / _BATCHES, rates)
        self.curve.setPen(pg.mkPen(tone_color("accent"), width=2))
        self._mark(config)
        self.plot.setXRange(0, max(len(rates) / _BATCHES, 1), padding=0.02)
        self.plot.setYRange(0, max(float(rates.max(initial=0.0)), 1e-9) * 1.25, padding=0)
        names = ", then ".join(f"{c.name} for {c.epochs}" for c in training_stages(config))
        self.setAccessibleDescription(f"{names} epochs")

    def _mark(self, config: TrainConfig) -> None:
        for mark in self._marks:
            self.plot.removeItem(mark)
        self._marks, start = [], 0
        for stage in training_stages(config):
            mark = pg.InfiniteLine(
                start,
                label=stage.name,
                labelOpts={"position": 0.94, "anchors": [(0, 0.5), (0, 0.5)]},
            )
            mark.setPen(pg.mkPen(tone_color("muted"), width=1))
            mark.label.setColor(tone_color("muted"))
            self.plot.addItem(mark)
            self._marks.append(mark)
            start += stage.epochs

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "plot"):
            color_plot(self.plot)
            if self._config is not None:
                self.show_config(self._config)


def bare_plot(along: str, upwards: str) -> pg.PlotWidget:
    """A plot that is read and not moved, in the colors of the theme."""
    plot = pg.PlotWidget()
    plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # there is nothing to do in it by keyboard
    plot.setMenuEnabled(False)
    plot.setMouseEnabled(False, False)
    plot.hideButtons()
    plot.setLabel("bottom", along)
    plot.setLabel("left", upwards)
    plot.getAxis("left").enableAutoSIPrefix(False)  # rates as they are, not "2 (x0.001)"
    plot.setAntialiasing(True)
    color_plot(plot)
    return plot


def color_plot(plot: pg.PlotWidget) -> None:
    """Take the background and axes from the present palette."""
    palette = plot.palette()
    plot.setBackground(palette.color(QPalette.ColorRole.Base))
    text = palette.color(QPalette.ColorRole.Text)
    for side in ("left", "bottom"):
        plot.getAxis(side).setPen(tone_color("muted"))
        plot.getAxis(side).setTextPen(text)
