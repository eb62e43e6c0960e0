"""Annotations of one plane, with the one that is being drawn or moved."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from PySide6.QtCore import QPointF
from PySide6.QtGui import QFontMetricsF

from liverseg_gui.core.annotation_measures import AnnotationMeasures, measure_annotation
from liverseg_gui.core.annotations import Annotation
from liverseg_gui.core.geometry import Float3
from liverseg_gui.state.annotations import Annotations
from liverseg_gui.state.view import ViewState
from liverseg_gui.ui.annotations.graphics_item import AnnotationItem
from liverseg_gui.ui.annotations.layout import (
    AnnotationLayout,
    Hit,
    Pixels,
    hit,
    labelled,
    layout_annotation,
)
from liverseg_gui.ui.annotations.texts import measure_lines
from liverseg_gui.ui.viewer.slice_frame import SliceFrame
from liverseg_gui.ui.viewer.slice_view import SliceView


class AnnotationLayer:
    """Draws the readings of the slice shown.

    `draft` is being drawn, `moving` replaces the reading of its id while it is moved, `hovered` is
    the id of the one under the cursor; call `show` after changing them.
    """

    def __init__(self, view: SliceView, state: ViewState, annotations: Annotations) -> None:
        self._view, self._state, self._annotations = view, state, annotations
        self._box = view.box
        self._item = AnnotationItem(view.box, view.font())
        self._metrics = QFontMetricsF(view.font())
        self._drawn_key: tuple[object, ...] = ()
        self.frame: SliceFrame | None = None
        self.draft: Annotation | None = None
        self.moving: tuple[int, Annotation] | None = None
        self.hovered: int | None = None
        view.box.sigRangeChanged.connect(lambda *_: self.show())
        view.box.sigResized.connect(lambda *_: self.show())
        annotations.changed.connect(self.show)
        view.add_layer(self)

    @property
    def layouts(self) -> tuple[AnnotationLayout, ...]:
        """What is drawn, in pixels of the pane."""
        return self._item.layouts

    def redraw(self, frame: SliceFrame | None) -> None:
        """Draw the readings of the slice of `frame`."""
        self.frame = frame
        self.show()

    def hit(self, at: QPointF) -> Hit | None:
        """What of a reading lies under a point in mm of the plane."""
        return hit(self.layouts, self._box.mapFromView(at))

    def show(self) -> None:
        """Draw anew, unless it is all drawn already: a plane may only move its crosshair."""
        key = self._drawing_key(self.frame)
        if key != self._drawn_key:
            self._drawn_key = key
            self._item.show_layouts(self._layouts_of(self.frame) if self.frame else [])

    def _drawing_key(self, frame: SliceFrame | None) -> tuple[object, ...]:
        """All that the drawing depends on."""
        if frame is None:
            return ()
        shown = (
            self._annotations.on(frame.plane, frame.index)
            if self._state.annotations_visible
            else {}
        )
        if not shown and self.draft is None:
            return ()
        taken = [rect.getRect() for rect in self._view.labels.taken]
        place = (self._box.viewRect().getRect(), self._box.rect().getRect(), *taken)
        states = (self.draft, self.moving, self.hovered, self._annotations.chosen)
        return frame.volume, frame.index, self._state.slab.on, *place, *states, *shown.items()

    def _layouts_of(self, frame: SliceFrame) -> list[AnnotationLayout]:
        shown = (
            self._annotations.on(frame.plane, frame.index)
            if self._state.annotations_visible
            else {}
        )
        layouts: list[AnnotationLayout] = []
        for id_, annotation in shown.items():
            measures = self._annotations.figures(id_)
            if self.moving is not None and self.moving[0] == id_:
                annotation = self.moving[1]
                measures = measure_annotation(annotation, frame.volume)
            if measures is not None:
                layouts.append(self._layout(id_, annotation, measures))
        draft = self.draft
        if draft is not None and (draft.plane, draft.index) == (frame.plane, frame.index):
            layouts.append(self._layout(None, draft, measure_annotation(draft, frame.volume)))
        if not layouts:
            return []
        return labelled(layouts, self._metrics, self._box.rect(), self._view.labels.taken)

    def _layout(
        self, id_: int | None, annotation: Annotation, measures: AnnotationMeasures
    ) -> AnnotationLayout:
        name = (annotation.text,) if annotation.text else ()
        chosen = id_ is None or id_ == self._annotations.chosen
        return layout_annotation(
            id_,
            annotation,
            (*name, *measure_lines(measures, self._state.slab.on)),
            self.to_px,
            chosen,
            chosen or id_ == self.hovered,
        )

    def to_px(self, points_ijk: ArrayLike) -> Pixels:
        """Voxel indices as pixels of the pane, (N, 2)."""
        frame = self.frame
        assert frame is not None
        mm = frame.plane.points_to_screen(points_ijk, frame.volume.shape, frame.volume.affine)
        seen = self._box.viewRect()
        return (mm - (seen.left(), seen.top())) * self._box.px_per_mm

    def apart_px(self, one: Float3, other: Float3) -> float:
        """How far two places of the slice are apart on the screen."""
        a, b = self.to_px([one, other])
        return float(np.linalg.norm(a - b))

    def on_slice(self, at: QPointF) -> bool:
        """Whether a point in mm of the plane lies on the slice."""
        return self.frame is not None and self.frame.extent.contains(at)

    def ijk(self, at: QPointF, clamped: bool = True) -> Float3:
        """The place in the slice under a point in mm of the plane; `clamped` into the slice."""
        frame = self.frame
        assert frame is not None
        x, y, extent = at.x(), at.y(), frame.extent
        if clamped:
            x = min(max(x, extent.left()), extent.right())
            y = min(max(y, extent.top()), extent.bottom())
        volume = frame.volume
        return float3(
            frame.plane.points_to_ijk([(x, y)], frame.index, volume.shape, volume.affine)[0]
        )


def float3(values: ArrayLike) -> Float3:
    """Three numbers of an array as a point."""
    i, j, k = np.asarray(values, np.float64).tolist()
    return i, j, k
