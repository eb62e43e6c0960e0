"""Canvas of the 3D pane: surfaces, axes and texts, and the mouse that moves them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from liverseg_gui.ui.viewer.surface3d.camera import Camera
from liverseg_gui.ui.viewer.surface3d.scene import NoOpenGLError, Scene
from liverseg_gui.ui.widgets.theme import PANE_BACKGROUND, PANE_TEXT

if TYPE_CHECKING:
    from liverseg_gui.core.surface.mesh import Surface
    from liverseg_gui.ui.viewer.surface3d.renderer import SurfaceRenderer

_LOG = logging.getLogger("liverseg.surfaces")
_DEGREES_PER_PX = 0.4
_KEY_DEGREES = 10.0
_CLICK_PX = 4
_HOVER_MS = 60
_REST_MS = 250
_SLOW_SECONDS = 0.025
_MOST_PX = 4096
_AXES_PX = 30
_AXES = (("R", "L"), ("A", "P"), ("S", "I"))
_LEFT, _MIDDLE, _RIGHT = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.MiddleButton,
    Qt.MouseButton.RightButton,
)


def make_renderer() -> SurfaceRenderer:
    """A renderer; only now is OpenGL loaded.

    Raises:
        NoOpenGLError: there is no OpenGL to draw with.
    """
    from liverseg_gui.ui.viewer.surface3d.renderer import SurfaceRenderer

    return SurfaceRenderer()


class SurfaceCanvas(QWidget):
    """Shows surfaces as `scene` says. Drag: spin; wheel and right drag: zoom; middle or Shift:
    pan. `chosen` tells the number of a lesion that was clicked, `failed` why OpenGL gave up.
    `note` is written over the surfaces, which are dimmed; `tips` are said of lesions by number.
    """

    chosen = Signal(int)
    failed = Signal(str)
    maximize_requested = Signal()
    pressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.camera = Camera()
        self.note = ""
        self.tips: dict[int, str] = {}
        self._renderer: SurfaceRenderer | None = None
        self._surfaces: tuple[Surface, ...] = ()
        self._scene = Scene({})
        self._image: QImage | None = None
        self._seconds = 0.0
        self._press: QPointF | None = None
        self._last = QPointF()
        self._moving = False
        self._under = 0
        self._rest = _once(self, self._settle)
        self._now = _once(self, self._draw)
        self._later = _once(self, self.redraw)
        self._hover = _once(self, self._show_tip)
        self.setMouseTracking(True)
        self.setMinimumSize(80, 80)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    @property
    def surfaces(self) -> tuple[Surface, ...]:
        """What is shown."""
        return self._surfaces

    @property
    def scene(self) -> Scene:
        """How it is drawn."""
        return self._scene

    def prepare(self) -> None:
        """Make ready to draw.

        Raises:
            NoOpenGLError: there is no OpenGL to draw with.
        """
        self._renderer = self._renderer or make_renderer()

    def show_surfaces(self, surfaces: Sequence[Surface]) -> None:
        """Show `surfaces`, at least one, from now on.

        Raises:
            NoOpenGLError: there is no OpenGL to draw them with.
        """
        self.prepare()
        corners = np.array([(s.vertices_mm.min(0), s.vertices_mm.max(0)) for s in surfaces])
        self.camera.fit(corners[:, 0].min(0), corners[:, 1].max(0))
        assert self._renderer is not None
        self._renderer.upload(surfaces)
        self._surfaces = tuple(surfaces)
        self.redraw()

    def clear(self) -> None:
        """Show nothing."""
        self._surfaces, self._image = (), None
        self.update()

    def set_scene(self, scene: Scene) -> None:
        """Draw differently, soon: what the mouse does in other panes goes first."""
        self._scene = scene
        if not self._later.isActive():
            self._later.start(0 if self._seconds < _SLOW_SECONDS else round(3000 * self._seconds))

    def redraw(self) -> None:
        """Draw anew, once what is going on now is done."""
        self._now.start(0)

    def reset(self) -> None:
        """Look from the front at the whole."""
        self.camera.reset()
        self.redraw()

    def close_renderer(self) -> None:
        """Give back what OpenGL holds."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    @property
    def _size(self) -> tuple[int, int]:
        return max(self.width(), 1), max(self.height(), 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw in the new size."""
        super().resizeEvent(event)
        self.redraw()

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what was not drawn while nobody saw it."""
        super().showEvent(event)
        self.redraw()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The surfaces as they were drawn last, and what is written over them."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(PANE_BACKGROUND))
        if self._image is not None:
            if self.note:
                painter.setOpacity(0.45)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(QRectF(self.rect()), self._image)
            painter.setOpacity(1.0)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_texts(painter)

    def _draw(self) -> None:
        """Draw the surfaces, where they are seen. Never while painting: drivers fail in many ways,
        and an error that leaves a painter behind takes the program along."""
        hasty = self._moving and self._seconds > _SLOW_SECONDS
        start = time.perf_counter()
        self._render(self.devicePixelRatioF() * (0.5 if hasty else 1.0), hasty)
        self._seconds = max(time.perf_counter() - start, 0.5 * self._seconds)

    def draw_now(self, scale: float) -> None:
        """Draw at once what is to be drawn, as for a picture: `scale` pixels for one of the widget,
        as long as that makes no more than 4096 of them."""
        self._later.stop()
        self._now.stop()
        self._render(min(scale, _MOST_PX / max(self._size)), hasty=False)

    def _render(self, scale: float, hasty: bool) -> None:
        if self._renderer is None or not self._surfaces or not self.isVisible():
            return
        size = (max(round(self.width() * scale), 1), max(round(self.height() * scale), 1))
        scene = replace(self._scene, hasty=hasty)
        try:
            self._image = self._renderer.render(self.camera, size, scene)
        except Exception as error:
            _LOG.exception("drawing in 3D failed")
            self.clear()
            expected = isinstance(error, NoOpenGLError)
            self.failed.emit(str(error) if expected else f"drawing fails ({error})")
        self.update()

    def _paint_texts(self, painter: QPainter) -> None:
        painter.setPen(QColor(PANE_TEXT))
        font = painter.font()
        font.setBold(True)
        painter.setFont(font)
        painter.drawText(QPoint(6, 17), "3D")
        if self.note:
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.note)
        if not self._surfaces:
            return
        middle = QPointF(_AXES_PX + 14, self.height() - _AXES_PX - 14)
        ends = [
            (sign * self.camera.rotation[:, axis], letters[0 if sign > 0 else 1])
            for axis, letters in enumerate(_AXES)
            for sign in (1, -1)
        ]
        for (right, up, near), letter in sorted(ends, key=lambda end: end[0][2]):
            end = QPointF(middle.x() + _AXES_PX * right, middle.y() - _AXES_PX * up)
            color = QColor(PANE_TEXT)
            color.setAlphaF(0.62 + 0.38 * float(near))
            painter.setPen(QPen(color, 1.0))
            painter.drawLine(middle, middle + (end - middle) * 0.68)
            box = QRectF(end.x() - 8, end.y() - 8, 16, 16)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, letter)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to drag, or to click."""
        self._press = self._last = event.position()
        self._moving = False
        self.pressed.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Spin, zoom or pan; without a button, tell of the lesion under the mouse."""
        at = event.position()
        if self._press is None:
            self._last = at
            self._hover.start(_HOVER_MS)
            return
        if not self._moving and (at - self._press).manhattanLength() < _CLICK_PX:
            return
        self._moving = True
        moved, self._last = at - self._last, at
        shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if event.buttons() & _MIDDLE or (event.buttons() & _LEFT and shift):
            self.camera.pan(moved.x(), moved.y(), self._size)
        elif event.buttons() & _RIGHT:
            self.camera.zoom_by(1.005 ** -moved.y())
        elif event.buttons() & _LEFT:
            self.camera.spin(moved.x() * _DEGREES_PER_PX, moved.y() * _DEGREES_PER_PX)
        self.redraw()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the drag; a click chooses the lesion under it."""
        clicked = self._press is not None and not self._moving
        self._press = None
        self._settle()
        if clicked and event.button() == _LEFT and (number := self.lesion_at(event.position())):
            self.chosen.emit(number)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show this pane alone, or all again."""
        if event.button() == _LEFT:
            self.maximize_requested.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Come closer or go away."""
        # a notch is 120: 13 percent
        self.camera.zoom_by(1.001 ** event.angleDelta().y())
        self._move_for_now()
        event.accept()

    def turn(self, event: QKeyEvent) -> bool:
        """Spin by an arrow key; whether it was one."""
        steps = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0)}
        right, down = steps.get(Qt.Key(event.key()), (0, 0))
        if right or down:
            self.camera.spin(right * _KEY_DEGREES, down * _KEY_DEGREES)
            self._move_for_now()
        return bool(right or down)

    def _move_for_now(self) -> None:
        """Draw hastily until nothing has moved for a moment."""
        self._moving = True
        self._rest.start(_REST_MS)
        self.redraw()

    def _settle(self) -> None:
        if self._moving:
            self._moving = False
            if self._seconds > _SLOW_SECONDS:
                self.redraw()

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the mouse any more."""
        self._hover.stop()

    def lesion_at(self, at: QPointF) -> int:
        """The number of the lesion at a position of this widget, 0 where there is none."""
        lesions = [s for s in self._surfaces if s.number and self._is_drawn(s)]
        start, direction = self.camera.ray(at.x(), at.y(), self._size)
        from liverseg_gui.core.surface.picking import first_hit

        hit = first_hit(lesions, start, direction, self._is_not_clipped)
        return hit.number if hit is not None else 0

    def _is_drawn(self, surface: Surface) -> bool:
        style = self._scene.styles.get(surface.label)
        return style is not None and style.visible and style.opacity > 0

    def _is_not_clipped(self, points_mm: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which points (N, 3) are not cut away."""
        clip = self._scene.clip
        if clip is None:
            return np.ones(len(points_mm), bool)
        beyond = points_mm @ clip[:, :3].T + clip[:, 3] > 0
        return np.asarray(~beyond.all(axis=1))

    def _show_tip(self) -> None:
        number = self.lesion_at(self._last) if self._press is None else 0
        if number != self._under:
            self._under = number
            cursor = Qt.CursorShape.PointingHandCursor if number else Qt.CursorShape.ArrowCursor
            self.setCursor(cursor)
        tip = self.tips.get(number, "")
        QToolTip.showText(self.mapToGlobal(self._last.toPoint()) + QPoint(8, 8), tip, self)


def _once(parent: QWidget, call: Callable[[], None]) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.timeout.connect(call)
    return timer
