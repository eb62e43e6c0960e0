"""Slabs: several slices projected onto one, as MIP, minIP or average."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.planes import Plane
from liverseg_gui.core.volume import Volume


class SlabMode(Enum):
    """What a slab shows of the slices in it."""

    OFF = "One slice"
    MAXIMUM = "Maximum (MIP)"
    MINIMUM = "Minimum (minIP)"
    MEAN = "Average"


@dataclass(frozen=True)
class Slab:
    """A way to show slices: `thickness_mm` of them around the one that is shown."""

    mode: SlabMode = SlabMode.OFF
    thickness_mm: float = 10.0

    @property
    def on(self) -> bool:
        """Whether more than one slice may be shown."""
        return self.mode is not SlabMode.OFF


ONE_SLICE = Slab()
THINNEST_MM, THICKEST_MM = 1.0, 100.0


def slab_range(volume: Volume, plane: Plane, index: int, slab: Slab) -> range:
    """The slices of `plane` whose centers lie within half the thickness of slice `index`.

    Slice `index` is always one of them; at the ends of the scan there are fewer.
    """
    if not slab.on:
        return range(index, index + 1)
    step_mm = plane_step_mm(volume, plane)
    reach = int(np.floor(slab.thickness_mm / 2 / step_mm + 1e-9))
    return range(max(index - reach, 0), min(index + reach + 1, volume.shape[plane.normal]))


def plane_step_mm(volume: Volume, plane: Plane) -> float:
    """The distance of two slices of `plane` along its normal, in mm."""
    matrix = volume.affine.matrix[:3, :3]
    normal = np.cross(matrix[:, plane.across], matrix[:, plane.down])
    normal /= np.linalg.norm(normal)
    return float(abs(matrix[:, plane.normal] @ normal))


def project(volume: Volume, plane: Plane, index: int, slab: Slab) -> NDArray[np.int16]:
    """Slice `index` of `plane` through `slab`: int16 HU (rows, columns), ready for the screen."""
    taken = slab_range(volume, plane, index, slab)
    if len(taken) == 1:
        return plane.cut(volume.hu, index)
    within = [slice(None)] * 3
    within[plane.normal] = slice(taken.start, taken.stop)
    block = volume.hu[tuple(within)]
    if slab.mode is SlabMode.MAXIMUM:
        flat = block.max(axis=plane.normal)
    elif slab.mode is SlabMode.MINIMUM:
        flat = block.min(axis=plane.normal)
    else:
        flat = np.rint(block.mean(axis=plane.normal, dtype=np.float32)).astype(np.int16)
    return flat[::-1, ::-1].T
