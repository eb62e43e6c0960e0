"""The histogram of the scan with the window on it as a band that can be dragged."""

from __future__ import annotations

import math
from enum import Enum

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QPixmap,
    QPolygonF,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from liverseg_gui.core.histogram import HIGHEST_HU, LOWEST_HU, Histogram
from liverseg_gui.core.window_level import Window
from liverseg_gui.ui.widgets.input_filters import Notches

_WIDTHS, _LEAST_HU = 3.0, 240.0
_SMALLEST, _LARGEST = 0.12, 0.8
_LABEL_PX = 48
_KEYS = Qt.Key
_STEPS = {_KEYS.Key_Left: -1, _KEYS.Key_Down: -1, _KEYS.Key_Right: 1, _KEYS.Key_Up: 1}
_SHIFT, _KEYPAD = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.KeypadModifier
_REACH_PX = 6
_RAMP_PX, _AXIS_PX = 5, 15
_WIDER = 1.1
_ROLE = QPalette.ColorRole
_TIP = (
    "Drag the band: center\nDrag an edge: width (with Shift: this edge alone)\nWheel: width\n"
    "Double click: auto\nArrow keys: center; with Shift: width"
)


def fitting_range(window: Window, now: tuple[float, float] | None) -> tuple[float, float]:
    """The lowest and highest HU to show: `now`, while the window is easily seen and held there.

    Otherwise three times the width, at least 240 HU, shifted so that HU no CT has take no room.
    """
    if now is not None:
        low, high = now
        share = window.width / (high - low)
        inside = low < window.low and window.high < high
        wide_enough = share > _SMALLEST or high - low <= _LEAST_HU
        if inside and wide_enough and share < _LARGEST:
            return now
    span = max(_WIDTHS * window.width, _LEAST_HU)
    low = window.center - span / 2
    spare = window.width / 8
    low = max(low, min(LOWEST_HU, window.low - spare))
    high = min(low + span, max(HIGHEST_HU, window.high + spare))
    return low, high


def ticks(low_hu: float, high_hu: float, width_px: int) -> list[int]:
    """Round HU to write below an axis of `width_px`, so that their figures do not touch."""
    least = (high_hu - low_hu) * _LABEL_PX / max(width_px, 1)
    power = 10 ** math.floor(math.log10(max(least, 1)))
    step = next(int(power * n) for n in (1, 2, 5, 10) if power * n >= least or n == 10)
    first = math.ceil(low_hu / step) * step
    return list(range(first, math.floor(high_hu) + 1, step))


class Grip(Enum):
    """What of the band is dragged."""

    BAND = "band"
    LOW = "low edge"
    HIGH = "high edge"


