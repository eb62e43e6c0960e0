"""Mouse gestures as Qt sends them, and what window/level tests look at."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from liverseg_gui.core.window_level import Window
from liverseg_gui.ui.panels.histogram_plot import HistogramPlot
from liverseg_gui.ui.panels.window_level_panel import WindowLevelPanel
from tests.ui.conftest import Desk

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
SHIFT, PLAIN = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.NoModifier


def panel(desk: Desk) -> WindowLevelPanel:
    return desk.window.window_panel


def now(desk: Desk) -> Window:
    return desk.window.view_state.window


def send(
    widget: QWidget,
    kind: QEvent.Type,
    at: QPoint,
    held: Qt.MouseButton,
    keys: Qt.KeyboardModifier = PLAIN,
) -> None:
    button = NONE if kind is QEvent.Type.MouseMove else LEFT
    place = QPointF(widget.mapToGlobal(at))
    QApplication.sendEvent(widget, QMouseEvent(kind, QPointF(at), place, button, held, keys))


def drag(
    widget: QWidget, start: QPoint, by_px: int, keys: Qt.KeyboardModifier = PLAIN, moves: int = 4
) -> None:
    send(widget, QEvent.Type.MouseButtonPress, start, LEFT, keys)
    for n in range(1, moves + 1):
        at = start + QPoint(by_px * n // moves, 0)
        send(widget, QEvent.Type.MouseMove, at, LEFT, keys)
    send(widget, QEvent.Type.MouseButtonRelease, start + QPoint(by_px, 0), NONE, keys)


def turn(widget: QWidget, notches: int) -> None:
    middle = QPointF(widget.rect().center())
    event = QWheelEvent(
        middle,
        widget.mapToGlobal(middle),
        QPoint(0, 0),
        QPoint(0, 120 * notches),
        NONE,
        PLAIN,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def at_hu(plot: HistogramPlot, hu: float) -> QPoint:
    return QPoint(round(plot.x_of(hu)), 30)


def hu_a_px(plot: HistogramPlot) -> float:
    low, high = plot.range_hu
    return (high - low) / plot.width()
