"""Mouse handling of the annotation tools on one slice view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QObject, QPointF, Qt, Signal

from liverseg_gui.core.annotations import Annotation, AnnotationKind
from liverseg_gui.core.geometry import Float3
from liverseg_gui.state.annotations import Annotations
from liverseg_gui.state.view import Tool, ViewState
from liverseg_gui.ui.annotations.builder import AnnotationBuilder
from liverseg_gui.ui.annotations.inline_editor import InlineEditor
from liverseg_gui.ui.annotations.layer import AnnotationLayer, float3
from liverseg_gui.ui.annotations.layout import Hit
from liverseg_gui.ui.annotations.texts import KINDS
from liverseg_gui.ui.viewer.plane_box import Stroke, StrokePart
from liverseg_gui.ui.viewer.slice_frame import SliceFrame
from liverseg_gui.ui.viewer.slice_view import SliceView

_SHORTEST_PX = 3.0
_CLOSE_PX = 8.0
_POINTS_ONLY = (AnnotationKind.PROBE, AnnotationKind.TEXT)


@dataclass(frozen=True)
class _Grab:
    """A reading that is being moved, or changed by a handle; `now` is how it lies now."""

    hit: Hit
    before: Annotation
    start_ijk: Float3
    now: Annotation


class AnnotationTool(QObject):
    """Turns the gestures of a plane into readings.

    `progressed` tells that a reading was begun, finished or given up.
    """

    progressed = Signal()

    def __init__(
        self, view: SliceView, layer: AnnotationLayer, state: ViewState, annotations: Annotations
    ) -> None:
        super().__init__(view)
        self._view, self._layer, self._state, self._annotations = view, layer, state, annotations
        self._box = view.box
        self._builder: AnnotationBuilder | None = None
        self._grab: _Grab | None = None
        self._drawing_stroke = False
        self._hovered: Hit | None = None
        self._editor: InlineEditor | None = None
        view.box.stroke.connect(self._stroke)
        view.box.clicked.connect(self._click)
        view.box.hovered.connect(self._hover)
        view.box.taker = view.box.click_taker = self._takes
        state.events.tool.connect(self._change_tool)

    @property
    def unfinished(self) -> bool:
        """Whether a reading is being drawn or moved."""
        return self._builder is not None or self._grab is not None

    @property
    def can_close(self) -> bool:
        """Whether a polygon is being drawn that can be closed."""
        return self._builder is not None and self._builder.close() is not None

    def give_up(self) -> bool:
        """Drop what is unfinished; whether there was something."""
        was = self.unfinished or self._editor is not None
        if self._editor is not None:
            self._editor.give_up()
            self._editor = None
        self._builder, self._grab, self._drawing_stroke = None, None, False
        if was:
            self._show()
            self.progressed.emit()
        return was

    def close_polygon(self) -> None:
        """Finish the polygon that is being drawn."""
        made = self._builder.close() if self._builder is not None else None
        if made is not None:
            self._keep(made)

    def edit_text(self, id_: int) -> None:
        """Let the reader type another text for a reading of this slice."""
        self._type(self._annotations.items[id_], lambda text: self._annotations.set_text(id_, text))

    def _takes(self, at: QPointF) -> bool:
        """Whether a gesture that begins here is about a reading and not about the scan."""
        return self._state.tool is Tool.NAVIGATE and self._layer.hit(at) is not None

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
        elif self._builder is not None and self._drawing_stroke:
            if not self._on_shown_slice(self._builder):
                self._miss(stroke)
                return
            at = self._layer.ijk(stroke.at)
            self._builder.hover(at)
            if stroke.part is StrokePart.RELEASE:
                self._drawing_stroke = False
                self._put(at)
            self._show()

    def _miss(self, stroke: Stroke) -> None:
        """The reader scrolled away in the middle of a stroke: nothing is done to what is not seen,
        and a stroke that ends there is dropped."""
        if stroke.part is StrokePart.RELEASE:
            self.give_up()

    def _press(self, at: QPointF) -> None:
        """A drag begins: on a handle it changes a reading, else it draws one."""
        hit = self._grabbed(at)
        if hit is not None:
            annotation = self._annotations.items[hit.id]
            self._annotations.choose(hit.id)
            self._grab = _Grab(hit, annotation, self._layer.ijk(at, clamped=False), annotation)
            self._show_cursor()
            self.progressed.emit()
        elif self._state.tool.draws and self._layer.on_slice(at):
            self._builder_on_slice().press(self._layer.ijk(at))
            self._drawing_stroke = True

    def _grabbed(self, at: QPointF) -> Hit | None:
        """What a drag from `at` moves; with a tool that draws only handles of the chosen one."""
        hit = self._layer.hit(at)
        if not self._state.tool.draws:
            return hit
        if hit is None or hit.handle is None or self._builder is not None:
            return None
        return hit if hit.id == self._annotations.chosen else None

    def _drag(self, stroke: Stroke) -> None:
        frame, grab = self._layer.frame, self._grab
        if frame is None or grab is None or grab.hit.id not in self._annotations.items:
            self.give_up()
            return
        if not self._on_shown_slice(grab.before):
            self._miss(stroke)
            return
        self._grab = grab = replace(grab, now=self._dragged(grab, frame, stroke.at))
        if stroke.part is StrokePart.RELEASE:
            self._grab = None
            whole = grab.hit.handle is None or grab.before.kind in _POINTS_ONLY
            self._annotations.replace(grab.hit.id, grab.now, "move" if whole else "change")
            self._show_cursor()
            self.progressed.emit()
        self._show()

    def _dragged(self, grab: _Grab, frame: SliceFrame, at: QPointF) -> Annotation:
        by = np.subtract(self._layer.ijk(at, clamped=False), grab.start_ijk)
        handle = grab.hit.handle
        if handle is None or grab.before.kind in _POINTS_ONLY:
            return grab.before.moved(float3(by), frame.volume.shape)
        to = np.add(grab.before.handles_ijk[handle], by)
        to = np.clip(to, -0.5, np.array(frame.volume.shape) - 0.5)
        return grab.before.with_handle(handle, float3(to), frame.volume.affine)

    def _click(self, at: QPointF, double: bool) -> None:
        if self._layer.frame is None:
            return
        if self._state.tool.draws:
            self._draw_click(at, double)
        elif self._state.tool is Tool.NAVIGATE:
            hit = self._layer.hit(at)
            self._annotations.choose(hit.id if hit is not None else None)
            if hit is not None and double:
                self.edit_text(hit.id)

    def _draw_click(self, at: QPointF, double: bool) -> None:
        """Put a point; the second half of a double click closes a polygon and puts none."""
        if double:
            self.close_polygon()
        elif self._layer.on_slice(at):
            builder = self._builder_on_slice()
            first = (
                builder.points[0]
                if builder.kind is AnnotationKind.POLYGON and builder.points
                else None
            )
            if first is not None and self._layer.apart_px(self._layer.ijk(at), first) <= _CLOSE_PX:
                self.close_polygon()
            else:
                self._put(self._layer.ijk(at))
        self._show()

    def _put(self, at: Float3) -> None:
        """Put a point, unless what came of it would have no extent."""
        builder = self._builder
        if builder is None:
            return
        builder.hover(at)
        if not self._extends(builder, at):
            return
        made = builder.put(at)
        if made is not None:
            self._keep(made)
        else:
            self.progressed.emit()

    def _extends(self, builder: AnnotationBuilder, at: Float3) -> bool:
        if not builder.points:
            return True
        draft = builder.draft
        if draft is not None and draft.kind is AnnotationKind.CALIPER:
            across = draft.points_ijk[2:]
            return self._layer.apart_px(across[0], across[1]) >= _SHORTEST_PX
        last, here = self._layer.to_px([builder.points[-1], at])
        if builder.kind is AnnotationKind.ELLIPSE:
            return bool(np.abs(here - last).min() >= _SHORTEST_PX)
        return bool(np.linalg.norm(here - last) >= _SHORTEST_PX)

    def _keep(self, made: Annotation) -> None:
        """A reading is finished; of a text its words are asked first."""
        self._builder = None
        self._show()
        if made.kind is AnnotationKind.TEXT:
            self._type(made, lambda text: self._add_text(made, text))
        else:
            self._annotations.add(made)
        self.progressed.emit()

    def _add_text(self, made: Annotation, text: str) -> None:
        if text:
            self._annotations.add(made.with_text(text))

    def _type(self, annotation: Annotation, done: Callable[[str], None]) -> None:
        at = self._layer.to_px(annotation.handles_ijk)[-1]
        place = QPointF(at[0] + _CLOSE_PX, at[1] - _CLOSE_PX).toPoint()

        def typed(text: str) -> None:
            self._editor = None
            done(text)
            self._view.setFocus()

        if self._editor is not None:
            self._editor.give_up()
        self._editor = InlineEditor(self._view.canvas, place, annotation.text, typed)

    def _builder_on_slice(self) -> AnnotationBuilder:
        """The builder in use, or a new one where there is none or it is for another slice."""
        frame = self._layer.frame
        assert frame is not None
        builder = self._builder
        if builder is None or not self._on_shown_slice(builder):
            kind = KINDS[self._state.tool]
            builder = self._builder = AnnotationBuilder(
                kind, frame.plane, frame.index, frame.volume.affine
            )
            self._state.annotations_visible = True
            self._annotations.choose(None)
            self.progressed.emit()
        return builder

    def _on_shown_slice(self, drawn: AnnotationBuilder | Annotation) -> bool:
        """Whether the slice that it is drawn on is the one shown."""
        frame = self._layer.frame
        return frame is not None and (drawn.plane, drawn.index) == (frame.plane, frame.index)

    def _hover(self, at: QPointF | None) -> None:
        if self._layer.frame is None or self._grab is not None:
            return
        if self._builder is not None and at is not None:
            if self._builder.points and self._on_shown_slice(self._builder):
                self._builder.hover(self._layer.ijk(at))
                self._show()
            return
        hit = self._layer.hit(at) if at is not None else None
        if hit != self._hovered:
            self._hovered = hit
            self._show_cursor()
            self._show()

    def _show(self) -> None:
        """Let the layer draw what is being drawn or moved."""
        layer, grab, hit = self._layer, self._grab, self._hovered
        layer.draft = self._builder.draft if self._builder is not None else None
        layer.moving = (grab.hit.id, grab.now) if grab is not None else None
        layer.hovered = hit.id if hit and self._state.tool is Tool.NAVIGATE else None
        layer.show()

    def _show_cursor(self) -> None:
        """The cursor says what a press would do."""
        tool, hit = self._state.tool, self._hovered
        shape = Qt.CursorShape.ArrowCursor
        if self._grab is not None:
            shape = Qt.CursorShape.ClosedHandCursor
        elif tool.draws:
            on_handle = hit and hit.handle is not None and hit.id == self._annotations.chosen
            drawing = (
                Qt.CursorShape.IBeamCursor if tool is Tool.TEXT else Qt.CursorShape.CrossCursor
            )
            shape = Qt.CursorShape.SizeAllCursor if on_handle else drawing
        elif tool is Tool.NAVIGATE and hit is not None:
            on_line = hit.handle is None
            shape = Qt.CursorShape.OpenHandCursor if on_line else Qt.CursorShape.SizeAllCursor
        self._box.setCursor(shape)
