"""Slabs: several slices projected onto one, as MIP, minIP or average."""

from __future__ import annotations

from collections.abc import Sequence
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
_MOST_KEPT = 64


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
        flat = _rounded(block.mean(axis=plane.normal, dtype=np.float32))
    return flat[::-1, ::-1].T


class SlabProjector:
    """Projects slabs of one plane, one after another, as `project` does.

    Slices across the rows of memory are slow to read: those of the last slab are kept, so that a
    step reads one.
    """

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._volume: Volume | None = None
        self._slices: dict[int, NDArray[np.int16]] = {}

    def project(self, volume: Volume, index: int, slab: Slab) -> NDArray[np.int16]:
        """Slice `index` through `slab`: int16 HU (rows, columns), ready for the screen."""
        plane, hu = self._plane, volume.hu
        taken = slab_range(volume, plane, index, slab)
        across_rows = abs(hu.strides[plane.normal]) == hu.itemsize
        if not across_rows or not 1 < len(taken) <= _MOST_KEPT:
            self._volume, self._slices = None, {}
            return project(volume, plane, index, slab)
        known = self._slices if volume is self._volume else {}
        self._volume = volume
        self._slices = {
            n: known[n] if n in known else np.ascontiguousarray(plane.cut(hu, n)) for n in taken
        }
        return _flattened(list(self._slices.values()), slab.mode)


def _flattened(slices: Sequence[NDArray[np.int16]], mode: SlabMode) -> NDArray[np.int16]:
    if mode is SlabMode.MEAN:
        total = slices[0].astype(np.float32)  # holds sums of so few slices exactly
        for each in slices[1:]:
            total += each
        return _rounded(total / np.float32(len(slices)))
    flat = slices[0].copy()
    for each in slices[1:]:
        (np.maximum if mode is SlabMode.MAXIMUM else np.minimum)(flat, each, out=flat)
    return flat


def _rounded(mean: NDArray[np.float32]) -> NDArray[np.int16]:
    return np.rint(mean).astype(np.int16)
