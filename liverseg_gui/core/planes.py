"""The three planes of a reader's screen, cut from arrays in RAS+ order.

Axial: patient's right on the left, anterior up. Coronal: right on the left, head up. Sagittal:
anterior on the left, head up. In RAS+ order all three run against both of their axes.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from liverseg_gui.core.geometry import Affine, Int3

_OBLIQUE = 0.26  # sine of 15 degrees: a second letter is shown from there on


class Plane(Enum):
    """A plane: its normal axis, then the axes shown along columns and along rows."""

    AXIAL = (2, 0, 1)
    CORONAL = (1, 0, 2)
    SAGITTAL = (0, 1, 2)

    @property
    def normal(self) -> int:
        """The array axis that scrolling moves along."""
        return self.value[0]

    @property
    def across(self) -> int:
        """The array axis along the columns of the screen."""
        return self.value[1]

    @property
    def down(self) -> int:
        """The array axis along the rows of the screen."""
        return self.value[2]

    @property
    def title(self) -> str:
        """ "Axial", "Coronal" or "Sagittal"."""
        return self.name.capitalize()

    def cut(self, array: NDArray[Any], index: int) -> NDArray[Any]:
        """The slice at `index` as (rows, columns), ready for the screen: a view of `array`."""
        taken = array[(slice(None),) * self.normal + (index,)]
        return taken[::-1, ::-1].T

    def to_screen(self, ijk: ArrayLike, shape: Int3) -> tuple[float, float]:
        """The (column, row) of the middle of voxel `ijk`, pixels counted from their corners."""
        at = np.asarray(ijk, np.float64)
        column = shape[self.across] - 0.5 - at[self.across]
        row = shape[self.down] - 0.5 - at[self.down]
        return float(column), float(row)

    def to_voxel(self, column: float, row: float, index: int, shape: Int3) -> Int3:
        """The voxel of slice `index` under a screen position, clamped to the volume."""
        at = [0, 0, 0]
        at[self.normal] = index
        at[self.across] = shape[self.across] - 1 - int(np.floor(column))
        at[self.down] = shape[self.down] - 1 - int(np.floor(row))
        i, j, k = (min(max(n, 0), size - 1) for n, size in zip(at, shape, strict=True))
        return i, j, k

    def points_to_screen(self, ijk: ArrayLike, shape: Int3, affine: Affine) -> NDArray[np.float64]:
        """Continuous voxel indices (N, 3) as (N, 2) mm from the top left corner of the slice."""
        at = np.asarray(ijk, np.float64)
        axes = [self.across, self.down]
        size = np.array(shape, np.float64)[axes]
        return (size - 0.5 - at[..., axes]) * self.pixel_mm(affine)

    def points_to_ijk(
        self, mm: ArrayLike, index: int, shape: Int3, affine: Affine
    ) -> NDArray[np.float64]:
        """The inverse of `points_to_screen` within slice `index`: (N, 2) mm as (N, 3) indices."""
        screen = np.asarray(mm, np.float64)
        axes = [self.across, self.down]
        ijk = np.full((*screen.shape[:-1], 3), float(index))
        size = np.array(shape, np.float64)[axes]
        ijk[..., axes] = size - 0.5 - screen / self.pixel_mm(affine)
        return ijk

    def pixel_mm(self, affine: Affine) -> tuple[float, float]:
        """Width and height of a pixel in mm."""
        return affine.spacing_mm[self.across], affine.spacing_mm[self.down]

    def edge_letters(self, affine: Affine) -> tuple[str, str, str, str]:
        """What lies at the left, right, top and bottom of the screen, e.g. ("R", "L", "A", "P")."""
        across, down = affine.matrix[:3, self.across], affine.matrix[:3, self.down]
        return letters(across), letters(-across), letters(down), letters(-down)


def letters(direction_mm: NDArray[np.float64]) -> str:
    """The patient direction of a vector: "R", or "RA" where it runs more than 15 degrees off."""
    unit = direction_mm / np.linalg.norm(direction_mm)
    names = (("R", "L"), ("A", "P"), ("S", "I"))
    order = np.argsort(-np.abs(unit), kind="stable")
    return "".join(
        names[axis][0 if unit[axis] > 0 else 1]
        for n, axis in enumerate(order)
        if n == 0 or abs(unit[axis]) > _OBLIQUE
    )
