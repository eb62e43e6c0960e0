"""Source slices that lie unevenly or askew, and the even grid they are resampled onto.

One affine expresses neither uneven slices nor a tilted gantry (docs/adr/0005), so such a scan is
resampled; its slices are remembered, and a mask can be brought back to each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.geometry import Affine, Int3, StoredGrid
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.progress import Progress

AIR_HU = -1024
_SAME_PIXEL = 0.02
_MOST_GROWTH = 6.0


@dataclass(frozen=True)
class SourceSlices:
    """Parallel slices of `shape` (columns, rows), in the order of their depth.

    `affines` map (column, row, 0) to patient mm; `names` tell the files apart.
    """

    names: tuple[str, ...]
    shape: tuple[int, int]
    affines: tuple[Affine, ...]

    def labels(self, mask: LabelMap, index: int) -> NDArray[np.uint8]:
        """`mask` on slice `index`: the nearest voxel's label, shape (columns, rows), uint8."""
        columns, rows = self.shape
        to_voxel = np.linalg.inv(mask.affine.matrix) @ self.affines[index].matrix
        column, row = np.ogrid[:columns, :rows]
        at = [
            np.rint(axis[0] * column + axis[1] * row + axis[3]).astype(np.intp)
            for axis in to_voxel[:3]
        ]
        inside = np.ones((columns, rows), bool)
        for n, size in zip(at, mask.labels.shape, strict=True):
            inside &= (n >= 0) & (n < size)
            np.clip(n, 0, size - 1, out=n)
        return np.where(inside, mask.labels[at[0], at[1], at[2]], 0).astype(np.uint8)


def even_grid(shape: tuple[int, int], affines: Sequence[Affine]) -> StoredGrid:
    """The upright grid with the usual distance of the slices that covers them all.

    `affines` map (column, row, 0) of parallel slices to patient mm, sorted along their normal.

    Raises:
        ValueError: they lie so far askew or apart that the grid would be many times their size.
    """
    first = affines[0].matrix
    u, v, normal, shifts, depths = _layout(affines)
    step = median_step(np.diff(depths))
    low = np.floor(shifts.min(axis=0) + _SAME_PIXEL)
    extra = np.ceil(shifts.max(axis=0) - low - _SAME_PIXEL)
    slices = np.ceil((depths[-1] - depths[0]) / step - 1e-3) + 1 if step > 0 else np.inf
    growth = np.prod(1 + extra / shape) * slices / len(affines)
    if not growth <= _MOST_GROWTH:
        raise ValueError("no even grid of a reasonable size holds the slices")
    count = int(slices)
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1], matrix[:3, 2] = u, v, normal * step
    matrix[:3, 3] = first[:3, 3] + low[0] * u + low[1] * v
    size: Int3 = (shape[0] + int(extra[0]), shape[1] + int(extra[1]), count)
    return StoredGrid(size, Affine(matrix))


def median_step(steps: NDArray[np.float64]) -> float:
    """The distance that most of the slices have: the lower median, so that it is one of theirs."""
    return float(np.sort(steps)[(len(steps) - 1) // 2])


def slice_affines(grid: StoredGrid) -> tuple[Affine, ...]:
    """The affine of each slice along k of `grid`: (column, row, 0) to patient mm."""
    matrix = grid.affine.matrix
    normal = np.cross(matrix[:3, 0], matrix[:3, 1])
    affines = []
    for k in range(grid.shape[2]):
        at = matrix.copy()
        at[:3, 2] = normal / np.linalg.norm(normal)
        at[:3, 3] += k * matrix[:3, 2]
        affines.append(Affine(at))
    return tuple(affines)


def resample_even(
    stack: NDArray[np.int16], affines: Sequence[Affine], grid: StoredGrid, progress: Progress
) -> NDArray[np.int16]:
    """Interpolate a `stack` (columns, rows, slices) linearly onto `grid` of `even_grid`.

    Returns int16 HU of the grid's shape, Fortran order; air where no slice reaches. A place
    between two slices is mixed from the two at the same patient position, so a tilt is undone.
    """
    *_, shifts, depths = _layout(affines)
    low = np.floor(shifts.min(axis=0) + _SAME_PIXEL)
    step = grid.affine.spacing_mm[2]
    out = np.empty(grid.shape, np.int16, order="F")
    placed: dict[int, NDArray[np.float32]] = {}

    def place(n: int) -> NDArray[np.float32]:
        if n not in placed:
            for old in [m for m in placed if m < n - 1]:
                del placed[old]
            placed[n] = _placed(stack[:, :, n], shifts[n] - low, grid.shape[:2])
        return placed[n]

    for k in range(grid.shape[2]):
        progress.update(k / grid.shape[2], "Resampling to even slices")
        depth = min(depths[0] + k * step, depths[-1])
        above = min(int(np.searchsorted(depths, depth - 1e-6)), len(depths) - 1)
        below = max(above - 1, 0)
        gap = depths[above] - depths[below]
        share = 1.0 if gap <= 0 else (depth - depths[below]) / gap
        mixed = place(above) if share > 1 - 1e-6 else place(below) * (1 - share)
        if share <= 1 - 1e-6:
            mixed = mixed + place(above) * share
        out[:, :, k] = np.rint(mixed)
    return out


def _placed(
    image: NDArray[np.int16], shift: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[np.float32]:
    """`image` moved by `shift` pixels within a field of air of `size`."""
    from scipy import ndimage  # SciPy takes half a second to load: here only where it is needed

    field = np.full(size, AIR_HU, np.float32)
    field[: image.shape[0], : image.shape[1]] = image
    if np.abs(shift).max() > _SAME_PIXEL:
        field = ndimage.shift(field, shift, order=1, mode="constant", cval=AIR_HU)
    return field


def _layout(
    affines: Sequence[Affine],
) -> tuple[
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
]:
    """In-plane axes (mm a pixel), unit normal, in-plane shifts (pixels, n x 2), depths (mm, n)."""
    matrix = affines[0].matrix
    u, v = matrix[:3, 0], matrix[:3, 1]
    normal = np.cross(u, v)
    normal /= np.linalg.norm(normal)
    moved = np.array([a.matrix[:3, 3] - matrix[:3, 3] for a in affines])
    depths = moved @ normal
    if depths[-1] < depths[0]:
        normal, depths = -normal, -depths
    shifts = np.stack([moved @ u / (u @ u), moved @ v / (v @ v)], axis=1)
    return u, v, normal, shifts, depths
