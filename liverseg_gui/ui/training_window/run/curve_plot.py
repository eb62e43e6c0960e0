"""Plot of one metric, or two that belong together, over the epochs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from liverseg_gui.ui.training_window.process.run_progress import RunStep
from liverseg_gui.ui.training_window.widgets.schedule_plot import bare_plot, color_plot
from liverseg_gui.ui.widgets.labels import RichLabel
from liverseg_gui.ui.widgets.theme import tone_color
from training.runs.epoch_log import EpochResult

_AXIS_PX = 56
"""As wide for all plots, so that their epochs are above each other."""
_WIDTH_PX, _HEIGHT_PX = 200, 96


@dataclass(frozen=True)
class Series:
    """A curve: its name, its value in an epoch, and its color in the present theme."""

    name: str
    value: Callable[[EpochResult], float]
    color: Callable[[], QColor]


class CurvePlot(QWidget):
    """Curves with their values in the heading. `pointed` carries the epoch (from 1) beneath the
    mouse, or None when that leaves.

    `note` stands behind the values; the axis begins at the lowest value, or `from_zero`.
    """

    pointed = Signal(object)

    def __init__(
        self,
        title: str,
        series: Sequence[Series],
        pattern: str,
        note: str = "",
        from_zero: bool = False,
    ) -> None:
        super().__init__()
        self._title, self._series, self._pattern = title, series, pattern
        self._note, self._from_zero = note, from_zero
        self._steps: tuple[RunStep, ...] = ()
        self._pointed: int | None = None
        self._marks: list[pg.InfiniteLine] = []
        self.heading = RichLabel()
        self.heading.setWordWrap(True)
        self.heading.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.plot = bare_plot("", "")
        for side in ("left", "bottom"):
            self.plot.showLabel(side, False)
        self.plot.getAxis("left").setWidth(_AXIS_PX)
        self.plot.setMinimumSize(_WIDTH_PX, _HEIGHT_PX)
        self.plot.plotItem.layout.setContentsMargins(0, 4, 10, 0)
        self.curves = [self.plot.plot(symbolSize=5, antialias=True) for _ in series]
        self.pointer = pg.InfiniteLine()
        self.pointer.hide()
        self.plot.addItem(self.pointer, ignoreBounds=True)
        self.plot.scene().sigMouseMoved.connect(self._moved)
        self.plot.installEventFilter(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.heading)
        layout.addWidget(self.plot, 1)
        self.setAccessibleName(title)
        self._paint()
        self.read(None)

    def show_steps(
        self, steps: Sequence[RunStep], stage_starts: Sequence[tuple[str, int]], epochs: int
    ) -> None:
        """Draw the epochs that are done, of so many; a line stands where each stage begins."""
        self._steps = tuple(steps)
        at = np.array([step.at for step in steps], float)
        for curve, series in zip(self.curves, self._series, strict=True):
            curve.setData(at, np.array([series.value(step.result) for step in steps], float))
        self._mark(stage_starts)
        self.plot.setXRange(0.5, max(epochs, int(at.max(initial=1.0)), 2) + 0.5, padding=0)
        self._fit()
        self.read(self._pointed)

    def read(self, at: int | None) -> None:
        """Write the values of the epoch `at` in the heading; those of the last where it is None,
        or has not been done yet."""
        self._pointed = at
        step = next((step for step in self._steps if step.at == at), None)
        self.pointer.setVisible(step is not None)
        if step is not None:
            self.pointer.setPos(step.at)
        self._write(step or (self._steps[-1] if self._steps else None))

    def _write(self, step: RunStep | None) -> None:
        parts = [f"<b>{self._title}</b>"]
        plain = [self._title]
        for series in self._series:
            value = "" if step is None else self._pattern.format(series.value(step.result))
            value_text = f"{series.name} {value}".strip()
            parts.append(f'<span style="color:{series.color().name()}">{value_text}</span>')
            plain.append(value_text)
        if step is not None:
            if step.at == self._pointed:  # otherwise it is the last, and there is little room
                parts.append(f"epoch {step.at}")
            plain.append(f"epoch {step.at}")
        if self._note:
            parts.append(f'<span style="color:{tone_color("muted").name()}">{self._note}</span>')
        self.heading.setText("&nbsp;&nbsp; ".join(parts))
        self.setAccessibleDescription(", ".join(plain))

    def _fit(self) -> None:
        """From the lowest value to the highest, with room for the names of stages above them."""
        values = [s.value(step.result) for s in self._series for step in self._steps]
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        low = 0.0 if self._from_zero else low
        span = max(high - low, abs(high) * 0.02, 1e-9)
        self.plot.setYRange(max(low - 0.1 * span, 0.0), high + 0.3 * span, padding=0)

    def _mark(self, stage_starts: Sequence[tuple[str, int]]) -> None:
        for mark in self._marks:
            self.plot.removeItem(mark)
        self._marks = []
        for name, before in stage_starts:
            if not before:
                continue
            options = {"position": 0.92, "anchors": [(0, 0.5), (0, 0.5)]}
            mark = pg.InfiniteLine(before + 0.5, label=name, labelOpts=options)
            self.plot.addItem(mark, ignoreBounds=True)
            self._marks.append(mark)
        self._paint()

    def _paint(self) -> None:
        for curve, series in zip(self.curves, self._series, strict=True):
            curve.setPen(pg.mkPen(series.color(), width=2))
            curve.setSymbol("o")
            curve.setSymbolPen(None)
            curve.setSymbolBrush(series.color())
        self.pointer.setPen(pg.mkPen(self.palette().text().color(), width=1))
        for mark in self._marks:
            mark.setPen(pg.mkPen(tone_color("muted"), width=1, style=Qt.PenStyle.DashLine))
            mark.label.setColor(tone_color("muted"))

    def _moved(self, place: Any) -> None:
        box = self.plot.plotItem.vb
        if box.sceneBoundingRect().contains(place):
            self.pointed.emit(max(round(box.mapSceneToView(place).x()), 1))
        else:
            self.pointed.emit(None)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The mouse leaves the plot."""
        if event.type() is QEvent.Type.Leave:
            self.pointed.emit(None)
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "pointer"):
            color_plot(self.plot)
            self._paint()
            self.read(self._pointed)
