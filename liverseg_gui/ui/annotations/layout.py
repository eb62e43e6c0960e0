"""Layout of annotations on the screen: lines, handles and labels in pixels; hit testing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import QFontMetricsF

from liverseg_gui.core.annotations import Annotation, AnnotationKind, distance_to

Pixels = NDArray[np.float64]
Edges = tuple[float, float, float, float]
"""Left, top, right and bottom of a rectangle."""

HANDLE_PX = 4.5
_HANDLE_HALF_PX = HANDLE_PX + 1
_HANDLE_REACH_PX, _LINE_REACH_PX = 8.0, 6.0
_LABEL_GAP_PX = 10.0
_PADDING_PX = 4.0
_SAMPLE_PX = 8.0


@dataclass(frozen=True)
class AnnotationLayout:
    """A reading in pixels of the pane. `id` is None while it is drawn."""

    id: int | None
    kind: AnnotationKind
    lines: tuple[Pixels, ...]
    handles: Pixels
    label: QRectF
    texts: tuple[str, ...]
    chosen: bool = False
    handles_shown: bool = False


@dataclass(frozen=True)
class Hit:
    """A reading under the cursor; `handle` is the one that was hit, None for line or label."""

    id: int
    handle: int | None


def layout_annotation(
    id_: int | None,
    annotation: Annotation,
    texts: tuple[str, ...],
    to_px: Callable[[ArrayLike], Pixels],
    chosen: bool,
    handles_shown: bool,
) -> AnnotationLayout:
    """A reading with its lines and handles in place; `labelled` finds the place of its label."""
    lines = tuple(to_px(line) for line in annotation.outlines_ijk)
    handles = to_px(annotation.handles_ijk)
    return AnnotationLayout(
        id_, annotation.kind, lines, handles, QRectF(), texts, chosen, handles_shown
    )


def labelled(
    layouts: Sequence[AnnotationLayout],
    metrics: QFontMetricsF,
    within: QRectF,
    taken: Sequence[QRectF],
) -> list[AnnotationLayout]:
    """Put every label into `within`, off `taken` and off lines, handles and other labels.

    A reading of which nothing is in `within` has no label.
    """
    samples = [np.concatenate([_sampled(line) for line in each.lines]) for each in layouts]
    handles = [each.handles for each in layouts if each.handles_shown]
    avoid = [_edges(rect) for rect in taken]
    avoid += [
        (x - _HANDLE_HALF_PX, y - _HANDLE_HALF_PX, x + _HANDLE_HALF_PX, y + _HANDLE_HALF_PX)
        for at in handles
        for x, y in at
    ]
    every, placed = np.concatenate([np.empty((0, 2)), *samples]), []
    for each, own in zip(layouts, samples, strict=True):
        seen = own[_inside(own, np.array(_edges(within)))]
        if each.texts and len(seen):
            beside = _anchor(each.kind, seen)
            label = _label(_size(each.texts, metrics), beside, avoid, every, within)
            avoid.append(_edges(label))
            placed.append(replace(each, label=label))
        else:
            placed.append(replace(each, texts=()))
    return placed


def hit(layouts: Sequence[AnnotationLayout], at: QPointF) -> Hit | None:
    """What lies under `at`: the chosen reading first, then the newest; handles before lines."""
    point = (at.x(), at.y())
    newest_first = list(reversed(layouts))
    for each in sorted(newest_first, key=lambda each: not each.chosen):
        if each.id is None:
            continue
        apart = np.linalg.norm(each.handles - point, axis=1)
        if apart.min() <= _HANDLE_REACH_PX:
            return Hit(each.id, int(apart.argmin()))
        on_line = any(distance_to(line, point) <= _LINE_REACH_PX for line in each.lines)
        if on_line or (each.texts and each.label.contains(at)):
            return Hit(each.id, None)
    return None


def _size(texts: tuple[str, ...], metrics: QFontMetricsF) -> QSizeF:
    width = max(metrics.horizontalAdvance(text) for text in texts)
    return QSizeF(width + 2 * _PADDING_PX, metrics.height() * len(texts) + _PADDING_PX)


def _anchor(kind: AnnotationKind, seen: Pixels) -> Edges:
    """What the label stands beside: the end of a line, else all of the reading that is seen."""
    points = seen[-1:] if kind in (AnnotationKind.RULER, AnnotationKind.ARROW) else seen
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return left, top, right, bottom


def _edges(rect: QRectF) -> Edges:
    return rect.left(), rect.top(), rect.right(), rect.bottom()


def _label(
    size: QSizeF, beside: Edges, avoid: list[Edges], samples: Pixels, within: QRectF
) -> QRectF:
    """The first place beside, below or above that covers the least of other things.

    A piece of line counts as a square of its length.
    """
    corners = _label_corners(size, beside)
    extent = np.array([size.width(), size.height()])
    least = np.array([within.left(), within.top()])
    most = np.array([within.right(), within.bottom()]) - extent
    corners = np.maximum(np.minimum(corners, most), least)
    rects = np.concatenate([corners, corners + extent], axis=1)[:, None]
    others = np.array(avoid).reshape(-1, 4)
    low = np.maximum(rects[..., :2], others[:, :2])
    high = np.minimum(rects[..., 2:], others[:, 2:])
    overlap = np.maximum(high - low, 0).prod(axis=2).sum(axis=1)
    lines = _inside(samples, rects).sum(axis=1) * _SAMPLE_PX**2
    x, y = corners[(overlap + lines).argmin()]
    return QRectF(QPointF(x, y), size)


def _label_corners(size: QSizeF, beside: Edges) -> Pixels:
    """Upper left corners for a label, the best first: right, left, below, above, then corners."""
    width, height = size.width(), size.height()
    left, right = beside[0] - _LABEL_GAP_PX - width, beside[2] + _LABEL_GAP_PX
    above, below = beside[1] - _LABEL_GAP_PX - height, beside[3] + _LABEL_GAP_PX
    x, y = (beside[0] + beside[2] - width) / 2, (beside[1] + beside[3] - height) / 2
    straight = [(right, y), (left, y), (x, below), (x, above)]
    return np.array([*straight, (right, below), (left, below), (right, above), (left, above)])


def _inside(points: Pixels, edges: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of `points` (N, 2) lie in rectangles (..., 4)."""
    low, high = edges[..., :2], edges[..., 2:]
    return np.asarray(((points >= low) & (points <= high)).all(axis=-1))


def _sampled(line: Pixels) -> Pixels:
    """Points every few pixels along a line."""
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    count = min(int(lengths[-1] / _SAMPLE_PX) + 2, 1000)
    at = np.linspace(0, lengths[-1], count)
    return np.stack([np.interp(at, lengths, line[:, axis]) for axis in (0, 1)], axis=1)
