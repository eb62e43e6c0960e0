"""Masks given slice by slice (DICOM SEG, 3D-IRCADb-01), brought onto the grid of a scan."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.errors import GridMismatchError
from liverseg_gui.core.geometry import Affine
from liverseg_gui.core.labels import difference
from liverseg_gui.core.slices import SourceSlices
from liverseg_gui.core.volume import Volume

_SAME_MM = 0.05
_SAME_SHARE = 0.1
"""How far, in voxels, a slice of a mask may lie off the scan's: positions are rounded as text."""


class Target(Protocol):
    """Takes the slices of a mask and gives them back on a scan's grid."""

    def place(self, affine: Affine, shape: tuple[int, int]) -> NDArray[np.uint8] | None:
        """The labels where a slice lies, to be written to, or None where the scan has no slice.

        `affine` maps (column, row, 0) to patient mm; the labels have `shape` (columns, rows).
        """
        ...

    def slices(self, affine: Affine) -> int:
        """How many slices the scan has along the normal of one that lies at `affine`."""
        ...

    def labels(self) -> NDArray[np.uint8]:
        """The labels on the scan's grid, RAS+ order."""
        ...


def frame_affine(
    position: tuple[float, ...], orientation: tuple[float, ...], pixel_mm: tuple[float, ...]
) -> Affine:
    """The affine of a DICOM slice from ImagePositionPatient and its companions, in RAS+ mm.

    It maps (column, row, 0); its third axis is the unit normal.

    Raises:
        ValueError: they make no sense.
    """
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    down, across = pixel_mm
    lps = np.eye(4)
    lps[:3, 0], lps[:3, 1], lps[:3, 2] = row * across, column * down, np.cross(row, column)
    lps[:3, 3] = position
    return Affine(np.diag([-1.0, -1.0, 1.0, 1.0]) @ lps)


class OnGrid:
    """The grid of a scan as it was stored."""

    def __init__(self, volume: Volume) -> None:
        self._affine = volume.affine
        self._labels = np.zeros(volume.shape, np.uint8, order="F")

    def place(self, affine: Affine, shape: tuple[int, int]) -> NDArray[np.uint8] | None:
        """The labels where a slice lies, if its pixels are voxels of the scan."""
        to_voxel = np.linalg.inv(self._affine.matrix) @ affine.matrix
        exact = [(0, 0, 0, 1), (shape[0] - 1, 0, 0, 1), (0, shape[1] - 1, 0, 1)]
        corners = np.array(exact) @ to_voxel[:3].T
        start, *ends = np.rint(corners).astype(int)
        if not self._are_voxels(corners) or not self._inside(start, ends):
            return None
        along = [int(np.argmax(np.abs(step))) for step in to_voxel[:3, :2].T]
        if along[0] == along[1]:
            return None
        where: list[Any] = list(start)
        for axis, end, count in zip(along, ends, shape, strict=True):
            straight = np.delete(end - start, axis)
            if straight.any() or abs(end[axis] - start[axis]) != count - 1:
                return None
            sign = 1 if to_voxel[axis, along.index(axis)] > 0 else -1
            stop = end[axis] + sign
            where[axis] = slice(start[axis], stop if stop >= 0 else None, sign)
        view = self._labels[tuple(where)]
        return view if along[0] < along[1] else view.T

    def slices(self, affine: Affine) -> int:
        """How many voxels the scan has along the normal of a slice."""
        normal = (np.linalg.inv(self._affine.matrix) @ affine.matrix)[:3, 2]
        return self._labels.shape[int(np.argmax(np.abs(normal * self._affine.spacing_mm)))]

    def labels(self) -> NDArray[np.uint8]:
        """The labels, RAS+ order."""
        return self._labels

    def _are_voxels(self, corners: NDArray[np.float64]) -> bool:
        spacing = np.array(self._affine.spacing_mm)
        off = np.abs(corners - np.rint(corners)) * spacing
        return bool((off <= np.maximum(_SAME_MM, _SAME_SHARE * spacing)).all())

    def _inside(self, start: NDArray[np.int_], ends: list[NDArray[np.int_]]) -> bool:
        corners = np.array([start, *ends])
        return bool((corners >= 0).all() and (corners < self._labels.shape).all())


