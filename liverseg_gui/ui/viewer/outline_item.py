"""An outline on a plane: a path in mm under a pen whose width is in pixels of the screen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

_MARGIN_MM = 15.0
"""Room around the path for half the pen, whatever the zoom."""


class OutlineItem(QGraphicsItem):
    """Nothing until `show_path`. It is not hit by the mouse: that would be slow and of no use."""

    def __init__(self) -> None:
        super().__init__()
        self.path = QPainterPath()
        self.pen = QPen()
        self._rect = QRectF()
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def show_path(self, path: QPainterPath, pen: QPen) -> None:
        """Draw `path` with `pen`; nothing is done where both are drawn already."""
        if path is not self.path:
            self.prepareGeometryChange()
            self.path = path
            margin = _MARGIN_MM
            self._rect = path.controlPointRect().adjusted(-margin, -margin, margin, margin)
        elif pen == self.pen:
            return
        self.pen = pen
        self.update()

    def boundingRect(self) -> QRectF:
        """The path and the pen around it."""
        return self._rect

    def shape(self) -> QPainterPath:
        """Nothing that the mouse could hit."""
        return QPainterPath()

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Draw it with smooth edges."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self.pen)
        painter.drawPath(self.path)


def outline_pen(rgb: tuple[int, int, int], opacity: float, width_px: float) -> QPen:
    """A pen as wide at every zoom."""
    color = QColor(*rgb)
    color.setAlphaF(opacity)
    pen = QPen(color, width_px)
    pen.setCosmetic(True)
    pen.setJoinStyle(Qt.PenJoinStyle.BevelJoin)  # round joins take twice as long
    pen.setCapStyle(Qt.PenCapStyle.SquareCap)
    return pen


def path_of_curves(
    curves: Sequence[NDArray[np.float64]], pixel_mm: tuple[float, float]
) -> QPainterPath:
    """Closed curves of (column, row) as one path in mm."""
    if not curves:
        return QPainterPath()
    points = np.concatenate(curves) * pixel_mm
    joined = np.ones(len(points), np.int32)
    joined[np.cumsum([len(curve) for curve in curves]) - 1] = 0
    return _path(points, joined)


def path_of_segments(segments: NDArray[np.float64], pixel_mm: tuple[float, float]) -> QPainterPath:
    """Segments (N, 2 ends, 2) of (column, row) as one path in mm."""
    return _path(segments.reshape(-1, 2) * pixel_mm, "pairs")


def _path(points: NDArray[np.float64], connect: NDArray[np.int32] | str) -> QPainterPath:
    if not len(points):
        return QPainterPath()
    x, y = (np.ascontiguousarray(column) for column in points.T)
    return pg.functions.arrayToQPath(x, y, connect=connect, finiteCheck=False)
