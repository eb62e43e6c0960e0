"""A slice three times side by side: the scan, what is true on it, and what was found."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPixmap, QPolygonF

from liverseg_gui.core.contours import smooth_contours
from liverseg_gui.core.display import LABEL_COLORS
from liverseg_gui.evaluation.worst_slices import WorstSlice
from liverseg_gui.ui.training_window.widgets.slice_image import body_box

TITLES = ("Scan", "Truth", "Prediction")
_GAP_PX = 4
_LINE_PX = 1.5
_WIDEST = 2.2
"""A picture is at most so much wider than high."""


def triptych(slice_: WorstSlice, height_px: int, ratio: float = 1.0) -> QPixmap:
    """The slice without the air around it, on black, `height_px` high.

    Pixels are as wide and as high as in the patient. `ratio` is that of the screen's pixels to
    those of the layout.
    """
    shade = np.zeros_like(slice_.truth) if slice_.shade is None else slice_.shade
    body = body_box(shade, slice_.truth | slice_.found)
    grey = np.ascontiguousarray(shade[body])
    size = _size(grey.shape, slice_.pixel_mm, height_px)
    whole = QPixmap(round((3 * size.width() + 2 * _GAP_PX) * ratio), round(height_px * ratio))
    whole.setDevicePixelRatio(ratio)
    whole.fill(QColor("black"))
    painter = QPainter(whole)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for n, labels in enumerate((None, slice_.truth, slice_.found)):
        place = QRectF(QPointF(n * (size.width() + _GAP_PX), (height_px - size.height()) / 2), size)
        painter.drawImage(place, _scaled(grey, place.size() * ratio))
        if labels is not None:
            _outline(painter, labels[body], place)
    painter.end()
    return whole


def _size(shape: tuple[int, ...], pixel_mm: tuple[float, float], height_px: int) -> QSizeF:
    """As large as fits, with the slice's own aspect."""
    aspect = shape[1] * pixel_mm[1] / (shape[0] * pixel_mm[0])
    width = min(height_px * aspect, height_px * _WIDEST)
    return QSizeF(width, width / aspect)


def _scaled(grey: NDArray[np.uint8], size: QSizeF) -> QImage:
    """The mean of the pixels that become one: a painter would skip some, and show their noise."""
    rows, columns = grey.shape
    image = QImage(grey.data, columns, rows, columns, QImage.Format.Format_Grayscale8)
    stretched, smooth = (
        Qt.AspectRatioMode.IgnoreAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
    return image.scaled(size.toSize(), stretched, smooth)


def _outline(painter: QPainter, labels: NDArray[np.uint8], place: QRectF) -> None:
    rows, columns = labels.shape
    across, down = place.width() / columns, place.height() / rows
    for label, rgb in LABEL_COLORS.items():
        painter.setPen(QPen(QColor(*rgb), _LINE_PX, Qt.PenStyle.SolidLine))
        for curve in smooth_contours(labels, label):
            points = [QPointF(place.x() + x * across, place.y() + y * down) for x, y in curve]
            painter.drawPolyline(QPolygonF(points))