class OnSlices:
    """The slices a scan was resampled from; each voxel takes the label of the nearest one."""

    def __init__(self, volume: Volume, slices: SourceSlices) -> None:
        self._grid = volume.grid
        self._slices = slices
        self._images: dict[int, NDArray[np.uint8]] = {}
        first = slices.affines[0].matrix
        normal = np.cross(first[:3, 0], first[:3, 1])
        self._normal = normal / np.linalg.norm(normal)
        self._depths = np.array([a.matrix[:3, 3] @ self._normal for a in slices.affines])

    def place(self, affine: Affine, shape: tuple[int, int]) -> NDArray[np.uint8] | None:
        """The labels of the source slice that a slice is, if it is one."""
        if shape != self._slices.shape:
            return None
        nearest = self._nearest(float(affine.matrix[:3, 3] @ self._normal))
        own = self._slices.affines[nearest]
        corners = [(0, 0, 0), (shape[0] - 1, 0, 0), (0, shape[1] - 1, 0)]
        off = np.linalg.norm(affine.to_mm(corners) - own.to_mm(corners), axis=1)
        if off.max() > max(_SAME_MM, _SAME_SHARE * min(own.spacing_mm[:2])):
            return None
        if nearest not in self._images:
            self._images[nearest] = np.zeros(shape, np.uint8, order="F")
        return self._images[nearest]

    def slices(self, affine: Affine) -> int:
        """How many slices the scan was resampled from."""
        return len(self._slices.names)

    def labels(self) -> NDArray[np.uint8]:
        """The labels on the even grid, RAS+ order."""
        stored = np.zeros(self._grid.shape, np.uint8, order="F")
        for k in range(self._grid.shape[2]):
            middle = self._grid.affine.to_mm((0, 0, k))
            nearest = self._nearest(float(middle @ self._normal))
            if nearest in self._images:
                stored[:, :, k] = self._gather(nearest, k)
        return np.asfortranarray(self._grid.to_ras(stored))

    def _nearest(self, depth: float) -> int:
        return int(np.argmin(np.abs(self._depths - depth)))

    def _gather(self, nearest: int, k: int) -> NDArray[np.uint8]:
        """The labels of a source slice where plane `k` of the even grid lies."""
        image = self._images[nearest]
        own = self._slices.affines[nearest].matrix.copy()
        own[:3, 2] = self._normal
        to_pixel = np.linalg.inv(own) @ self._grid.affine.matrix
        i, j = np.ogrid[: self._grid.shape[0], : self._grid.shape[1]]
        column, row = (
            np.rint(axis[0] * i + axis[1] * j + axis[2] * k + axis[3]).astype(np.intp)
            for axis in to_pixel[:2]
        )
        inside = (column >= 0) & (column < image.shape[0]) & (row >= 0) & (row < image.shape[1])
        column, row = np.clip(column, 0, image.shape[0] - 1), np.clip(row, 0, image.shape[1] - 1)
        return np.where(inside, image[column, row], 0).astype(np.uint8)


def targets(volume: Volume) -> tuple[Target, ...]:
    """Where the slices of a mask of `volume` may belong, the likeliest first."""
    slices = volume.origin.source_slices
    on_grid = OnGrid(volume)
    return (on_grid,) if slices is None else (OnSlices(volume, slices), on_grid)


def elsewhere(volume: Volume, affine: Affine, shape: tuple[int, int]) -> GridMismatchError:
    """The error for a mask with a slice at `affine` that is none of the scan's."""
    return GridMismatchError(
        "The mask's slices lie elsewhere than the scan's, or have another size or spacing"
        f"{_how(volume, affine, shape)}.",
        "Open the scan this mask was made on, or save the mask again on that scan.",
    )


def _how(volume: Volume, affine: Affine, shape: tuple[int, int]) -> str:
    """How the slice at `affine` differs from the nearest of a DICOM scan, whose axes are alike."""
    if volume.origin.identity is None or volume.origin.source_slices is not None:
        return ""
    own = volume.grid
    if shape != own.shape[:2]:
        ours, theirs = (f"{size[0]} x {size[1]}" for size in (shape, own.shape))
        return f": one has {ours} pixels, and the scan's have {theirs}"
    k = float(np.clip(np.rint(own.affine.to_ijk(affine.to_mm((0, 0, 0)))[2]), 0, own.shape[2] - 1))
    nearest = own.affine.matrix.copy()
    normal = np.cross(nearest[:3, 0], nearest[:3, 1])
    nearest[:3, 2] = normal / np.linalg.norm(normal)
    nearest[:3, 3] = own.affine.to_mm((0, 0, k))
    how = difference(affine, Affine(nearest), (*shape, 1))
    return f": one {how}, from the scan's nearest slice"
