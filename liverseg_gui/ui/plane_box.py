"""Mouse gestures of a plane, told apart and passed on; zoom and pan are done here."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal

from liverseg_gui.state.view import Tool, ViewState

_LEFT, _RIGHT, _MIDDLE = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.RightButton,
    Qt.MouseButton.MiddleButton,
)
_SHIFT, _CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


class PlaneBox(pg.ViewBox):
    """A pyqtgraph view with a reader's gestures. Points are in mm of the plane."""

    scrolled = Signal(int)
    pointed = Signal(QPointF)
    window_dragged = Signal(float, float)
    maximize_asked = Signal()
    hovered = Signal(object)

    def __init__(self, view: ViewState) -> None:
        super().__init__(lockAspect=1.0, invertY=True, enableMenu=False)
        self._view = view
        self._wheel = 0
        self.disableAutoRange()
        self.setAcceptHoverEvents(True)

    def wheelEvent(self, event: Any, axis: int | None = None) -> None:
        """Wheel: one slice a notch, away from the reader is up; with Ctrl: zoom at the cursor."""
        event.accept()
        if event.modifiers() & _CTRL:
            factor = 0.999 ** event.delta()
            self.scaleBy((factor, factor), center=self.mapToView(event.pos()))
            return
        self._wheel += event.delta()
        notches, self._wheel = int(self._wheel / 120), self._wheel - int(self._wheel / 120) * 120
        if notches:
            self.scrolled.emit(notches)

    def mouseClickEvent(self, event: Any) -> None:
        """Click: crosshair; double click: maximise."""
        if event.button() != _LEFT:
            return
        event.accept()
        if event.double():
            self.maximize_asked.emit()
        else:
            self.pointed.emit(self.mapToView(event.pos()))

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        """Left: the tool; right: zoom; middle or Shift + left: pan."""
        event.accept()
        button, shift = event.button(), bool(event.modifiers() & _SHIFT)
        moved = event.pos() - event.lastPos()
        if button == _MIDDLE or (button == _LEFT and shift):
            there = self.mapToView(event.lastPos()) - self.mapToView(event.pos())
            self.translateBy(x=there.x(), y=there.y())
        elif button == _RIGHT:
            factor = 1.005 ** moved.y()
            self.scaleBy((factor, factor), center=self.mapToView(event.buttonDownPos()))
        elif button == _LEFT and self._view.dragging is Tool.WINDOW:
            self.window_dragged.emit(moved.x(), moved.y())
        elif button == _LEFT:
            self.pointed.emit(self.mapToView(event.pos()))

    def hoverEvent(self, event: Any) -> None:
        """Tell what lies under the cursor; None when it leaves."""
        self.hovered.emit(None if event.isExit() else self.mapToView(event.pos()))
