"""Outlines of labels on a slice: exact along voxel borders, or smooth within half a pixel.

Points are (column, row) counted from the corner of the slice's first pixel, whose middle is at
(0.5, 0.5); scale them by the pixel's width and height for mm. A label's outline encloses it and
all labels above it: the liver's is that of liver and tumor, so no line doubles along a tumor.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_ROUNDS = 2
"""After so many rounds of corner cutting a right angle turns in steps below 15 degrees."""

_STRAIGHT = 1e-9


def voxel_edges(labels: NDArray[np.uint8], label: int) -> NDArray[np.float64]:
    """The borders of `label`'s voxels as straight segments, (N, 2 ends, 2) in (column, row).

    `labels` is a slice, (rows, columns). The inside lies to the right of every segment's way from
    its first end to its second where rows count downwards. Each segment is as long as the border
    runs straight.
    """
    cut = _cropped(labels, label)
    if cut is None:
        return np.empty((0, 2, 2))
    inside, corner = cut
    steps = inside.astype(np.int8)
    along_rows = _runs(np.diff(steps, axis=0))
    along_columns = _runs(-np.diff(steps, axis=1).T)[..., ::-1]
    return np.concatenate([along_rows, along_columns]) + corner


def smooth_contours(
    labels: NDArray[np.uint8], label: int, rounds: int = MOST_ROUNDS
) -> list[NDArray[np.float64]]:
    """The outlines of `label` as closed curves: (N, 2) in (column, row), the last point the first.

    `labels` is a slice, (rows, columns). The curves run through the middle of every voxel side and
    cut corners, `rounds` times more (Chaikin 1974), each of which doubles their points: no point is
    farther from the voxels' border than a quarter pixel, no point of the border farther from a
    curve than 0.36 pixels. Voxels that touch by a corner have outlines of their own.
    """
    cut = _cropped(labels, label)
    if cut is None:
        return []
    inside, corner = cut
    points, starts = _outlines(inside)
    for _ in range(rounds):
        points, starts = _corners_cut(points, starts)
    points, starts = _without_straight(points, starts)
    points += corner + 0.5
    ends = np.append(starts[1:], len(points))
    return [
        np.concatenate([points[start:end], points[start : start + 1]])
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]


def _cropped(
    labels: NDArray[np.uint8], label: int
) -> tuple[NDArray[np.bool_], NDArray[np.float64]] | None:
    """The voxels of `label` with a free margin of one, and the (column, row) of their corner."""
    whole = labels >= label
    rows, columns = np.flatnonzero(whole.any(axis=1)), np.flatnonzero(whole.any(axis=0))
    if not len(rows):
        return None
    top, left = rows[0], columns[0]
    inside = np.pad(whole[top : rows[-1] + 1, left : columns[-1] + 1], 1)
    return inside, np.array([left - 1, top - 1], np.float64)


def _runs(sides: NDArray[np.int8]) -> NDArray[np.float64]:
    """Runs of equal sides along the lines between rows, as directed segments.

    `sides` is 1 where the inside begins below a line and -1 where it ends; (lines, columns).
    """
    padded = np.pad(sides, ((0, 0), (1, 1)))
    changes = padded[:, 1:] != padded[:, :-1]
    first = changes & (padded[:, 1:] != 0)
    last = changes & (padded[:, :-1] != 0)
    line, start = np.nonzero(first)
    _, stop = np.nonzero(last)
    forward = sides[line, start] > 0
    out = np.empty((len(line), 2, 2))
    out[:, 0, 0] = np.where(forward, start, stop)
    out[:, 1, 0] = np.where(forward, stop, start)
    out[:, :, 1] = (line + 1)[:, None]
    return out


def _outlines(inside: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Closed polygons through the middles of the voxels' sides, and where each of them starts."""
    from contourpy import LineType, contour_generator  # the first window need not wait for it

    generator = contour_generator(
        z=inside.astype(np.float64), name="serial", line_type=LineType.ChunkCombinedOffset
    )
    lines: Any = generator.lines(0.5)  # one array of points and one of bounds for each chunk
    points, bounds = lines[0][0], lines[1][0]
    keep = np.ones(len(points), bool)
    keep[bounds[1:] - 1] = False  # the last point repeats the first
    starts = bounds[:-1].astype(np.int64) - np.arange(len(bounds) - 1)
    return points[keep], starts


def _neighbor(points: int, starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The index of each point's successor on its polygon."""
    after = np.arange(1, points + 1)
    after[np.append(starts[1:], points) - 1] = starts
    return after


def _corners_cut(
    points: NDArray[np.float64], starts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Each side's two points a quarter from its ends, instead of its ends."""
    following = points[_neighbor(len(points), starts)]
    out = np.empty((2 * len(points), 2))
    out[0::2] = 0.75 * points + 0.25 * following
    out[1::2] = 0.25 * points + 0.75 * following
    return out, 2 * starts


def _without_straight(
    points: NDArray[np.float64], starts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Without the points at which a polygon does not turn: they cost time to draw."""
    after = _neighbor(len(points), starts)
    way = points[after] - points
    came = np.empty_like(way)
    came[after] = way
    turns = np.abs(came[:, 0] * way[:, 1] - came[:, 1] * way[:, 0]) > _STRAIGHT
    counted = np.concatenate([[0], np.cumsum(turns)])
    return points[turns], counted[starts]
