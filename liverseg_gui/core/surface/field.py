"""A structure of a label map as a smooth field on a nearly cubic grid.

Thin slices are averaged. Thick ones are interpolated by their shape, so that the surface slopes
from one outline to the next instead of going down in steps. Source: S. P. Raya and J. K. Udupa,
Shape-based interpolation of multidimensional objects, IEEE TMI 9, 1990.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.geometry import Float3

Field = NDArray[np.float32]

_FINEST_MM, _COARSEST_MM = 0.5, 2.0
_CELLS_ACROSS = 10
_MOST_CELLS, _MOST_PADDED_CELLS = 4e6, 1e7
_MARGIN = 4
_SMOOTH_CELLS = 1.0
_DEEPEST_SLICES = 3.0
_APART_MM = 1e6


def sampled(
    inside: NDArray[np.bool_], spacing_mm: Float3
) -> tuple[Field, Callable[[NDArray[np.floating]], NDArray[np.float64]]]:
    """A field above 0 inside, and the function from its indices (N, 3) to those of `inside`.

    `inside` fills its array to the edges, (i, j, k), not empty. Its volume is kept: as many
    cells lie above 0 as the voxels inside have room for.
    """
    from scipy import ndimage  # SciPy takes half a second to load, which the window need not wait

    spacing = np.array(spacing_mm)
    share = _cell_mm(inside, spacing) / spacing
    merged = np.maximum(1, np.rint(share)).astype(int)
    split = np.maximum(1, np.rint(1 / share)).astype(int)
    before = _MARGIN * merged
    after = before + -np.array(inside.shape) % merged
    counts = np.pad(inside, np.stack([before, after], 1)).astype(np.uint16)
    for axis in range(3):
        counts = _summed(counts, axis, int(merged[axis]))
    field = counts.astype(np.float32) / merged.prod() - np.float32(0.5)
    thick = int(spacing.argmax())
    if split[thick] > 1:
        field = _depth_in_slices(field, spacing * merged, thick)
    for axis in range(3):
        field = _interpolated(field, axis, int(split[axis]))
    field = ndimage.gaussian_filter(field, _SMOOTH_CELLS, truncate=3.0)
    field -= _level(field, round(np.count_nonzero(inside) * split.prod() / merged.prod()))
    cell = merged / split

    def to_voxels(at: NDArray[np.floating]) -> NDArray[np.float64]:
        return (at + 0.5) * cell - 0.5 - before

    return field, to_voxels


def _cell_mm(inside: NDArray[np.bool_], spacing: NDArray[np.float64]) -> float:
    """How wide a cell is: a tenth of a small structure, and no more cells than are needed.

    Where the stated spacing is absurd (metres taken for mm, or the other way round), the cells go
    with the voxels: else a voxel would be split, or its margin filled, without end.
    """
    extent = spacing * inside.shape
    share = float(extent.min() / _CELLS_ACROSS)
    cell_mm = min(float(np.clip(share, _FINEST_MM, _COARSEST_MM)), max(share, float(spacing.min())))
    padded = extent + 2 * _MARGIN * spacing
    of_all = (float(extent.prod()) / _MOST_CELLS, float(padded.prod()) / _MOST_PADDED_CELLS)
    return max(cell_mm, *(mm3 ** (1 / 3) for mm3 in of_all))


def _summed(counts: NDArray[np.uint16], axis: int, group: int) -> NDArray[np.uint16]:
    """The sum of every `group` neighbors along `axis`."""
    total = counts[_every(axis, slice(0, None, group))]
    for start in range(1, group):
        total = total + counts[_every(axis, slice(start, None, group))]
    return total


def _every(axis: int, taken: slice) -> tuple[slice, ...]:
    return tuple(taken if n == axis else slice(None) for n in range(3))


def _depth_in_slices(share: Field, spacing: NDArray[np.float64], axis: int) -> Field:
    """How deep in mm each sample lies inside the outline of its own slice, negative outside.

    The slice after the last one with something inside lies as far outside as that is deep: the
    surface ends half way between them.
    """
    from scipy import ndimage

    apart = spacing.copy()
    apart[axis] = _APART_MM
    farthest = _DEEPEST_SLICES * spacing[axis]
    inside = share >= min(0.0, float(share.max()))
    depth = ndimage.distance_transform_edt(inside, apart)
    depth -= ndimage.distance_transform_edt(~inside, apart)
    depth = np.moveaxis(np.clip(depth, -farthest, farthest), axis, 0)
    deepest = depth.max(axis=(1, 2))
    beside = np.maximum(deepest[:-2], deepest[2:])
    for n in np.flatnonzero((deepest[1:-1] < 0) & (beside > 0)):
        depth[n + 1] = -beside[n]
    return np.moveaxis(depth, 0, axis).astype(np.float32)


def _interpolated(field: Field, axis: int, pieces: int) -> Field:
    """Every sample along `axis` as `pieces` samples, linearly between the middles."""
    if pieces == 1:
        return field
    size = field.shape[axis]
    at = np.clip((np.arange(size * pieces) + 0.5) / pieces - 0.5, 0, size - 1)
    low = np.minimum(at.astype(int), size - 2)
    weight = np.expand_dims(at - low, [n for n in range(3) if n != axis]).astype(np.float32)
    return field.take(low, axis) * (1 - weight) + field.take(low + 1, axis) * weight


def _level(field: Field, count: int) -> np.float32:
    """The level that `count` samples of `field`, at least one, lie above."""
    place = field.size - max(count, 1)
    below, above = np.partition(field, (place - 1, place), axis=None)[[place - 1, place]]
    return (below + above) / 2 if above > below else above - np.float32(1e-3)
