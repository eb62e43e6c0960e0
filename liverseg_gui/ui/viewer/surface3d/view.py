"""The 3D pane: surfaces of the mask, cut at the crosshair, or a text why there are none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QHideEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QHBoxLayout,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from liverseg_gui.core.planes import Plane
from liverseg_gui.state.open_scan import OpenScan
from liverseg_gui.state.view import Pane, ViewState
from liverseg_gui.ui.viewer.slice_view import FRAME_PX
from liverseg_gui.ui.viewer.surface3d.canvas import SurfaceCanvas
from liverseg_gui.ui.viewer.surface3d.scene import (
    RGB,
    NoOpenGLError,
    Ring,
    Scene,
    clip_plane,
    crosshair_rings,
    scan_box,
)
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.severity import SHORT_MARK
from liverseg_gui.ui.widgets.theme import PANE_BACKGROUND, PANE_TEXT, PLANE_COLORS

if TYPE_CHECKING:
    from liverseg_gui.core.surface.mesh import Surface

NO_MASK = "Segment to see the liver in 3D"
NO_OPENGL = "3D needs OpenGL 2.1. On this display {}.\n\nEverything else works."
_CHECKED = (
    "QToolButton:checked { background: palette(highlight); color: palette(highlighted-text); }"
)


class SurfaceView(QWidget):
    """Shows surfaces and lets a lesion be chosen. `shown_changed` tells when it is seen or not.

    `canvas` is what is drawn and written, without the buttons below it.
    """

    lesion_chosen = Signal(object)
    maximize_requested = Signal()
    focused = Signal()
    shown_changed = Signal(bool)

    def __init__(self, study: OpenScan, view: ViewState) -> None:
        super().__init__()
        self._study, self._view = study, view
        self._sides: dict[Plane, float] = {}
        self._chosen = 0
        self._box_mm = np.zeros((2, 3))
        self._active = False
        self.unavailable = ""
        self.drawing = SurfaceCanvas()
        self.message = PlainLabel(NO_MASK)
        self.message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.message.setWordWrap(True)
        self.message.setStyleSheet(f"color: {PANE_TEXT};")
        self._build()
        self.drawing.chosen.connect(self._choose)
        self.drawing.failed.connect(self._give_up)
        self.drawing.maximize_requested.connect(self.maximize_requested)
        self.drawing.pressed.connect(self._focus)
        study.measured.connect(self._refresh_tips)
        study.mask_changed.connect(self._choose_none)
        for event in (view.events.styles, view.events.crosshair_ijk, view.events.crosshair_visible):
            event.connect(self._refresh_scene)
        for event in (view.events.active, view.events.layout, view.events.maximized):
            event.connect(self._refresh_frame)

    def _build(self) -> None:
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("3D view of liver and lesions")
        self.canvas = top = QWidget()
        top.setAutoFillBackground(True)  # black in every theme, as the other panes are
        palette = top.palette()
        palette.setColor(QPalette.ColorRole.Window, QColor(PANE_BACKGROUND))
        top.setPalette(palette)
        self._stack = QStackedLayout(top)
        self._stack.addWidget(self.message)
        self._stack.addWidget(self.drawing)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(FRAME_PX, FRAME_PX, FRAME_PX, FRAME_PX)
        layout.setSpacing(0)
        layout.addWidget(top, 1)
        layout.addWidget(self._clip_row())

    def _clip_row(self) -> QWidget:
        """Buttons that cut at the crosshair."""
        self._row = QWidget()
        self._row.setStyleSheet(_CHECKED)
        row = QHBoxLayout(self._row)
        row.setContentsMargins(4, 1, 4, 1)
        row.setSpacing(4)
        row.addWidget(PlainLabel("Clip:"))
        self.clips: dict[Plane, QToolButton] = {}
        for plane in Plane:
            button = QToolButton()
            button.setText(plane.title)
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setAccessibleName(f"Clip at the {plane.title.lower()} plane")
            button.setToolTip(
                f"Cut away what lies on your side of the {plane.title.lower()} plane through the "
                "crosshair. With more than one plane, the corner between them."
            )
            button.toggled.connect(lambda on, plane=plane: self._clip(plane, on))
            row.addWidget(button)
            self.clips[plane] = button
        row.addStretch(1)
        self._row.hide()
        return self._row

    def text(self) -> str:
        """What the pane says instead of, or over, its surfaces."""
        on_canvas = self._stack.currentWidget() is self.drawing
        return self.drawing.note if on_canvas else self.message.text()

    def say(self, text: str) -> None:
        """Show a text alone; the surfaces go."""
        self.drawing.note = ""
        self.drawing.clear()
        self.message.setText(text)
        self._stack.setCurrentWidget(self.message)
        self._row.hide()

    def mark_stale(self, text: str) -> None:
        """Dim what is shown and say why; a pane without surfaces says it alone."""
        if self.drawing.surfaces:
            self.drawing.note = text
            self.drawing.update()
        else:
            self.say(text)

    def prepare(self) -> bool:
        """Whether there is OpenGL to draw with; else the pane says so."""
        if not self.unavailable:
            try:
                self.drawing.prepare()
            except NoOpenGLError as error:
                self._give_up(str(error))
        return not self.unavailable

    def show_surfaces(self, surfaces: Sequence[Surface]) -> None:
        """Show `surfaces`, or say that there is no OpenGL to show them with."""
        try:
            self.drawing.show_surfaces(surfaces)
        except NoOpenGLError as error:
            self._give_up(str(error))
            return
        self.drawing.note = ""
        if self._study.volume is not None:
            self._box_mm = scan_box(self._study.volume.affine, surfaces)
        self._stack.setCurrentWidget(self.drawing)
        self._row.show()
        self._refresh_tips()
        self._refresh_scene()

    def _give_up(self, reason: str) -> None:
        self.unavailable = NO_OPENGL.format(reason)
        self.say(self.unavailable)

    def choose_lesion(self, number: int) -> None:
        """Make a lesion stand out; 0 for none."""
        if number != self._chosen:
            self._chosen = number
            self._refresh_scene()

    def _choose_none(self) -> None:
        """Lesions of another mask are others."""
        self.choose_lesion(0)

    def reset(self) -> None:
        """Look from the front at the whole."""
        self.drawing.reset()

    def _choose(self, number: int) -> None:
        measurements = self._study.measurements
        if (
            measurements is not None
            and not self.drawing.note
            and number <= len(measurements.lesions)
        ):
            self.choose_lesion(number)
            self.lesion_chosen.emit(measurements.lesions[number - 1])

    def _refresh_tips(self) -> None:
        """What is said of a lesion under the mouse."""
        measurements, volume = self._study.measurements, self._study.volume
        mark = "" if volume is None or volume.mm_reliable else SHORT_MARK
        lesions = measurements.lesions if measurements is not None else ()
        self.drawing.tips = {
            lesion.number: f"Lesion {lesion.number}, {_ml(lesion.volume_ml)} ml{mark}"
            for lesion in lesions
        }

    def _clip(self, plane: Plane, on: bool) -> None:
        """Cut from now on what lies on the reader's side of `plane`, or no more."""
        volume = self._study.volume
        self._sides.pop(plane, None)
        if on and volume is not None:
            beyond = np.linalg.inv(volume.affine.matrix)[plane.normal, :3]
            facing = float(beyond @ self.drawing.camera.towards_reader)
            self._sides[plane] = -1.0 if facing < 0 else 1.0
        self._refresh_scene()

    def _refresh_scene(self, *_: object) -> None:
        volume, view = self._study.volume, self._view
        if volume is None or not self.drawing.surfaces:
            return
        planes = [
            clip_plane(volume.affine, plane, view.crosshair_ijk, side)
            for plane, side in self._sides.items()
        ]
        clip = np.array(planes) if planes else None
        frames: list[tuple[Ring, RGB]] = []
        if view.crosshair_visible:
            rings = crosshair_rings(volume.affine, self._box_mm, view.crosshair_ijk)
            frames = [(ring, _rgb(PLANE_COLORS[plane])) for plane, ring in rings.items()]
        self.drawing.set_scene(Scene(view.styles, self._chosen, clip, frames))

    def _focus(self) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The pane that has the keyboard is the active one."""
        super().focusInEvent(event)
        self.focused.emit()

    def _refresh_frame(self, *_: object) -> None:
        active = self._view.active is Pane.SURFACE
        if active != self._active:
            self._active = active
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The frame of the active pane; a wide one while it has the keyboard."""
        wide = FRAME_PX if self.hasFocus() else int(self._active)
        if wide:
            painter = QPainter(self)
            painter.setPen(QPen(QColor(PANE_TEXT), 2 * wide))
            painter.drawRect(self.rect())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right arrow spin."""
        if not self.drawing.turn(event):
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        """Tell that it is seen."""
        super().showEvent(event)
        self.shown_changed.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Tell that it is not seen."""
        super().hideEvent(event)
        self.shown_changed.emit(False)


def _rgb(name: str) -> RGB:
    color = QColor(name)
    return color.red(), color.green(), color.blue()


def _ml(volume_ml: float) -> str:
    return f"{volume_ml:.1f}" if volume_ml >= 1 else f"{volume_ml:.2f}"
