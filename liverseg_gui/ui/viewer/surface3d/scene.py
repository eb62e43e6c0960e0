"""Scene of the 3D pane: styles, clipping and frames, known without loading OpenGL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.display import LabelStyle
from liverseg_gui.core.geometry import Affine, Int3
from liverseg_gui.core.labels import LIVER
from liverseg_gui.core.planes import Plane

if TYPE_CHECKING:
    from liverseg_gui.core.surface.mesh import Surface

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


def scan_box(affine: Affine, surfaces: Sequence[Surface]) -> NDArray[np.float64]:
    """Two opposite corners (2, 3), in patient mm, of the box along the scan's axes around
    `surfaces`, at least one. The scan may be turned in the patient."""
    ends = [affine.to_ijk(surface.vertices_mm) for surface in surfaces]
    low, high = np.min([at.min(0) for at in ends], 0), np.max([at.max(0) for at in ends], 0)
    return affine.to_mm(np.stack([low, high]))


def crosshair_rings(affine: Affine, box_mm: NDArray[np.float64], ijk: Int3) -> dict[Plane, Ring]:
    """Where the planes through voxel `ijk` cut the box `box_mm`, as `scan_box` gives it.

    Each ring is four corners (4, 3) in patient mm. A plane beside the box goes along its side.
    """
    inside = affine.to_ijk(box_mm)
    ends = np.stack([inside.min(0), inside.max(0)])
    rings = {}
    for plane in Plane:
        ring = np.tile(np.clip(ijk, *ends), (4, 1))
        ring[:, plane.across] = ends[[0, 1, 1, 0], plane.across]
        ring[:, plane.down] = ends[[0, 0, 1, 1], plane.down]
        rings[plane] = affine.to_mm(ring)
    return rings
