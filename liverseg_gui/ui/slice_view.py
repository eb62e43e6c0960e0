"""One plane of the scan: image, overlay, crosshair, letters, slider. Draws what ViewState says."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel, QSlider, QVBoxLayout, QWidget

from liverseg_gui.core.display import LABEL_COLORS
from liverseg_gui.core.geometry import Int3
from liverseg_gui.core.planes import Plane
from liverseg_gui.core.volume import LabelMap, Volume
from liverseg_gui.state.study import Study
from liverseg_gui.state.view import ViewState
from liverseg_gui.ui.plane_box import PlaneBox

PLANE_COLORS = {Plane.AXIAL: "#ff6b6b", Plane.CORONAL: "#7bd88f", Plane.SAGITTAL: "#f2c94c"}


class SliceView(QWidget):
    """Shows one plane in its true aspect ratio; gestures change the shared ViewState."""

    hovered = Signal(object)
    maximize_asked = Signal()

    def __init__(self, plane: Plane, study: Study, view: ViewState) -> None:
        super().__init__()
        self.plane = plane
        self._study, self._view = study, view
        self._drawn: tuple[object, ...] = ()
        self._overlaid: tuple[object, ...] = ()
        self._build()
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.timeout.connect(self.redraw)
        study.volume_changed.connect(self.reset)
        study.preview_changed.connect(self.reset)
        study.mask_changed.connect(self.schedule)
        view.events.connect(self.schedule)

    def _build(self) -> None:
        self._graphics = pg.GraphicsView(background="#000000")
        self.box = PlaneBox(self._view)
        self._graphics.setCentralItem(self.box)
        self._graphics.setMouseTracking(True)
        self._image = pg.ImageItem(axisOrder="row-major")
        self._overlay = pg.ImageItem(axisOrder="row-major")
        self._overlay.setZValue(1)
        self._lines = [
            pg.InfiniteLine(angle=angle, pen=pg.mkPen(PLANE_COLORS[other], width=1))
            for angle, other in zip((90, 0), self._crossing_planes(), strict=True)
        ]
        for item in (self._image, self._overlay, *self._lines):
            self.box.addItem(item)
        for line in self._lines:
            line.setZValue(2)
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setAccessibleName(f"{self.plane.title} slice")
        self._slider.valueChanged.connect(self.go_to)
        self._slider.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._graphics, 1)
        layout.addWidget(self._slider)
        self._labels = {
            corner: self._label(color)
            for corner, color in (
                ("title", PLANE_COLORS[self.plane]),
                ("info", "#c8c8c8"),
                ("patient", "#c8c8c8"),
                ("left", "#ffdc78"),
                ("right", "#ffdc78"),
                ("top", "#ffdc78"),
                ("bottom", "#ffdc78"),
            )
        }
        self._labels["title"].setText(self.plane.title)
        self.box.scrolled.connect(self.step)
        self.box.pointed.connect(self._point)
        self.box.window_dragged.connect(self._view.drag_window)
        self.box.maximize_asked.connect(self.maximize_asked)
        self.box.hovered.connect(self._hover)

    def _crossing_planes(self) -> tuple[Plane, Plane]:
        """The planes seen edge-on as the vertical and as the horizontal line."""
        by_normal = {plane.normal: plane for plane in Plane}
        return by_normal[self.plane.across], by_normal[self.plane.down]

    def _label(self, color: str) -> QLabel:
        label = QLabel(self._graphics)
        label.setStyleSheet(f"color: {color}; background: rgba(0, 0, 0, 140); font-weight: 600;")
        label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        return label

    @property
    def index(self) -> int:
        """The slice shown."""
        return self._view.crosshair_ijk[self.plane.normal]

    @property
    def _shown(self) -> Volume | None:
        """The open scan; while another is read, its first slice in the plane it lies in."""
        preview = self._study.preview
        if preview is None:
            return self._study.volume
        return preview if preview.shape[self.plane.normal] == 1 else None

    @property
    def _shown_index(self) -> int:
        return self.index if self._study.preview is None else 0

    def set_patient(self, text: str) -> None:
        """Say in the upper right corner whose scan this is."""
        self._labels["patient"].setText(text)
        self._place_labels()

    def step(self, slices: int) -> None:
        """Move by `slices` towards the end of the axis, or back."""
        self.go_to(self.index + slices)

    def go_to(self, index: int) -> None:
        """Show slice `index`, clamped to the scan."""
        volume = self._study.volume
        if volume is not None:
            i, j, k = (
                index if axis == self.plane.normal else at
                for axis, at in enumerate(self._view.crosshair_ijk)
            )
            self._view.move_crosshair((i, j, k), volume.shape)

    def reset(self) -> None:
        """Show the whole slice."""
        volume = self._shown
        self._drawn = self._overlaid = ()
        count = volume.shape[self.plane.normal] if volume is not None else 1
        self._slider.blockSignals(True)
        self._slider.setRange(0, count - 1)
        self._slider.setPageStep(10)
        self._slider.blockSignals(False)
        self._slider.setVisible(count > 1)
        self._labels["patient"].setVisible(self._study.preview is None)
        letters = ("",) * 4 if volume is None else self.plane.edge_letters(volume.affine)
        for side, text in zip(("left", "right", "top", "bottom"), letters, strict=True):
            self._labels[side].setText(text)
        self.redraw()
        self.fit()

    def fit(self) -> None:
        """Zoom so that the whole slice is seen."""
        if self._shown is not None:
            self.box.setRange(self._extent(), padding=0.03)

    def center(self) -> None:
        """Bring the crosshair to the middle of the view, at the same zoom."""
        if self._shown is None:
            return
        seen = self.box.viewRect()
        at = self._crosshair()
        self.box.setRange(
            QRectF(
                at.x() - seen.width() / 2, at.y() - seen.height() / 2, seen.width(), seen.height()
            ),
            padding=0,
        )

    def schedule(self, *_: object) -> None:
        """Redraw once this round of events is done, however many changes it brings."""
        if not self._redraw.isActive():
            self._redraw.start(0)

    def redraw(self) -> None:
        """Draw the slice, the overlay and the crosshair of the present state."""
        volume, view, reading = self._shown, self._view, self._study.preview is not None
        self._image.setVisible(volume is not None)
        self._overlay.setVisible(False)
        for line in self._lines:
            line.setVisible(volume is not None and view.crosshair_visible and not reading)
        if volume is None:
            self._labels["info"].setText("Reading ..." if reading else "")
            self._place_labels()
            return
        self._draw_image(volume)
        at = self._crosshair()
        for line, position in zip(self._lines, (at.x(), at.y()), strict=True):
            line.setPos(position)
        self._slider.blockSignals(True)
        self._slider.setValue(self._shown_index)
        self._slider.blockSignals(False)
        window = view.window
        place = f"{self.index + 1} / {volume.shape[self.plane.normal]}"
        self._labels["info"].setText(
            f"{'Reading ...' if reading else place}   W {window.width:.0f} L {window.center:.0f}"
        )
        self._place_labels()

    def _draw_image(self, volume: Volume) -> None:
        view, index = self._view, self._shown_index
        mask = None if self._study.preview is not None else self._study.mask
        levels = (view.window.low, view.window.high)
        levels = levels[::-1] if view.inverted else levels
        if self._drawn[:2] != (volume, index):
            image = np.ascontiguousarray(self.plane.cut(volume.hu, index))
            self._image.setImage(image, levels=levels)
            self._image.setRect(self._extent())
        elif self._drawn[2:] != levels:
            self._image.setLevels(levels)
        self._drawn = (volume, index, *levels)
        self._draw_overlay(mask, index)

    def _draw_overlay(self, mask: LabelMap | None, index: int) -> None:
        """Draw the labels, unless they are drawn already: a plane may only move its crosshair."""
        view = self._view
        shown = mask is not None and view.overlay_visible
        self._overlay.setVisible(shown)
        wanted = (mask, index, view.overlay_opacity)
        if mask is not None and shown and self._overlaid != wanted:
            labels = np.ascontiguousarray(self.plane.cut(mask.labels, index))
            lut = _lookup_table(view.overlay_opacity)
            self._overlay.setImage(labels, levels=(0, 255), lut=lut)
            self._overlay.setRect(self._extent())
            self._overlaid = wanted

    def _extent(self) -> QRectF:
        volume = self._shown
        assert volume is not None
        width_mm, height_mm = self.plane.pixel_mm(volume.affine)
        shape = volume.shape
        return QRectF(0, 0, shape[self.plane.across] * width_mm, shape[self.plane.down] * height_mm)

    def _crosshair(self) -> QPointF:
        volume = self._shown
        assert volume is not None
        column, row = self.plane.to_screen(self._view.crosshair_ijk, volume.shape)
        width_mm, height_mm = self.plane.pixel_mm(volume.affine)
        return QPointF(column * width_mm, row * height_mm)

    def voxel_at(self, point: QPointF) -> Int3 | None:
        """The voxel of the open scan under a point of the view in mm, or None outside the slice."""
        volume = self._study.volume
        if volume is None or self._study.preview is not None or not self._extent().contains(point):
            return None
        width_mm, height_mm = self.plane.pixel_mm(volume.affine)
        column, row = point.x() / width_mm, point.y() / height_mm
        return self.plane.to_voxel(column, row, self.index, volume.shape)

    def _point(self, point: QPointF) -> None:
        voxel, volume = self.voxel_at(point), self._study.volume
        if voxel is not None and volume is not None:
            self._view.move_crosshair(voxel, volume.shape)

    def _hover(self, point: QPointF | None) -> None:
        self.hovered.emit(None if point is None else self.voxel_at(point))

    def resizeEvent(self, event: object) -> None:
        """Keep the letters at the edges."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._place_labels()

    def _place_labels(self) -> None:
        width, height, gap = self._graphics.width(), self._graphics.height(), 6
        for name, label in self._labels.items():
            label.adjustSize()
            w, h = label.width(), label.height()
            x, y = {
                "title": (gap, gap),
                "info": (gap, height - h - gap),
                "patient": (width - w - gap, gap),
                "left": (gap, (height - h) // 2),
                "right": (width - w - gap, (height - h) // 2),
                "top": ((width - w) // 2, gap),
                "bottom": ((width - w) // 2, height - h - gap),
            }[name]
            label.move(x, y)


def _lookup_table(opacity: float) -> np.ndarray:
    table = np.zeros((256, 4), np.uint8)
    for label, rgb in LABEL_COLORS.items():
        color = QColor(*rgb)
        table[label] = (color.red(), color.green(), color.blue(), round(255 * opacity))
    return table
