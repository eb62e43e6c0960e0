"""Grid of slices with outlined reference masks and filled predictions."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from liverseg_gui.core.contours import smooth_contours
from liverseg_gui.core.display import LABEL_COLORS, overlay
from liverseg_gui.ui.widgets.theme import placeholder_color

_COLUMNS = 3
_GAP_PX = 3
_FILL_OPACITY = 0.45
_PEN_PX = 1.4
Outline = tuple[int, QPolygonF]


class ImageGrid(QWidget):
    """Draws what it is given in rows of `columns`, as large as there is room, never distorted."""

    def __init__(self, count: int, columns: int = _COLUMNS) -> None:
        super().__init__()
        self._count, self._columns = count, columns
        self._images: list[QImage] = []
        self._outlines: list[list[Outline]] = []
        self._aspect = 1.5
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMinimumHeight(120)
        self.setAccessibleName("Slices as the training sees them")

    def sizeHint(self) -> QSize:
        """As high as the pictures are in a column of the page."""
        return QSize(480, self.heightForWidth(480))

    def hasHeightForWidth(self) -> bool:
        """They are never distorted."""
        return True

    def heightForWidth(self, width: int) -> int:
        """As high as all rows are where the pictures fill the width."""
        rows = -(-self._count // self._columns)
        one = (width - _GAP_PX * (self._columns - 1)) / self._columns / self._aspect
        return round(rows * one + _GAP_PX * (rows - 1))

    def show_images(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        prediction: NDArray[np.uint8] | None = None,
    ) -> None:
        """Draw `images` uint8 (n, rows, columns) with the outlines of `labels` of that shape, and
        `prediction` filled."""
        aspect = images.shape[2] / images.shape[1]
        if aspect != self._aspect:
            self._aspect = aspect
            self.updateGeometry()
        if prediction is None:
            self._images = [_image(picture) for picture in images]
        else:
            self._images = [_filled(*each) for each in zip(images, prediction, strict=True)]
        self._outlines = [_outlines(slice_labels) for slice_labels in labels]
        self.update()

    def clear(self) -> None:
        """Draw where pictures will be."""
        self._images, self._outlines = [], []
        self.update()

    def boxes(self) -> list[QRectF]:
        """Where the pictures are."""
        columns = self._columns
        rows = -(-self._count // columns)
        width = (self.width() - _GAP_PX * (columns - 1)) / columns
        height = (self.height() - _GAP_PX * (rows - 1)) / rows
        width = max(min(width, height * self._aspect), 1.0)
        height = width / self._aspect
        left = (self.width() - columns * width - _GAP_PX * (columns - 1)) / 2
        return [
            QRectF(
                left + n % columns * (width + _GAP_PX),
                n // columns * (height + _GAP_PX),
                width,
                height,
            )
            for n in range(self._count)
        ]

    def paintEvent(self, event: QPaintEvent) -> None:
        """The pictures, or where they will be."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for n, box in enumerate(self.boxes()):
            if n < len(self._images):
                painter.drawImage(box, self._images[n])
                self._draw_outlines(painter, box, n)
            else:
                painter.fillRect(box, placeholder_color())
        painter.end()

    def _draw_outlines(self, painter: QPainter, box: QRectF, n: int) -> None:
        painter.save()
        painter.setClipRect(box)
        painter.translate(box.topLeft())
        painter.scale(
            box.width() / self._images[n].width(), box.height() / self._images[n].height()
        )
        for label, outline in self._outlines[n]:
            pen = QPen(QColor(*LABEL_COLORS[label]), _PEN_PX)
            pen.setCosmetic(True)  # in pixels of the screen, however the picture is scaled
            painter.setPen(pen)
            painter.drawPolyline(outline)
        painter.restore()


def _image(picture: NDArray[np.uint8]) -> QImage:
    rows, columns = picture.shape
    grey = QImage.Format.Format_Grayscale8
    # QImage uses the bytes in place and does not keep them: hence the copy.
    return QImage(np.ascontiguousarray(picture).tobytes(), columns, rows, columns, grey).copy()


def _filled(picture: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> QImage:
    rows, columns = picture.shape
    color = np.ascontiguousarray(overlay(picture, prediction, _FILL_OPACITY)).tobytes()
    return QImage(color, columns, rows, 3 * columns, QImage.Format.Format_RGB888).copy()


def _outlines(labels: NDArray[np.uint8]) -> list[Outline]:
    """The outlines of each label, in pixels from the corner of the picture."""
    contours = partial(smooth_contours, labels, rounds=1)
    return [
        (label, QPolygonF([QPointF(float(x), float(y)) for x, y in curve]))
        for label in LABEL_COLORS
        for curve in contours(label)
    ]
