"""What the 3D pane draws how, and that it cannot: known without loading OpenGL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.display import LabelStyle
from liverseg_gui.core.geometry import Affine, Int3
from liverseg_gui.core.planes import Plane
from liverseg_gui.core.volume import LIVER

RGB = tuple[int, int, int]
Ring = NDArray[np.float64]

SHELL_OPACITY = {LIVER: 0.28}
"""Labels that others lie in, and how opaque they are drawn at an opacity of 1."""


class NoOpenGLError(Exception):
    """OpenGL cannot be used here; the message says why."""


@dataclass(frozen=True, eq=False)
class Scene:
    """What is drawn how. `clip` (N, 4): cut away is where all of `clip @ (x, y, z, 1)` are above 0.

    `frames` are rings of four points in patient mm with their colors. `hasty` leaves out the far
    side of what is seen through: it is about to be drawn again.
    """

    styles: Mapping[int, LabelStyle]
    chosen: int = 0
    clip: NDArray[np.float64] | None = None
    frames: Sequence[tuple[Ring, RGB]] = ()
    hasty: bool = False


def clip_plane(affine: Affine, plane: Plane, ijk: Int3, side: float) -> NDArray[np.float64]:
    """(4,): its product with (x, y, z, 1) in patient mm is above 0 on one `side` of `plane`.

    1 is the side of higher indices, -1 that of lower ones; the plane goes through voxel `ijk`.
    """
    row = np.linalg.inv(affine.matrix)[plane.normal].copy()
    row[3] -= ijk[plane.normal]
    return side * row


def crosshair_rings(affine: Affine, box_mm: NDArray[np.float64], ijk: Int3) -> dict[Plane, Ring]:
    """Where the planes through voxel `ijk` cut the box around what lies between the corners
    `box_mm` (2, 3), both in patient mm.

    The planes are those of the scan, which may be turned in the patient: its box holds all eight
    corners. Each ring is four corners (4, 3). A plane beside the box goes along its side.
    """
    corners = np.stack(np.meshgrid(*np.asarray(box_mm).T, indexing="ij"), axis=-1).reshape(-1, 3)
    inside = affine.to_ijk(corners)
    ends = np.stack([inside.min(0), inside.max(0)])
    rings = {}
    for plane in Plane:
        ring = np.tile(np.clip(ijk, *ends), (4, 1))
        ring[:, plane.across] = ends[[0, 1, 1, 0], plane.across]
        ring[:, plane.down] = ends[[0, 0, 1, 1], plane.down]
        rings[plane] = affine.to_mm(ring)
    return rings