class HistogramPlot(QWidget):
    """Draws what it is given; `window_set` tells the window that the reader asks for."""

    window_set = Signal(object)
    auto_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._histogram: Histogram | None = None
        self._window, self._inverted = Window(400, 40), False
        self._range = fitting_range(self._window, None)
        self._picture: QPixmap | None = None
        self._pictured: tuple[object, ...] = ()
        self._grip: Grip | None = None
        self._start_x, self._start = 0.0, self._window
        self._notches = Notches()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(_TIP)
        self.setAccessibleName("Histogram with the window")
        self._describe()

    def sizeHint(self) -> QSize:
        """Low, for there is more on the panel."""
        return QSize(240, 104)

    @property
    def range_hu(self) -> tuple[float, float]:
        """The HU at the left and right end."""
        return self._range

    def show_histogram(self, histogram: Histogram | None) -> None:
        """Draw the histogram of another scan, or none."""
        self._histogram = histogram
        self.setEnabled(histogram is not None)
        self.update()

    def show_window(self, window: Window, inverted: bool) -> None:
        """Draw the band there. What is seen of the HU stays where it can, and during a drag."""
        self._window, self._inverted = window, inverted
        if self._grip is None:
            self._range = fitting_range(window, self._range)
        self._describe()
        self.update()

    def x_of(self, hu: float) -> float:
        """Where a HU is drawn."""
        low, high = self._range
        return (hu - low) / (high - low) * self.width()

    def _hu_a_px(self) -> float:
        low, high = self._range
        return (high - low) / max(self.width(), 1)

    def _describe(self) -> None:
        window = self._window
        self.setAccessibleDescription(f"Width {window.width:.0f}, center {window.center:.0f} HU")

    def _grip_at(self, x: float) -> Grip | None:
        low, high = self.x_of(self._window.low), self.x_of(self._window.high)
        middle = (low + high) / 2
        near = {Grip.LOW: abs(x - low), Grip.HIGH: abs(x - high), Grip.BAND: abs(x - middle)}
        grip = min(near, key=lambda each: near[each])
        if near[grip] <= _REACH_PX:
            return grip
        return Grip.BAND if low < x < high else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of what lies under the cursor."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._start_x, self._start = event.position().x(), self._window
            self._grip = self._grip_at(self._start_x)
            self._show_cursor(self._grip, True)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag, or show what could be dragged."""
        x = event.position().x()
        if not event.buttons() & Qt.MouseButton.LeftButton:
            self._show_cursor(self._grip_at(x), False)
        elif self._grip is not None:
            moved_hu = (x - self._start_x) * self._hu_a_px()
            alone = bool(event.modifiers() & _SHIFT)
            self._request(_dragged(self._start, self._grip, moved_hu, alone))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go; what is seen of the HU follows where the band left it."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._grip = None
            self.show_window(self._window, self._inverted)
            self._show_cursor(self._grip_at(event.position().x()), False)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """The window of the scan's own values."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._grip = None
            self.auto_requested.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Away from the reader is wider, a tenth a notch."""
        event.accept()
        notches = self._notches.turned(event.angleDelta().y())
        if notches:
            change = self._window.width * (_WIDER**notches - 1)
            least = notches / abs(notches)
            self._widen(max(change, least) if notches > 0 else min(change, least))

    def event(self, event: QEvent) -> bool:
        """Keep the arrow keys, which are commands of the window elsewhere."""
        override = event.type() is QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent) and _is_step(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move the center, with Shift the width: a fortieth of the width a press."""
        if not _is_step(event):
            super().keyPressEvent(event)
            return
        step = _STEPS[_KEYS(event.key())] * max(round(self._window.width / 40), 1)
        if event.modifiers() & _SHIFT:
            self._widen(2 * step)
        else:
            self._request(Window(self._window.width, self._window.center + step))

    def _widen(self, by_hu: float) -> None:
        self._request(Window(self._window.width + by_hu, self._window.center))

    def _request(self, window: Window) -> None:
        self.window_set.emit(Window(round(window.width), round(window.center)).clamped())

    def _show_cursor(self, grip: Grip | None, held: bool) -> None:
        shapes = Qt.CursorShape
        if grip is None:
            self.unsetCursor()
        elif grip is Grip.BAND:
            self.setCursor(shapes.ClosedHandCursor if held else shapes.OpenHandCursor)
        else:
            self.setCursor(shapes.SizeHorCursor)

    @property
    def _plot(self) -> QRectF:
        """Where the histogram is drawn: above the ramp of greys and the axis."""
        return QRectF(0, 0, self.width(), self.height() - _RAMP_PX - _AXIS_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Histogram, band, greys and axis."""
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._background())
        self._paint_band(painter)
        self._paint_ramp(painter)

    def _color(self, role: QPalette.ColorRole, alpha: int = 255) -> QColor:
        color = QColor(self.palette().color(role))
        color.setAlpha(alpha)
        return color

    def _background(self) -> QPixmap:
        """What stays while the window is dragged."""
        key = (
            *(self._histogram, self._range, self.size(), self.devicePixelRatioF()),
            *(self.palette().cacheKey(), self.isEnabled()),
        )
        if self._picture is None or self._pictured != key:
            ratio = self.devicePixelRatioF()
            self._picture = QPixmap(self.size() * ratio)
            self._picture.setDevicePixelRatio(ratio)
            self._picture.fill(self._color(_ROLE.Window))
            painter = QPainter(self._picture)
            painter.fillRect(self._plot, self._color(_ROLE.Base))
            self._paint_histogram(painter)
            self._paint_axis(painter)
            painter.end()
            self._pictured = key
        return self._picture

    def _paint_histogram(self, painter: QPainter) -> None:
        if self._histogram is None:
            return
        plot = self._plot
        heights = self._histogram.heights(*self._range, max(self.width(), 1))
        tops = plot.bottom() - heights * (plot.height() - 4)
        points = [QPointF(x + 0.5, top) for x, top in enumerate(tops)]
        points = [plot.bottomLeft(), *points, plot.bottomRight()]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._color(_ROLE.PlaceholderText))
        painter.drawPolygon(QPolygonF(points))

    def _paint_axis(self, painter: QPainter) -> None:
        font = painter.font()
        font.setPixelSize(_AXIS_PX - 5)
        painter.setFont(font)
        painter.setPen(self._color(_ROLE.WindowText))
        bottom = self.height()
        for hu in ticks(*self._range, self.width()):
            half = painter.fontMetrics().horizontalAdvance(str(hu)) / 2
            if half <= self.x_of(hu) <= self.width() - half:
                box = QRectF(self.x_of(hu) - half, bottom - _AXIS_PX, 2 * half, _AXIS_PX)
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(hu))

    def _paint_band(self, painter: QPainter) -> None:
        plot = self._plot
        low, middle, high = (
            self.x_of(hu) for hu in (self._window.low, self._window.center, self._window.high)
        )
        painter.fillRect(
            QRectF(low, plot.top(), high - low, plot.height()), self._color(_ROLE.Highlight, 90)
        )
        painter.setPen(QPen(self._color(_ROLE.Text), 2))
        for x in (low, high):
            painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
        painter.setPen(QPen(self._color(_ROLE.Text), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(middle, plot.top()), QPointF(middle, plot.bottom()))

    def _paint_ramp(self, painter: QPainter) -> None:
        """The greys that HU are shown in."""
        low, high = self.x_of(self._window.low), self.x_of(self._window.high)
        first, last = QColor("black"), QColor("white")
        if self._inverted:
            first, last = last, first
        greys = QLinearGradient(low, 0, max(high, low + 1), 0)
        greys.setColorAt(0, first)
        greys.setColorAt(1, last)
        painter.fillRect(QRectF(0, self._plot.bottom(), self.width(), _RAMP_PX), greys)


def _is_step(event: QKeyEvent) -> bool:
    return event.key() in _STEPS and not event.modifiers() & ~(_SHIFT | _KEYPAD)


def _dragged(start: Window, grip: Grip, moved_hu: float, alone: bool) -> Window:
    """`start` with its band moved, or an edge, which the other one mirrors unless it is alone."""
    if grip is Grip.BAND:
        return Window(start.width, start.center + moved_hu)
    outwards = moved_hu if grip is Grip.HIGH else -moved_hu
    if not alone:
        return Window(start.width + 2 * outwards, start.center)
    width = max(start.width + outwards, 1.0)
    moved = (width - start.width) / 2
    return Window(width, start.center + (moved if grip is Grip.HIGH else -moved))
