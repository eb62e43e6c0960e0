"""A strip of axial slices around the one that is shown: a click goes there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QWidget

from liverseg_gui.core.display import grey
from liverseg_gui.core.planes import Plane
from liverseg_gui.core.slabs import plane_step_mm
from liverseg_gui.core.volume import Volume
from liverseg_gui.state.open_scan import OpenScan
from liverseg_gui.state.view import ViewState
from liverseg_gui.ui.widgets.input_filters import Notches
from liverseg_gui.ui.widgets.theme import PANE_TEXT, PLANE_COLORS

_APART_MM = 5.0
_GAP = 4
_CURRENT, _TEXT = QColor(PLANE_COLORS[Plane.AXIAL]), QColor(PANE_TEXT)


class AxialStrip(QWidget):
    """As many slices as fit, about 5 mm apart; the middle one is the one the planes show."""

    def __init__(self, study: OpenScan, view: ViewState) -> None:
        super().__init__()
        self._study, self._view = study, view
        self._notches = Notches()
        self.setMinimumHeight(90)
        self.setAccessibleName("Neighboring axial slices")
        self.setToolTip("Click a slice to go there")
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.update)
        for signal in (study.volume_changed, study.mask_changed, study.preview_changed):
            signal.connect(self._schedule)
        view.events.connect(self._schedule)

    def _schedule(self, *_: object) -> None:
        if self.isVisible() and not self._later.isActive():
            self._later.start(0)

    @property
    def slices(self) -> tuple[int, ...]:
        """The slices in the strip from left to right, towards the head; none beyond the scan."""
        volume = self._study.volume
        if volume is None:
            return ()
        return tuple(k for _, k in self._cells(volume))

    def _cells(self, volume: Volume) -> list[tuple[QRectF, int]]:
        width_mm, height_mm = Plane.AXIAL.pixel_mm(volume.affine)
        tall = max(self.height() - 2 * _GAP, 1)
        wide = tall * volume.shape[0] * width_mm / (volume.shape[1] * height_mm)
        reach = max(int((self.width() / (wide + _GAP) - 1) // 2), 1)
        apart = max(round(_APART_MM / plane_step_mm(volume, Plane.AXIAL)), 1)
        current = self._view.crosshair_ijk[2]
        cells = []
        for n in range(-reach, reach + 1):
            k = current + n * apart
            if 0 <= k < volume.shape[2]:
                x = self.width() / 2 + n * (wide + _GAP) - wide / 2
                cells.append((QRectF(x, _GAP, wide, tall), k))
        return cells

    def paintEvent(self, event: QPaintEvent) -> None:
        """The slices with their numbers; the one shown in a frame."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("black"))
        volume = self._study.volume
        if volume is None or self._study.preview is not None:
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        colors = self._colors()
        for box, k in self._cells(volume):
            painter.drawImage(box, self._picture(volume, k, box.height(), colors))
            current = k == self._view.crosshair_ijk[2]
            painter.setPen(QPen(_CURRENT if current else _TEXT, 1))
            if current:
                painter.drawRect(box)
            painter.drawText(box.adjusted(4, 2, -4, -2), Qt.AlignmentFlag.AlignLeft, str(k + 1))

    def _colors(self) -> NDArray[np.uint32]:
        """What is seen of each gray under each label, (256, 256): 0xRRGGBB at [label, gray]."""
        grays = np.arange(256)
        if self._view.inverted:
            grays = grays[::-1]
        table = np.repeat(np.repeat(grays[:, None], 3, axis=1)[None], 256, axis=0)
        if self._study.mask is not None and self._view.overlay_visible:
            for label, style in self._view.styles.items():
                share = self._view.overlay_opacity * style.opacity if style.visible else 0.0
                table[label] = table[label] * (1 - share) + share * np.array(style.rgb)
        return (table @ [1 << 16, 1 << 8, 1]).astype(np.uint32) | np.uint32(0xFF000000)

    def _picture(self, volume: Volume, k: int, height: float, colors: NDArray[np.uint32]) -> QImage:
        """A slice with its overlay, thinned out as far as it still fills what it is drawn in."""
        thin = max(int(volume.shape[1] / max(height * self.devicePixelRatioF(), 1)), 1)
        cut = Plane.AXIAL.cut(volume.hu, k)[::thin, ::thin]
        shade = grey(np.ascontiguousarray(cut), self._view.window)
        mask = self._study.mask
        if mask is None:
            color = colors[0][shade]
        else:
            color = colors[Plane.AXIAL.cut(mask.labels, k)[::thin, ::thin], shade]
        rows, columns = shade.shape
        return QImage(color.tobytes(), columns, rows, 4 * columns, QImage.Format.Format_RGB32)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the slice that was clicked."""
        volume = self._study.volume
        if volume is None or event.button() is not Qt.MouseButton.LeftButton:
            return
        at: QPointF = event.position()
        for box, k in self._cells(volume):
            if box.contains(at):
                i, j, _ = self._view.crosshair_ijk
                self._view.move_crosshair((i, j, k), volume.shape)
                return

    def wheelEvent(self, event: QWheelEvent) -> None:
        """One slice a notch, as on a plane."""
        volume = self._study.volume
        notches = self._notches.turned(event.angleDelta().y())
        if volume is not None and notches:
            i, j, k = self._view.crosshair_ijk
            self._view.move_crosshair((i, j, k + notches), volume.shape)
        event.accept()
