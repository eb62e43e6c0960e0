"""Closed triangle meshes around the inside of a 3D field: naive surface nets, vectorized.

Source: S. F. F. Gibson, Constrained elastic surface nets, MICCAI 1998. Each cell of eight
neighboring samples that the surface passes holds one vertex, the mean of the points where the
surface crosses the cell's edges; each edge of the grid that the surface crosses is one quad.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.geometry import Int3

Points = NDArray[np.float32]
Faces = NDArray[np.int32]

_LEAST = np.float32(1e-4)
"""Samples lie at least this far from the level, so that every crossing is between two samples."""


def surface_nets(field: NDArray[np.float32]) -> tuple[Points, Faces]:
    """The surface between samples above 0 and all others: vertices (N, 3) and faces (M, 3).

    Vertices are in fractional indices of `field`, whose outermost samples must not be above 0.
    Every edge belongs to exactly two faces, whose corners run counterclockwise seen from outside
    (in a right-handed grid, as RAS+ order is).
    """
    inside = _without_touching(field > 0)
    signed = np.where(inside, np.maximum(field, _LEAST), np.minimum(field, -_LEAST))
    cells = _crossed_cells(inside)
    number = np.full(_cell_shape(inside), -1, np.int32)
    number.ravel()[cells] = np.arange(len(cells), dtype=np.int32)
    return _vertices(signed, np.stack(np.unravel_index(cells, number.shape), 1)), _faces(
        inside, number
    )


def _without_touching(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`inside`, filled where two of its samples meet across the diagonal of a square.

    The surface would touch itself there, in an edge of four faces.
    """
    touching = True
    while touching:
        touching = False
        for u, v in ((0, 1), (0, 2), (1, 2)):
            a, b, c, d = (
                inside[_shifted(inside.shape, {u: p, v: q})]
                for p, q in ((0, 0), (1, 1), (1, 0), (0, 1))
            )
            for near, far, gap, other in ((a, b, c, d), (c, d, a, b)):
                across = near & far & ~gap & ~other
                if across.any():
                    touching = True
                    gap |= across
    return inside


def _shifted(shape: tuple[int, ...], by: dict[int, int]) -> tuple[slice, ...]:
    """All samples but the last (0) or the first (1) along the axes of `by`."""
    return tuple(
        slice(by[axis], size - 1 + by[axis]) if axis in by else slice(None)
        for axis, size in enumerate(shape)
    )


def _cell_shape(inside: NDArray[np.bool_]) -> Int3:
    i, j, k = inside.shape
    return i - 1, j - 1, k - 1


def _crossed_cells(inside: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Flat indices of the cells with corners inside and outside."""
    corners = np.zeros(_cell_shape(inside), np.uint8)
    for corner in itertools.product((0, 1), repeat=3):
        corners += inside[_shifted(inside.shape, dict(enumerate(corner)))]
    return np.flatnonzero((corners > 0) & (corners < 8))


def _vertices(signed: NDArray[np.float32], ijk: NDArray[np.intp]) -> Points:
    """The mean of the crossings on the twelve edges of each cell `ijk`."""
    steps = np.array([signed.shape[1] * signed.shape[2], signed.shape[2], 1])
    first, flat = ijk @ steps, signed.ravel()
    corner = {d: flat[first + steps @ d] for d in itertools.product((0, 1), repeat=3)}
    total, crossings = np.zeros((len(ijk), 3), np.float32), np.zeros(len(ijk), np.float32)
    for start, axis in itertools.product(corner, range(3)):
        if start[axis]:
            continue
        end = (*start[:axis], 1, *start[axis + 1 :])
        a, b = corner[start], corner[end]
        crosses = (a > 0) != (b > 0)
        at = np.tile(np.array(start, np.float32), (len(ijk), 1))
        at[:, axis] = a / np.where(crosses, a - b, 1)
        total += at * crosses[:, None]
        crossings += crosses
    return (ijk + total / crossings[:, None]).astype(np.float32)


def _faces(inside: NDArray[np.bool_], number: NDArray[np.int32]) -> Faces:
    """Two triangles for each edge of the grid that the surface crosses, around that edge."""
    flat, faces = number.ravel(), []
    steps = np.array([number.shape[1] * number.shape[2], number.shape[2], 1])
    for axis in range(3):
        u, v = steps[(axis + 1) % 3], steps[(axis + 2) % 3]
        start, end = (inside[_shifted(inside.shape, {axis: n})] for n in (0, 1))
        for leaves, turn in ((start & ~end, 1), (end & ~start, -1)):
            cell = np.argwhere(leaves) @ steps
            around = [flat[cell - u - v], flat[cell - v], flat[cell], flat[cell - u]][::turn]
            faces += [np.stack([around[n] for n in three], 1) for three in ((0, 1, 2), (0, 2, 3))]
    return np.concatenate(faces)
