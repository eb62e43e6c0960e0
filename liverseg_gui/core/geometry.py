"""Affines and the axis order of stored grids: where voxels lie in the patient."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float3 = tuple[float, float, float]
Int3 = tuple[int, int, int]


_FARTHEST_MM = 1e7
_SMALLEST_MM3 = 1e-9
_FLATTEST = 1e-2
"""The least share of a box's volume that a sheared voxel of the same edges may have."""


class Affine:
    """Maps voxel indices (i, j, k) to patient millimetres (x to the right, y anterior, z superior).

    The 4x4 float64 matrix is the only thing stored; spacing and orientation are derived from it.
    """

    def __init__(self, matrix: ArrayLike) -> None:
        """Take a 4x4 `matrix` in mm.

        Raises:
            ValueError: not 4x4, not finite, or singular.
        """
        values = np.array(matrix, dtype=np.float64)
        if values.shape != (4, 4) or not (np.abs(values) < _FARTHEST_MM).all():
            raise ValueError("an affine is a 4x4 matrix of numbers a patient has room for")
        volume = abs(np.linalg.det(values[:3, :3]))
        lengths = np.linalg.norm(values[:3, :3], axis=0)
        if not volume >= max(_SMALLEST_MM3, _FLATTEST * float(np.prod(lengths))):
            raise ValueError("the affine is singular: its voxels have no volume")
        values.setflags(write=False)
        self._matrix = values

    @classmethod
    def from_spacing(cls, spacing_mm: Float3, origin_mm: Float3 = (0.0, 0.0, 0.0)) -> Affine:
        """An affine without rotation: axes right, anterior, superior."""
        matrix = np.diag([*spacing_mm, 1.0])
        matrix[:3, 3] = origin_mm
        return cls(matrix)

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The 4x4 matrix, read-only, mm."""
        return self._matrix

    @cached_property
    def spacing_mm(self) -> Float3:
        """Distance between neighbouring voxel centres along i, j, k in mm."""
        i, j, k = np.linalg.norm(self._matrix[:3, :3], axis=0)
        return float(i), float(j), float(k)

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel in ml: |det| / 1000."""
        return float(abs(np.linalg.det(self._matrix[:3, :3])) / 1000.0)

    @property
    def orientation(self) -> str:
        """The patient direction each axis runs towards, e.g. "RAS" or "LPS"."""
        nbo = _orientations()
        return "".join(nbo.aff2axcodes(self._matrix))

    def to_mm(self, ijk: ArrayLike) -> NDArray[np.float64]:
        """Patient mm of voxel indices `ijk`, shape (..., 3)."""
        return np.asarray(ijk, dtype=np.float64) @ self._matrix[:3, :3].T + self._matrix[:3, 3]

    def to_ijk(self, mm: ArrayLike) -> NDArray[np.float64]:
        """Fractional voxel indices of patient positions `mm`, shape (..., 3)."""
        inverse = np.linalg.inv(self._matrix)
        return np.asarray(mm, dtype=np.float64) @ inverse[:3, :3].T + inverse[:3, 3]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Affine) and np.array_equal(self._matrix, other._matrix)

    def __hash__(self) -> int:
        return hash(self._matrix.tobytes())

    def close_to(self, other: Affine, shape: Int3, tolerance_mm: float = 0.05) -> bool:
        """Whether both put every corner of a grid of `shape` at the same place."""
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in shape])).reshape(3, -1).T
        distance = np.linalg.norm(self.to_mm(corners) - other.to_mm(corners), axis=1)
        return bool(distance.max() <= tolerance_mm)

    def __repr__(self) -> str:
        spacing = " x ".join(f"{mm:.3g}" for mm in self.spacing_mm)
        return f"Affine({self.orientation}, {spacing} mm)"


@dataclass(frozen=True)
class StoredGrid:
    """The grid of the file a volume came from: shape and affine in stored i, j, k order.

    `to_ras` and `to_stored` move arrays between it and the program's RAS+ order by permuting and
    flipping axes alone, so no voxel is ever resampled.
    """

    shape: Int3
    affine: Affine

    @cached_property
    def _orientation(self) -> NDArray[np.float64]:
        return _orientations().io_orientation(self.affine.matrix)

    @cached_property
    def ras_affine(self) -> Affine:
        """The affine of the same voxels in RAS+ order."""
        turn = _orientations().inv_ornt_aff(self._orientation, self.shape)
        return Affine(self.affine.matrix @ turn)

    def to_ras(self, stored: NDArray[Any]) -> NDArray[Any]:
        """A view of `stored` (this grid's shape) in RAS+ order."""
        return _orientations().apply_orientation(stored, self._orientation)

    def to_stored(self, ras: NDArray[Any]) -> NDArray[Any]:
        """A view of `ras` (RAS+ order) in this grid's order: the inverse of `to_ras`."""
        nbo = _orientations()
        canonical = np.array([[0, 1], [1, 1], [2, 1]])
        back = nbo.ornt_transform(canonical, self._orientation)
        return nbo.apply_orientation(ras, back)


def _orientations() -> Any:
    """nibabel's module of that name, loaded when the first scan is: it takes half a second."""
    import nibabel.orientations

    return nibabel.orientations


Box = tuple[slice, slice, slice]


def bounding_box(mask: NDArray[Any]) -> Box | None:
    """The smallest box around everything in a 3D `mask` that is not 0; None where all is 0."""
    from_above = np.asarray(mask.any(axis=0))
    used = [mask.any(axis=(1, 2)), *(from_above.any(axis=axis) for axis in (1, 0))]
    if not used[0].any():
        return None
    i, j, k = (slice(int(n[0]), int(n[-1]) + 1) for n in map(np.flatnonzero, used))
    return i, j, k


def common_box(a: NDArray[Any], b: NDArray[Any]) -> Box | None:
    """The smallest box around everything in either of two masks of one shape; None for nothing."""
    boxes = [box for mask in (a, b) if (box := bounding_box(mask)) is not None]
    if not boxes:
        return None
    i, j, k = (
        slice(min(s.start for s in sides), max(s.stop for s in sides))
        for sides in zip(*boxes, strict=True)
    )
    return i, j, k
