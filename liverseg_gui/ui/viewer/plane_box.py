"""Mouse gestures of a plane: zoom and pan are done here, the others are passed on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, Signal

from liverseg_gui.state.view import Tool, ViewState
from liverseg_gui.ui.widgets.input_filters import Notches

_LEFT, _RIGHT, _MIDDLE = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.RightButton,
    Qt.MouseButton.MiddleButton,
)
_SHIFT, _CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
_FARTHEST, _CLOSEST = 0.05, 400.0
"""Screen pixels a mm, least and most: a slice is never lost from sight by zooming."""


class StrokePart(Enum):
    """Where a stroke of the left button is."""

    PRESS = "press"
    MOVE = "move"
    RELEASE = "release"


@dataclass(frozen=True)
class Stroke:
    """A left drag that draws or moves something: where it is and began, in mm of the plane."""

    part: StrokePart
    at: QPointF
    start: QPointF


class PlaneBox(pg.ViewBox):
    """A pyqtgraph view with a reader's gestures. Points are in mm of the plane.

    Left drags become strokes with a tool that draws, or where `taker` says that what lies at their
    start (a handle) takes them. `clicked` tells of every left click, and whether it is a double
    one, before anything else is done about it; `click_taker` may keep it.
    """

    scrolled = Signal(int)
    pointed = Signal(QPointF)
    window_dragged = Signal(float, float)
    maximize_requested = Signal()
    hovered = Signal(object)
    zoomed = Signal(float)
    panned = Signal(float, float)
    stroke = Signal(object)
    clicked = Signal(QPointF, bool)

    def __init__(self, view: ViewState) -> None:
        super().__init__(lockAspect=1.0, invertY=True, enableMenu=False)
        self._view = view
        self._notches = Notches()
        self._drag: Callable[[Any], None] | None = None
        self.taker: Callable[[QPointF], bool] = lambda _: False
        self.click_taker: Callable[[QPointF], bool] = lambda _: False
        self.disableAutoRange()
        self.setAcceptHoverEvents(True)

    @property
    def px_per_mm(self) -> float:
        """How large a mm of the plane is on the screen, in device-independent pixels."""
        width = self.viewRect().width()
        return float(self.width() / width) if width > 0 else 1.0

    def zoom_by(self, factor: float, about: QPointF | None = None) -> None:
        """Magnify by `factor`, within what makes sense, about a point (else the middle)."""
        now = self.px_per_mm
        factor = min(max(now * factor, _FARTHEST), _CLOSEST) / now
        center = about if about is not None else self.viewRect().center()
        self.scaleBy((1 / factor, 1 / factor), center=center)

    def look_at(self, middle: QPointF, px_per_mm: float | None = None) -> None:
        """Bring a point to the middle, at the present or another magnification."""
        scale = px_per_mm or self.px_per_mm
        width, height = self.width() / scale, self.height() / scale
        corner = QPointF(middle.x() - width / 2, middle.y() - height / 2)
        self.setRange(QRectF(corner.x(), corner.y(), width, height), padding=0)

    def wheelEvent(self, event: Any, axis: int | None = None) -> None:
        """Wheel: one slice a notch, away from the reader is up; with Ctrl: zoom at the cursor."""
        event.accept()
        if event.modifiers() & _CTRL:
            # a notch is 120: 13 percent
            self._zoom(1.001 ** event.delta(), self.mapToView(event.pos()))
            return
        notches = self._notches.turned(event.delta())
        if notches:
            self.scrolled.emit(notches)

    def mouseClickEvent(self, event: Any) -> None:
        """Click: crosshair; double click: maximise; with a tool that draws, only told."""
        if event.button() != _LEFT:
            return
        event.accept()
        at = self.mapToView(event.pos())
        kept = self._view.tool.draws or self.click_taker(at)
        self.clicked.emit(at, event.double())
        if kept:
            return
        if event.double():
            self.maximize_requested.emit()
        else:
            self.pointed.emit(at)

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        """Left: the tool; right: zoom; middle or Shift + left: pan. What a drag does is settled
        where it begins."""
        event.accept()
        if event.isStart() or self._drag is None:
            self._drag = self._chosen_drag(event)
        if self._drag is not None:
            self._drag(event)
        if event.isFinish():
            self._drag = None

    def _chosen_drag(self, event: Any) -> Callable[[Any], None] | None:
        button, shift = event.button(), bool(event.modifiers() & _SHIFT)
        if button == _MIDDLE or (button == _LEFT and shift):
            return self._drag_pan
        if button == _RIGHT:
            return self._drag_zoom
        if button != _LEFT:
            return None
        if self._view.tool.draws or self.taker(self.mapToView(event.buttonDownPos())):
            return self._drag_stroke
        if self._view.dragging is Tool.WINDOW:
            return self._drag_window
        return self._drag_point

    def _drag_pan(self, event: Any) -> None:
        moved = self.mapToView(event.lastPos()) - self.mapToView(event.pos())
        self.translateBy(x=moved.x(), y=moved.y())
        self.panned.emit(moved.x(), moved.y())

    def _drag_zoom(self, event: Any) -> None:
        down = (event.pos() - event.lastPos()).y()
        self._zoom(1.005**-down, self.mapToView(event.buttonDownPos()))

    def _drag_stroke(self, event: Any) -> None:
        start = self.mapToView(event.buttonDownPos())
        if event.isStart():
            self.stroke.emit(Stroke(StrokePart.PRESS, start, start))
        part = StrokePart.RELEASE if event.isFinish() else StrokePart.MOVE
        self.stroke.emit(Stroke(part, self.mapToView(event.pos()), start))

    def _drag_window(self, event: Any) -> None:
        moved = event.pos() - event.lastPos()
        self.window_dragged.emit(moved.x(), moved.y())

    def _drag_point(self, event: Any) -> None:
        self.pointed.emit(self.mapToView(event.pos()))

    def _zoom(self, factor: float, about: QPointF) -> None:
        self.zoom_by(factor, about)
        self.zoomed.emit(self.px_per_mm)

    def hoverEvent(self, event: Any) -> None:
        """Tell what lies under the cursor, None when it leaves; with Shift: crosshair there."""
        if event.isExit():
            self.hovered.emit(None)
            return
        at = self.mapToView(event.pos())
        self.hovered.emit(at)
        if event.modifiers() & _SHIFT and not event.buttons():
            self.pointed.emit(at)
