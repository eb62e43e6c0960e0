"""The masks over a plane: filled, outlined or both; or where two of them agree and differ."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QPainterPath, QPen

from liverseg_gui.core.contours import smooth_contours, voxel_edges
from liverseg_gui.core.labels import LIVER, TUMOR, LabelMap
from liverseg_gui.evaluation.mask_comparison import COMPARED_COLORS, ONLY_A, ONLY_B, compare
from liverseg_gui.state.open_scan import OpenScan
from liverseg_gui.state.view import ViewState
from liverseg_gui.ui.viewer.flicker import Flicker
from liverseg_gui.ui.viewer.outline_item import (
    OutlineItem,
    outline_pen,
    path_of_curves,
    path_of_segments,
)
from liverseg_gui.ui.viewer.plane_box import PlaneBox
from liverseg_gui.ui.viewer.slice_frame import Z_CONTOUR, Z_FILL, SliceFrame

_OPAQUE_FROM = 0.4
"""Outlines are opaque from this opacity of the overlay on, and fade with it below."""

_SMOOTHER_FROM_PX = (2.5, 6.0)
"""On-screen sizes of a voxel from which corners are cut once and twice: below, no eye sees it, and
each round makes drawing take twice as long."""

_MOST_PATHS = 96
_DASHES = [4.0, 4.0]
_Masks = tuple[LabelMap, LabelMap | None]


class OverlayLayer:
    """Draws what `view` says over one plane; only what has changed is worked out anew.

    Outlines are in mm of the plane, so that zooming draws the same ones until smoother ones can be
    told from them; those of the slices seen last are kept as long as their mask is shown.
    `schedule` asks for a `redraw`.
    """

    def __init__(
        self,
        box: PlaneBox,
        schedule: Callable[[], object],
        study: OpenScan,
        view: ViewState,
        flicker: Flicker,
    ) -> None:
        self._box, self._schedule = box, schedule
        self._study, self._view, self._flicker = study, view, flicker
        self.fill = pg.ImageItem(axisOrder="row-major")
        self.fill.setZValue(Z_FILL)
        self.outlines = (OutlineItem(), OutlineItem())
        for item in (self.fill, *self.outlines):
            item.setVisible(False)
            box.addItem(item, ignoreBounds=True)
        for item in self.outlines:
            item.setZValue(Z_CONTOUR)
        self._filled: tuple[Hashable, ...] = ()
        self._colored: tuple[Hashable, ...] = ()
        self._paths: dict[Hashable, QPainterPath] = {}
        self._current_masks: tuple[LabelMap | None, ...] = ()
        self._rounds: tuple[float, int] = (1.0, 0)
        box.sigRangeChanged.connect(self._follow_zoom)
        flicker.changed.connect(schedule)

    def redraw(self, frame: SliceFrame | None) -> None:
        """Draw the masks of `frame`."""
        self._forget(frame)
        masks = self._masks(frame) if frame is not None else None
        self.fill.setVisible(masks is not None and self._view.fill)
        for item in self.outlines:
            item.setVisible(masks is not None and self._view.contour)
        if frame is None or masks is None:
            return
        if self._view.fill:
            self._draw_fill(frame, masks)
        if self._view.contour:
            self._draw_outlines(frame, masks)

    def _follow_zoom(self, *_: object) -> None:
        """Smoother outlines where voxels are large on the screen."""
        if self._view.contour and self._smoothness(self._rounds[0]) != self._rounds[1]:
            self._schedule()

    def _smoothness(self, pixel_mm: float) -> int:
        """How often corners are cut: more where a voxel of `pixel_mm` covers more of the screen."""
        screen_px = pixel_mm * self._box.px_per_mm
        return sum(screen_px >= least for least in _SMOOTHER_FROM_PX)

    def _masks(self, frame: SliceFrame) -> _Masks | None:
        """The mask to draw, or the two to compare, at this moment."""
        other = self._study.compared if self._view.comparing else None
        if frame.mask is None or not self._view.overlay_visible:
            return None
        if not self._flicker.running:
            return frame.mask, other
        if other is not None:
            return (other if self._flicker.second else frame.mask), None
        return None if self._flicker.second else (frame.mask, None)

    def _forget(self, frame: SliceFrame | None) -> None:
        """Let go of all that was made of masks that are gone: they hold a byte for each voxel."""
        current = (frame.mask, self._study.compared) if frame is not None else ()
        if current != self._current_masks:
            self._current_masks = current
            self._paths.clear()
            self._filled = ()

    def _draw_fill(self, frame: SliceFrame, masks: _Masks) -> None:
        label = self._view.compared_label
        key = (*masks, frame.index, label)
        if key != self._filled:
            mask, other = masks
            labels = frame.plane.cut(mask.labels, frame.index)
            if other is not None:
                labels = compare(labels, frame.plane.cut(other.labels, frame.index), label)
            # with these levels a label is its own index into the 256 colors of the table
            self.fill.setImage(np.ascontiguousarray(labels), levels=(0, 255))
            self.fill.setRect(frame.extent)
            self._filled = key
        colors = self._fill_colors(masks)
        if colors != self._colored:
            table = np.zeros((256, 4), np.uint8)
            for value, rgba in colors:
                table[value] = rgba
            self.fill.setLookupTable(table)
            self._colored = colors

    def _fill_colors(self, masks: _Masks) -> tuple[tuple[int, tuple[int, int, int, int]], ...]:
        """What value of the fill has which color and alpha, 0 to 255."""
        opacity = self._view.overlay_opacity
        if masks[1] is not None:
            alpha = round(255 * opacity)
            return tuple((value, (*rgb, alpha)) for value, rgb in COMPARED_COLORS.items())
        return tuple(
            (label, (*style.rgb, round(255 * opacity * style.opacity)))
            for label, style in self._view.styles.items()
            if style.visible
        )

    def _draw_outlines(self, frame: SliceFrame, masks: _Masks) -> None:
        share = min(self._view.overlay_opacity / _OPAQUE_FROM, 1.0)
        finest_mm = min(frame.pixel_mm)
        self._rounds = (finest_mm, self._smoothness(finest_mm))
        if masks[1] is None:
            drawn = self._labels_outlined(frame, masks[0], share)
        else:
            drawn = self._masks_outlined(frame, (masks[0], masks[1]), share)
        for item, (path, pen) in zip(self.outlines, drawn, strict=True):
            item.show_path(path, pen)

    def _labels_outlined(
        self, frame: SliceFrame, mask: LabelMap, share: float
    ) -> Iterable[tuple[QPainterPath, QPen]]:
        """One mask: an outline for each label in its color."""
        for label in (LIVER, TUMOR):
            style = self._view.styles[label]
            path = self._path(frame, mask, (label,)) if style.visible else QPainterPath()
            yield path, outline_pen(style.rgb, share * style.opacity, self._view.contour_px)

    def _masks_outlined(
        self, frame: SliceFrame, masks: tuple[LabelMap, LabelMap], share: float
    ) -> Iterable[tuple[QPainterPath, QPen]]:
        """Two masks: an outline for each of them; B's is dashed, so that A's is seen under it."""
        chosen = self._view.compared_label
        labels = (LIVER, TUMOR) if chosen is None else (chosen,)
        for mask, side in zip(masks, (ONLY_A, ONLY_B), strict=True):
            pen = outline_pen(COMPARED_COLORS[side], share, self._view.contour_px)
            if side == ONLY_B:
                pen.setCapStyle(Qt.PenCapStyle.FlatCap)
                pen.setDashPattern(_DASHES)
            yield self._path(frame, mask, labels), pen

    def _path(self, frame: SliceFrame, mask: LabelMap, labels: tuple[int, ...]) -> QPainterPath:
        """The outlines of labels in a slice, as they were made before if they were."""
        rounds = None if self._view.voxel_edges else self._rounds[1]
        key = (mask, frame.index, labels, rounds)
        path = self._paths.pop(key, None)
        if path is None:
            cut = np.ascontiguousarray(frame.plane.cut(mask.labels, frame.index))
            path = QPainterPath()
            for label in labels:
                path.addPath(_outline(cut, label, rounds, frame.pixel_mm))
            if len(self._paths) >= _MOST_PATHS:
                del self._paths[next(iter(self._paths))]
        self._paths[key] = path
        return path


def _outline(
    labels: NDArray[np.uint8], label: int, rounds: int | None, pixel_mm: tuple[float, float]
) -> QPainterPath:
    """A label's outline with corners cut `rounds` times, or along the voxels' borders."""
    if rounds is None:
        return path_of_segments(voxel_edges(labels, label), pixel_mm)
    return path_of_curves(smooth_contours(labels, label, rounds), pixel_mm)
