"""Readings as they lie on the screen: lines, handles and labels in pixels, and what is hit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import QFontMetricsF

from liverseg_gui.core.readings import Reading, ReadingKind, distance_to

Pixels = NDArray[np.float64]
HANDLE_PX = 4.5
_HANDLE_REACH_PX, _LINE_REACH_PX = 8.0, 6.0
_LABEL_GAP_PX = 10.0
_PADDING_PX = 4.0
_SAMPLE_PX = 5.0


@dataclass(frozen=True)
class Sketch:
    """A reading in pixels of the pane. `id` is None while it is drawn."""

    id: int | None
    kind: ReadingKind
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


def sketch(
    id_: int | None,
    reading: Reading,
    texts: tuple[str, ...],
    to_px: Callable[[ArrayLike], Pixels],
    metrics: QFontMetricsF,
    within: QRectF,
    taken: Sequence[QRectF],
    chosen: bool,
    handles_shown: bool,
) -> Sketch:  # fmt: skip
    """Place a reading; its label stays in `within` and off `taken`, its handles and its lines."""
    lines = tuple(to_px(line) for line in reading.outlines_ijk)
    handles = to_px(reading.handles_ijk)
    avoid = [*taken, *(_around(handle[None], HANDLE_PX + 1) for handle in handles)]
    label = _label(_size(texts, metrics), _anchor(reading, lines), avoid, lines, within)
    return Sketch(id_, reading.kind, lines, handles, label, texts, chosen, handles_shown)


def hit(sketches: Sequence[Sketch], at: QPointF) -> Hit | None:
    """What lies under `at`: the chosen reading first, then the newest; handles before lines."""
    point = (at.x(), at.y())
    newest_first = list(reversed(sketches))
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
    if not texts:
        return QSizeF(0, 0)
    width = max(metrics.horizontalAdvance(text) for text in texts)
    return QSizeF(width + 2 * _PADDING_PX, metrics.height() * len(texts) + _PADDING_PX)


def _anchor(reading: Reading, lines: tuple[Pixels, ...]) -> QRectF:
    """What the label stands beside: the last point of a line, else the whole reading."""
    if reading.kind in (ReadingKind.RULER, ReadingKind.ARROW):
        return _around(lines[0][-1:], 0.0)
    return _around(np.concatenate(lines), 0.0)


def _around(points: Pixels, margin: float) -> QRectF:
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return QRectF(left, top, right - left, bottom - top).adjusted(-margin, -margin, margin, margin)


def _label(
    size: QSizeF, beside: QRectF, avoid: list[QRectF], lines: tuple[Pixels, ...], within: QRectF
) -> QRectF:
    """The first place beside, below or above that covers the least."""
    samples = np.concatenate([_sampled(line) for line in lines])
    places = [_inside(place, within) for place in _places(size, beside)]
    return min(places, key=lambda place: _covered(place, avoid, samples))


def _places(size: QSizeF, beside: QRectF) -> list[QRectF]:
    width, height = size.width(), size.height()
    left, right = beside.left() - _LABEL_GAP_PX - width, beside.right() + _LABEL_GAP_PX
    above, below = beside.top() - _LABEL_GAP_PX - height, beside.bottom() + _LABEL_GAP_PX
    x, y = beside.center().x() - width / 2, beside.center().y() - height / 2
    corners = [(right, y), (left, y), (x, below), (x, above)]
    corners += [(right, below), (left, below), (right, above), (left, above)]
    return [QRectF(QPointF(*corner), size) for corner in corners]


def _inside(rect: QRectF, within: QRectF) -> QRectF:
    """`rect` shifted into `within`, so that a label can always be read."""
    x = max(min(rect.left(), within.right() - rect.width()), within.left())
    y = max(min(rect.top(), within.bottom() - rect.height()), within.top())
    return QRectF(QPointF(x, y), rect.size())


def _covered(rect: QRectF, avoid: list[QRectF], samples: Pixels) -> float:
    """How much of other things a label would hide, px2; a piece of line counts as a square."""
    overlaps = (rect.intersected(other) for other in avoid)
    area = sum(each.width() * each.height() for each in overlaps)
    inside = (samples >= (rect.left(), rect.top())) & (samples <= (rect.right(), rect.bottom()))
    return float(area + inside.all(axis=1).sum() * _SAMPLE_PX**2)


def _sampled(line: Pixels) -> Pixels:
    """Points every few pixels along a line."""
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    count = min(int(lengths[-1] / _SAMPLE_PX) + 2, 1000)
    at = np.linspace(0, lengths[-1], count)
    return np.stack([np.interp(at, lengths, line[:, axis]) for axis in (0, 1)], axis=1)
