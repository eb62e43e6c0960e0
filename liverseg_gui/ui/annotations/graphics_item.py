"""Painting of annotations in pixels, so that lines and letters keep their size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from liverseg_gui.core.annotations import AnnotationKind
from liverseg_gui.system.plain_text import one_line
from liverseg_gui.ui.annotations.layout import HANDLE_PX, AnnotationLayout, Pixels
from liverseg_gui.ui.viewer.plane_box import PlaneBox
from liverseg_gui.ui.viewer.slice_frame import Z_ANNOTATIONS
from liverseg_gui.ui.widgets.theme import ANNOTATION, ANNOTATION_CHOSEN

_PLAIN, _CHOSEN = QColor(ANNOTATION), QColor(ANNOTATION_CHOSEN)
_HALO, _BACK = QColor(0, 0, 0), QColor(0, 0, 0, 165)  # opaque lines are painted twice as fast
_LINE_PX, _HALO_PX = 1.6, 3.6
_HEAD_PX, _HEAD_ANGLE = 14.0, 0.42
_DOT_PX = 0.1  # a line of no length is not painted
_CROSS_PX, _CROSS_GAP_PX = 9.0, 3.0


class AnnotationItem(QGraphicsItem):
    """Draws `layouts`; the mouse goes through it."""

    def __init__(self, box: PlaneBox, font: QFont) -> None:
        super().__init__(box)
        self._box, self._font = box, font
        self.layouts: tuple[AnnotationLayout, ...] = ()
        self.setZValue(Z_ANNOTATIONS)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def show_layouts(self, layouts: Sequence[AnnotationLayout]) -> None:
        """Draw these from now on."""
        if layouts or self.layouts:
            self.layouts = tuple(layouts)
            self.update()

    def boundingRect(self) -> QRectF:
        """The whole pane."""
        return self._box.rect()

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Lines first, then handles, then labels, so that no line crosses a figure."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font)
        for layout in self.layouts:
            _paint_lines(painter, layout)
        for layout in self.layouts:
            if layout.handles_shown:
                _paint_handles(painter, layout)
        for layout in self.layouts:
            _paint_label(painter, layout)


def _color(layout: AnnotationLayout) -> QColor:
    return _CHOSEN if layout.chosen else _PLAIN


def _paint_lines(painter: QPainter, layout: AnnotationLayout) -> None:
    """Every line twice: a dark one below makes it stand out on any tissue."""
    lines = [_polygon(line) for line in _marks(layout)]
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for color, width in ((_HALO, _HALO_PX), (_color(layout), _LINE_PX)):
        round_ = (Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
        painter.setPen(QPen(QBrush(color), width, Qt.PenStyle.SolidLine, *round_))
        for line in lines:
            painter.drawPolyline(line)


def _marks(layout: AnnotationLayout) -> list[Pixels]:
    """The lines of a reading, with an arrow's head and a probe's cross."""
    if layout.kind is AnnotationKind.ARROW:
        return [*layout.lines, _head(*layout.lines[0])]
    if layout.kind is AnnotationKind.PROBE:
        at, reach = layout.lines[0][0], np.array([_CROSS_GAP_PX, _CROSS_PX])[:, None]
        sides = np.array([(1, 0), (-1, 0), (0, 1), (0, -1)], float)
        return [at + reach * side for side in sides]
    if layout.kind is AnnotationKind.TEXT:
        return [layout.lines[0] + np.array([(0, 0), (_DOT_PX, 0)])]
    return list(layout.lines)


def _head(tip: Pixels, tail: Pixels) -> Pixels:
    back = (tail - tip) / max(float(np.linalg.norm(tail - tip)), 1.0)
    side = np.array([-back[1], back[0]]) * np.sin(_HEAD_ANGLE)
    barbs = (tip + _HEAD_PX * (back * np.cos(_HEAD_ANGLE) + sign * side) for sign in (1, -1))
    first, second = barbs
    return np.array([first, tip, second])


def _polygon(line: Pixels) -> QPolygonF:
    return QPolygonF([QPointF(x, y) for x, y in line.tolist()])


def _paint_handles(painter: QPainter, layout: AnnotationLayout) -> None:
    painter.setPen(QPen(_color(layout), _LINE_PX))
    painter.setBrush(_BACK)
    for x, y in layout.handles.tolist():
        painter.drawEllipse(QPointF(x, y), HANDLE_PX, HANDLE_PX)


def _paint_label(painter: QPainter, layout: AnnotationLayout) -> None:
    if not layout.texts:
        return
    painter.fillRect(layout.label, _BACK)
    painter.setPen(_color(layout))
    painter.drawText(
        layout.label, Qt.AlignmentFlag.AlignCenter, "\n".join(map(one_line, layout.texts))
    )
