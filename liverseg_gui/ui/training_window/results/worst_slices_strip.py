"""Strip of the worst slices of the held-out patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout
from PySide6.QtWidgets import QWidget as Widget

from liverseg_gui.core.contours import smooth_contours
from liverseg_gui.core.display import LABEL_COLORS
from liverseg_gui.evaluation.worst_slices import WorstSlice
from liverseg_gui.ui.training_window.widgets.slice_image import body_box
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.theme import set_tone
from training.evaluation.worst_slices_file import SavedSlice

TITLES = ("Scan", "Truth", "Prediction")
_GAP_PX = 4
_LINE_PX = 1.5
_WIDEST = 2.2
"""A picture is at most so much wider than high."""
_PICTURE_PX = 210
_NO_SCAN = "The case is a folder of slices and no scan, which the viewer cannot open."
_GONE = "The scan is not where it was."
_SHOW = "Open the scan in the window, at this slice"


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


class WorstTile(QFrame):
    """One slice, what it is called, and the way to its scan, which `requested` asks for."""

    requested = Signal(object)

    def __init__(self, saved: SavedSlice, name: str) -> None:
        super().__init__()
        self.saved = saved
        self.setObjectName("card")
        self.picture = PlainLabel()
        self.picture.setPixmap(triptych(saved.slice, _PICTURE_PX, self.devicePixelRatioF()))
        self.caption = PlainLabel(_caption(saved, name))
        self.button = QPushButton("Show in the viewer")
        self.button.setAutoDefault(False)
        self.button.setAccessibleName(f"Show {self.caption.text()} in the viewer")
        self.button.clicked.connect(self._ask)
        why = why_not_shown(saved)
        self.button.setEnabled(not why)
        self.button.setToolTip(why or _SHOW)
        self.picture.setToolTip(why or f"{_SHOW} (double click)")
        self._lay_out()

    def _lay_out(self) -> None:
        titles = QHBoxLayout()
        titles.setContentsMargins(0, 0, 0, 0)
        for title in TITLES:
            label = PlainLabel(title)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            set_tone(label, "muted")
            titles.addWidget(label, 1)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.caption, 1)
        row.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 6)
        layout.addLayout(titles)
        layout.addWidget(self.picture, 0, Qt.AlignmentFlag.AlignCenter)
        layout.addLayout(row)
        layout.addStretch(1)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """As the button does."""
        event.accept()
        self._ask()

    def _ask(self) -> None:
        if self.button.isEnabled():
            self.requested.emit(self.saved)


class WorstSlicesStrip(QScrollArea):
    """`requested` carries the `SavedSlice` that is to be shown in the viewer."""

    requested = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.tiles: list[WorstTile] = []
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Worst slices")

    def show_slices(self, slices: Sequence[SavedSlice], names: Mapping[str, str]) -> None:
        """Show these, the worst first."""
        inside = Widget()
        row = QHBoxLayout(inside)
        row.setContentsMargins(0, 0, 0, 0)
        self.tiles = [WorstTile(saved, names[saved.slice.name]) for saved in slices]
        for tile in self.tiles:
            tile.requested.connect(self.requested)
            row.addWidget(tile)
        row.addStretch(1)
        self.setWidget(inside)
        bar = self.horizontalScrollBar().sizeHint().height()
        self.setFixedHeight(inside.sizeHint().height() + bar + 2)
        self.setVisible(bool(slices))


def why_not_shown(saved: SavedSlice) -> str:
    """Why the viewer cannot show the slice, or nothing."""
    if saved.scan is None:
        return _NO_SCAN
    return "" if saved.scan.exists() else _GONE


def _caption(saved: SavedSlice, name: str) -> str:
    """Slices are counted from 1 on the screen."""
    slice_ = saved.slice
    return f"{name}, slice {slice_.index + 1}: Dice {slice_.score:.2f}"
