"""Readings on one plane: drawn with the tools, moved by their lines and handles, typed on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtGui import QFontMetricsF

from liverseg_gui.core.geometry import Float3
from liverseg_gui.core.reading_figures import Figures, figures_of
from liverseg_gui.core.readings import Reading, ReadingKind
from liverseg_gui.state.readings import Readings
from liverseg_gui.state.view import Tool, ViewState
from liverseg_gui.ui.frame import Frame
from liverseg_gui.ui.inline_text import InlineText
from liverseg_gui.ui.plane_box import Stroke, StrokePart
from liverseg_gui.ui.reading_item import ReadingItem
from liverseg_gui.ui.reading_pen import Pen
from liverseg_gui.ui.reading_sketch import Hit, Pixels, Sketch, hit, labelled, sketch
from liverseg_gui.ui.reading_texts import KINDS, figure_lines
from liverseg_gui.ui.slice_view import SliceView

_SHORTEST_PX = 3.0
_CLOSE_PX = 8.0
_POINTS_ONLY = (ReadingKind.PROBE, ReadingKind.TEXT)


@dataclass(frozen=True)
class _Grab:
    """A reading that is being moved, or changed by a handle; `now` is how it lies now."""

    hit: Hit
    before: Reading
    start_ijk: Float3
    now: Reading


class ReadingLayer(QObject):
    """Draws the readings of the slice shown, and changes them by gestures.

    `progressed` tells that a reading was begun, finished or given up.
    """

    progressed = Signal()

    def __init__(self, view: SliceView, state: ViewState, readings: Readings) -> None:
        super().__init__(view)
        self._view, self._state, self._readings = view, state, readings
        self._box = view.box
        self._item = ReadingItem(view.box, view.font())
        self._metrics = QFontMetricsF(view.font())
        self._frame: Frame | None = None
        self._pen: Pen | None = None
        self._grab: _Grab | None = None
        self._drawing_stroke = False
        self._hovered: Hit | None = None
        self._shown: tuple[object, ...] = ()
        self._editor: InlineText | None = None
        view.box.stroke.connect(self._stroke)
        view.box.clicked.connect(self._click)
        view.box.hovered.connect(self._hover)
        view.box.sigRangeChanged.connect(lambda *_: self._show())
        view.box.sigResized.connect(lambda *_: self._show())
        view.box.taker = view.box.click_taker = self._takes
        readings.changed.connect(self._show)
        state.events.tool.connect(self._change_tool)
        view.add_layer(self)

    @property
    def sketches(self) -> tuple[Sketch, ...]:
        """What is drawn, in pixels of the pane."""
        return self._item.sketches

    @property
    def unfinished(self) -> bool:
        """Whether a reading is being drawn or moved."""
        return self._pen is not None or self._grab is not None

    @property
    def can_close(self) -> bool:
        """Whether a polygon is being drawn that can be closed."""
        return self._pen is not None and self._pen.close() is not None

    def redraw(self, frame: Frame | None) -> None:
        """Draw the readings of the slice of `frame`."""
        self._frame = frame
        self._show()

    def give_up(self) -> bool:
        """Drop what is unfinished; whether there was something."""
        was = self.unfinished or self._editor is not None
        if self._editor is not None:
            self._editor.give_up()
            self._editor = None
        self._pen, self._grab, self._drawing_stroke = None, None, False
        if was:
            self._show()
            self.progressed.emit()
        return was

    def close_polygon(self) -> None:
        """Finish the polygon that is being drawn."""
        made = self._pen.close() if self._pen is not None else None
        if made is not None:
            self._keep(made)

    def _takes(self, at: QPointF) -> bool:
        """Whether a gesture that begins here is about a reading and not about the scan."""
        return self._state.tool is Tool.NAVIGATE and self._hit(at) is not None

    def _hit(self, at: QPointF) -> Hit | None:
        return hit(self.sketches, self._box.mapFromView(at))

    def _change_tool(self, *_: object) -> None:
        self.give_up()
        self._hovered = None
        self._show_cursor()
        self._show()

    def _stroke(self, stroke: Stroke) -> None:
        if stroke.part is StrokePart.PRESS:
            self._press(stroke.start)
        elif self._grab is not None:
            self._drag(stroke)
        elif self._pen is not None and self._drawing_stroke:
            at = self._ijk(stroke.at)
            self._pen.hover(at)
            if stroke.part is StrokePart.RELEASE:
                self._drawing_stroke = False
                self._put(at)
            self._show()

    def _press(self, at: QPointF) -> None:
        """A drag begins: on a handle it changes a reading, else it draws one."""
        found = self._grabbed(at)
        if found is not None:
            reading = self._readings.items[found.id]
            self._readings.choose(found.id)
            self._grab = _Grab(found, reading, self._ijk(at, clamped=False), reading)
            self._show_cursor()
            self.progressed.emit()
        elif self._state.tool.draws and self._on_slice(at):
            self._pen_here().press(self._ijk(at))
            self._drawing_stroke = True

    def _grabbed(self, at: QPointF) -> Hit | None:
        """What a drag from `at` moves; with a tool that draws only handles of the chosen one."""
        found = self._hit(at)
        if not self._state.tool.draws:
            return found
        if found is None or found.handle is None or self._pen is not None:
            return None
        return found if found.id == self._readings.chosen else None

    def _drag(self, stroke: Stroke) -> None:
        frame, grab = self._frame, self._grab
        if frame is None or grab is None or grab.hit.id not in self._readings.items:
            self.give_up()
            return
        self._grab = grab = replace(grab, now=self._dragged(grab, frame, stroke.at))
        if stroke.part is StrokePart.RELEASE:
            self._grab = None
            whole = grab.hit.handle is None or grab.before.kind in _POINTS_ONLY
            self._readings.replace(grab.hit.id, grab.now, "move" if whole else "change")
            self._show_cursor()
            self.progressed.emit()
        self._show()

    def _dragged(self, grab: _Grab, frame: Frame, at: QPointF) -> Reading:
        by = np.subtract(self._ijk(at, clamped=False), grab.start_ijk)
        handle = grab.hit.handle
        if handle is None or grab.before.kind in _POINTS_ONLY:
            return grab.before.moved(_float3(by), frame.volume.shape)
        to = np.add(grab.before.handles_ijk[handle], by)
        to = np.clip(to, -0.5, np.array(frame.volume.shape) - 0.5)
        return grab.before.with_handle(handle, _float3(to), frame.volume.affine)

    def _click(self, at: QPointF, double: bool) -> None:
        if self._frame is None:
            return
        if self._state.tool.draws:
            self._draw_click(at, double)
        elif self._state.tool is Tool.NAVIGATE:
            found = self._hit(at)
            self._readings.choose(found.id if found is not None else None)
            if found is not None and double:
                self.edit_text(found.id)

    def _draw_click(self, at: QPointF, double: bool) -> None:
        """Put a point; the second half of a double click closes a polygon and puts none."""
        if double:
            self.close_polygon()
        elif self._on_slice(at):
            pen = self._pen_here()
            first = pen.points[0] if pen.kind is ReadingKind.POLYGON and pen.points else None
            if first is not None and self._apart_px(self._ijk(at), first) <= _CLOSE_PX:
                self.close_polygon()
            else:
                self._put(self._ijk(at))
        self._show()

    def _put(self, at: Float3) -> None:
        """Put a point, unless what came of it would have no extent."""
        pen = self._pen
        if pen is None:
            return
        pen.hover(at)
        if not self._extends(pen, at):
            return
        made = pen.put(at)
        if made is not None:
            self._keep(made)
        else:
            self.progressed.emit()

    def _extends(self, pen: Pen, at: Float3) -> bool:
        if not pen.points:
            return True
        draft = pen.draft
        if draft is not None and draft.kind is ReadingKind.CALIPER:
            across = draft.points_ijk[2:]
            return self._apart_px(across[0], across[1]) >= _SHORTEST_PX
        last, here = self._to_px([pen.points[-1], at])
        if pen.kind is ReadingKind.ELLIPSE:
            return bool(np.abs(here - last).min() >= _SHORTEST_PX)
        return bool(np.linalg.norm(here - last) >= _SHORTEST_PX)

    def _keep(self, made: Reading) -> None:
        """A reading is finished; of a text its words are asked first."""
        self._pen = None
        if made.kind is ReadingKind.TEXT:
            self._type(made, lambda text: self._add_text(made, text))
        else:
            self._readings.add(made)
        self.progressed.emit()

    def _add_text(self, made: Reading, text: str) -> None:
        if text:
            self._readings.add(made.with_text(text))

    def edit_text(self, id_: int) -> None:
        """Let the reader type another text for a reading of this slice."""
        self._type(self._readings.items[id_], lambda text: self._readings.set_text(id_, text))

    def _type(self, reading: Reading, done: Callable[[str], None]) -> None:
        at = self._to_px(reading.handles_ijk)[-1]
        place = QPointF(at[0] + _CLOSE_PX, at[1] - _CLOSE_PX).toPoint()

        def typed(text: str) -> None:
            self._editor = None
            done(text)
            self._view.setFocus()

        if self._editor is not None:
            self._editor.give_up()
        self._editor = InlineText(self._view.canvas, place, reading.text, typed)

    def _pen_here(self) -> Pen:
        """The pen in use, or a new one where there is none or it was used on another slice."""
        frame = self._frame
        assert frame is not None
        pen = self._pen
        if pen is None or (pen.plane, pen.index) != (frame.plane, frame.index):
            kind = KINDS[self._state.tool]
            pen = self._pen = Pen(kind, frame.plane, frame.index, frame.volume.affine)
            self._state.readings_visible = True
            self._readings.choose(None)
            self.progressed.emit()
        return pen

    def _hover(self, at: QPointF | None) -> None:
        if self._frame is None or self._grab is not None:
            return
        if self._pen is not None and at is not None:
            if self._pen.points:
                self._pen.hover(self._ijk(at))
                self._show()
            return
        found = self._hit(at) if at is not None else None
        if found != self._hovered:
            self._hovered = found
            self._show_cursor()
            self._show()

    def _show_cursor(self) -> None:
        """The cursor says what a press would do."""
        tool, found = self._state.tool, self._hovered
        shape = Qt.CursorShape.ArrowCursor
        if self._grab is not None:
            shape = Qt.CursorShape.ClosedHandCursor
        elif tool.draws:
            on_handle = found and found.handle is not None and found.id == self._readings.chosen
            drawing = (
                Qt.CursorShape.IBeamCursor if tool is Tool.TEXT else Qt.CursorShape.CrossCursor
            )
            shape = Qt.CursorShape.SizeAllCursor if on_handle else drawing
        elif tool is Tool.NAVIGATE and found is not None:
            on_line = found.handle is None
            shape = Qt.CursorShape.OpenHandCursor if on_line else Qt.CursorShape.SizeAllCursor
        self._box.setCursor(shape)

    def _show(self) -> None:
        """Draw anew, unless it is all drawn already: a plane may only move its crosshair."""
        wanted = self._wanted(self._frame)
        if wanted != self._shown:
            self._shown = wanted
            self._item.show_sketches(self._sketched(self._frame) if self._frame else [])

    def _wanted(self, frame: Frame | None) -> tuple[object, ...]:
        """All that the drawing depends on."""
        if frame is None:
            return ()
        shown = self._readings.on(frame.plane, frame.index) if self._state.readings_visible else {}
        draft = self._pen.draft if self._pen is not None else None
        if not shown and draft is None:
            return ()
        taken = [rect.getRect() for rect in self._view.labels.taken]
        place = (self._box.viewRect().getRect(), self._box.rect().getRect(), *taken)
        hands = (self._grab, draft, self._readings.chosen, self._hovered, self._state.tool)
        return frame.volume, frame.index, self._state.slab.on, *place, *hands, *shown.items()

    def _sketched(self, frame: Frame) -> list[Sketch]:
        shown = self._readings.on(frame.plane, frame.index) if self._state.readings_visible else {}
        found: list[Sketch] = []
        for id_, reading in shown.items():
            figures = self._readings.figures(id_)
            if self._grab is not None and self._grab.hit.id == id_:
                reading = self._grab.now
                figures = figures_of(reading, frame.volume)
            if figures is not None:
                found.append(self._sketch(id_, reading, figures))
        draft = self._pen.draft if self._pen is not None else None
        if draft is not None and (draft.plane, draft.index) == (frame.plane, frame.index):
            found.append(self._sketch(None, draft, figures_of(draft, frame.volume)))
        if not found:
            return []
        return labelled(found, self._metrics, self._box.rect(), self._view.labels.taken)

    def _sketch(self, id_: int | None, reading: Reading, figures: Figures) -> Sketch:
        name = (reading.text,) if reading.text else ()
        chosen = id_ is None or id_ == self._readings.chosen
        hovered = self._hovered is not None and self._hovered.id == id_
        return sketch(
            id_,
            reading,
            (*name, *figure_lines(figures, self._state.slab.on)),
            self._to_px,
            chosen,
            chosen or (hovered and self._state.tool is Tool.NAVIGATE),
        )

    def _to_px(self, points_ijk: ArrayLike) -> Pixels:
        """Voxel indices as pixels of the pane, (N, 2)."""
        frame = self._frame
        assert frame is not None
        mm = frame.plane.points_to_screen(points_ijk, frame.volume.shape, frame.volume.affine)
        seen = self._box.viewRect()
        return (mm - (seen.left(), seen.top())) * self._box.px_per_mm

    def _apart_px(self, one: Float3, other: Float3) -> float:
        a, b = self._to_px([one, other])
        return float(np.linalg.norm(a - b))

    def _on_slice(self, at: QPointF) -> bool:
        return self._frame is not None and self._frame.extent.contains(at)

    def _ijk(self, at: QPointF, clamped: bool = True) -> Float3:
        """The place in the slice under a point in mm of the plane; `clamped` into the slice."""
        frame = self._frame
        assert frame is not None
        x, y, extent = at.x(), at.y(), frame.extent
        if clamped:
            x = min(max(x, extent.left()), extent.right())
            y = min(max(y, extent.top()), extent.bottom())
        volume = frame.volume
        return _float3(
            frame.plane.points_to_ijk([(x, y)], frame.index, volume.shape, volume.affine)[0]
        )


def _float3(values: ArrayLike) -> Float3:
    i, j, k = np.asarray(values, np.float64).tolist()
    return i, j, k
