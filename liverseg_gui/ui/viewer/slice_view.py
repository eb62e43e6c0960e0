"""One plane of the scan: image, overlay, crosshair, letters, slider. Draws what ViewState says."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFocusEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from liverseg_gui.core.geometry import Int3
from liverseg_gui.core.planes import Plane
from liverseg_gui.core.slabs import ONE_SLICE, Slab, SlabMode, SlabProjector, slab_range
from liverseg_gui.core.volume import Volume
from liverseg_gui.state.open_scan import OpenScan
from liverseg_gui.state.view import Pane, ViewState
from liverseg_gui.ui.viewer.corner_texts import CornerTexts
from liverseg_gui.ui.viewer.plane_box import PlaneBox
from liverseg_gui.ui.viewer.slice_frame import Z_CROSSHAIR, Layer, SliceFrame
from liverseg_gui.ui.viewer.slice_slider import SliceSlider
from liverseg_gui.ui.widgets.severity import SHORT_MARK
from liverseg_gui.ui.widgets.theme import PANE_BACKGROUND, PLANE_COLORS

FRAME_PX = 2
_PADDING = 0.03


class SliceView(QWidget):
    """Shows one plane in its true aspect ratio; gestures change the shared ViewState.

    `hovered` tells the voxel that the cursor comes to, `read_again` the one that came to a cursor
    that rests, or what is shown there changed.
    """

    hovered = Signal(object)
    read_again = Signal(object)
    focused = Signal()
    maximize_requested = Signal()
    zoomed = Signal()
    panned = Signal(object)

    def __init__(self, plane: Plane, study: OpenScan, view: ViewState) -> None:
        super().__init__()
        self.plane, self.pane = plane, Pane[plane.name]
        self.layers: list[Layer] = []
        self._study, self._view = study, view
        self._slabs = SlabProjector(plane)
        self._drawn: tuple[object, ...] = ()
        self._shown_hu: np.ndarray | None = None
        self._active = False
        self._under: QPointF | None = None
        self._build()
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.timeout.connect(self.redraw)
        study.volume_changed.connect(self.reset)
        study.preview_changed.connect(self.reset)
        study.mask_changed.connect(self.schedule)
        study.compared_changed.connect(self.schedule)
        view.events.connect(self.schedule)

    def _build(self) -> None:
        self._graphics = pg.GraphicsView(background=PANE_BACKGROUND)
        self.box = PlaneBox(self._view)
        self._graphics.setCentralItem(self.box)
        self._graphics.setMouseTracking(True)
        self._graphics.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(f"{self.plane.title} plane")
        self._image = pg.ImageItem(axisOrder="row-major")
        self._lines = [
            pg.InfiniteLine(angle=angle, pen=pg.mkPen(PLANE_COLORS[other], width=1))
            for angle, other in zip((90, 0), self._crossing_planes(), strict=True)
        ]
        for item in (self._image, *self._lines):
            self.box.addItem(item)
        for line in self._lines:
            line.setZValue(Z_CROSSHAIR)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*4 * (FRAME_PX,))
        layout.setSpacing(0)
        layout.addWidget(self._graphics, 1)
        self.row = SliceSlider(self.plane.title)
        self.row.requested.connect(self.go_to)
        self.row.scrolled.connect(self.step)
        self.row.done.connect(self.setFocus)
        layout.addWidget(self.row)
        self.labels = CornerTexts(self._graphics, self.plane.title, PLANE_COLORS[self.plane])
        self.box.scrolled.connect(self.step)
        self.box.pointed.connect(self._point)
        self.box.window_dragged.connect(self._view.drag_window)
        self.box.maximize_requested.connect(self.maximize_requested)
        self.box.hovered.connect(self._hover)
        self.box.zoomed.connect(lambda _: self.zoomed.emit())
        self.box.panned.connect(lambda x, y: self.panned.emit(self._along_axes(x, y)))
        self.box.sigRangeChanged.connect(lambda *_: self._show_texts())
        self.box.sigRangeChanged.connect(lambda *_: self._read_again())

    def _crossing_planes(self) -> tuple[Plane, Plane]:
        """The planes seen edge-on as the vertical and as the horizontal line."""
        by_normal = {plane.normal: plane for plane in Plane}
        return by_normal[self.plane.across], by_normal[self.plane.down]

    @property
    def canvas(self) -> QWidget:
        """The slice with what is drawn and written on it, without slider and number."""
        return self._graphics

    def add_layer(self, layer: Layer) -> None:
        """Draw `layer` over the slice from now on."""
        self.layers.append(layer)
        self.schedule()

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
    def _reading(self) -> bool:
        return self._study.preview is not None

    @property
    def _shown_index(self) -> int:
        return 0 if self._reading else self.index

    @property
    def _slab(self) -> Slab:
        return ONE_SLICE if self._reading else self._view.slab

    @property
    def zoom_percent(self) -> float:
        """How wide a pixel of the scan is on the screen: 100 is one pixel of the screen."""
        volume = self._shown
        width_mm = self.plane.pixel_mm(volume.affine)[0] if volume is not None else 1.0
        return 100.0 * self.box.px_per_mm * width_mm

    def set_patient(self, text: str) -> None:
        """Say in the upper right corner whose scan this is."""
        self.labels.set_patient(text)

    def set_active(self, active: bool) -> None:
        """Show by a frame whether keys act on this pane."""
        if active != self._active:
            self._active = active
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The frame of the active pane, in the color of its plane; a wide one while it has the
        keyboard."""
        wide = FRAME_PX if self.hasFocus() else int(self._active)
        if wide:
            painter = QPainter(self)
            painter.setPen(QPen(QColor(PLANE_COLORS[self.plane]), 2 * wide))
            painter.drawRect(self.rect())

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

    def nudge(self, right: int, down: int) -> None:
        """Move the crosshair by pixels of this plane, as they lie on the screen."""
        volume = self._study.volume
        if volume is not None:
            column, row = self.plane.to_screen(self._view.crosshair_ijk, volume.shape)
            voxel = self.plane.to_voxel(column + right, row + down, self.index, volume.shape)
            self._view.move_crosshair(voxel, volume.shape)

    def reset(self) -> None:
        """Show the whole slice."""
        volume = self._shown
        self._drawn = ()
        self._shown_hu = None
        count = volume.shape[self.plane.normal] if volume is not None else 1
        self.row.show_count(count)
        letters = ("",) * 4 if volume is None else self.plane.edge_letters(volume.affine)
        self.labels.set_letters(letters)
        self.redraw()
        self.fit()

    def fit(self) -> None:
        """Zoom so that the whole slice is seen."""
        if self._shown is not None:
            self.box.setRange(self.extent(), padding=_PADDING)

    @property
    def fitting_px_per_mm(self) -> float:
        """The magnification at which the whole slice is seen."""
        whole, room = self.extent(), 1 + 2 * _PADDING
        width, height = max(self.box.width(), 1.0), max(self.box.height(), 1.0)
        return float(min(width / whole.width(), height / whole.height()) / room)

    def center(self) -> None:
        """Bring the crosshair to the middle of the view, at the same zoom."""
        if self._shown is not None:
            self.box.look_at(self._crosshair())

    def pan_along(self, moved_mm: dict[int, float]) -> None:
        """Pan by mm along array axes, as far as this plane shows them."""
        x, y = (moved_mm.get(axis, 0.0) for axis in (self.plane.across, self.plane.down))
        self.box.translateBy(x=x, y=y)

    def _along_axes(self, x: float, y: float) -> dict[int, float]:
        return {self.plane.across: x, self.plane.down: y}

    def schedule(self, *_: object) -> None:
        """Redraw once this round of events is done, however many changes it brings."""
        if not self._redraw.isActive():
            self._redraw.start(0)

    def redraw(self) -> None:
        """Draw the slice, the layers over it and the crosshair of the present state."""
        volume, view = self._shown, self._view
        self._image.setVisible(volume is not None)
        for line in self._lines:
            line.setVisible(volume is not None and view.crosshair_visible and not self._reading)
        self._draw_image(volume)
        frame = self.frame()
        for layer in self.layers:
            layer.redraw(frame)
        if volume is not None:
            at = self._crosshair()
            for line, position in zip(self._lines, (at.x(), at.y()), strict=True):
                line.setPos(position)
            self.row.show_slice(self._shown_index)
        self._show_texts()
        self._read_again()

    def frame(self) -> SliceFrame | None:
        """What layers are drawn for; None for a preview or no scan."""
        volume = self._shown
        if volume is None or self._reading:
            return None
        pixel_mm = self.plane.pixel_mm(volume.affine)
        return SliceFrame(volume, self._study.mask, self.plane, self.index, self.extent(), pixel_mm)

    def _show_texts(self) -> None:
        volume = self._shown
        reading = "Reading ..." if self._reading else ""
        if volume is None:
            self.labels.set(info=reading, hu="")
            self.labels.scale.show_scale(0.0, "")
            return
        window = self._view.window
        lines = [
            reading or self._place(volume),
            f"W {window.width:.0f}  L {window.center:.0f}   {self.zoom_percent:.0f} %",
        ]
        self.labels.set(info="\n".join(lines))
        mark = "" if volume.mm_reliable else SHORT_MARK
        self.labels.scale.show_scale(self.box.px_per_mm, mark)

    def _place(self, volume: Volume) -> str:
        """Number of the slice, and how thick what is shown is."""
        place = f"{self.index + 1} / {volume.shape[self.plane.normal]}"
        shown = len(slab_range(volume, self.plane, self.index, self._slab))
        if shown > 1:
            return f"{place}   {slab_name(self._slab.mode)}, {shown} slices"
        thickness = volume.origin.slice_thickness_mm
        if self.plane is Plane.AXIAL and thickness:
            return f"{place}   {thickness:g} mm"
        return place

    def _draw_image(self, volume: Volume | None) -> None:
        if volume is None:
            return
        view, index, slab = self._view, self._shown_index, self._slab
        levels = (view.window.low, view.window.high)
        levels = levels[::-1] if view.inverted else levels
        if self._drawn[:3] != (volume, index, slab):
            image = np.ascontiguousarray(self._slabs.project(volume, index, slab))
            self._image.setImage(image, levels=levels)
            self._image.setRect(self.extent())
            self._shown_hu = image
        elif self._drawn[3:] != levels:
            self._image.setLevels(levels)
        self._drawn = (volume, index, slab, *levels)

    def extent(self) -> QRectF:
        """The slice in mm of the plane."""
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
        if volume is None or self._reading or not self.extent().contains(point):
            return None
        width_mm, height_mm = self.plane.pixel_mm(volume.affine)
        column, row = point.x() / width_mm, point.y() / height_mm
        return self.plane.to_voxel(column, row, self.index, volume.shape)

    def hu_shown(self, voxel: Int3) -> int | None:
        """The HU drawn at a voxel of this slice: its own, or that of the slab."""
        volume = self._study.volume
        if volume is None or self._shown_hu is None or self._drawn[:2] != (volume, self.index):
            return None
        column, row = self.plane.to_screen(voxel, volume.shape)
        return int(self._shown_hu[int(row), int(column)])

    def _point(self, point: QPointF) -> None:
        voxel, volume = self.voxel_at(point), self._study.volume
        if voxel is not None and volume is not None:
            self._view.move_crosshair(voxel, volume.shape)

    @property
    def voxel_under_cursor(self) -> Int3 | None:
        """The voxel of the slice shown now where the cursor is, or None if it is elsewhere."""
        return None if self._under is None else self.voxel_at(self.box.mapToView(self._under))

    def _read_again(self) -> None:
        if self._under is not None:
            self.read_again.emit(self.voxel_under_cursor)

    def _hover(self, point: QPointF | None) -> None:
        self._under = None if point is None else self.box.mapFromView(point)
        self.hovered.emit(None if point is None else self.voxel_at(point))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Keys act on this pane from now on."""
        super().focusInEvent(event)
        self.update()
        self.focused.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The keyboard is elsewhere."""
        super().focusOutEvent(event)
        self.update()

    def resizeEvent(self, event: object) -> None:
        """Keep the letters at the edges."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        self.labels.place()


def slab_name(mode: SlabMode) -> str:
    """A slab's mode in a word."""
    return {SlabMode.MAXIMUM: "MIP", SlabMode.MINIMUM: "minIP", SlabMode.MEAN: "Average"}[mode]
