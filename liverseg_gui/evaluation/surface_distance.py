"""Surface distances of two masks: ASSD, RMSD, MSSD and normalized surface Dice.

The surface of a mask are its voxels with at least one of their six neighbours outside; beyond the
array's edge all is outside. An array of a single slice has four neighbours: its surface is the
outline. A surface voxel's distance is that from its center to the nearest
center of a surface voxel of the other mask, in mm, exact. Both directions count alike.

Source: Heimann et al., IEEE TMI 28 (2009) 1251 (ASSD, RMSD, MSSD); Nikolov et al., J Med Internet
Res 23 (2021) e26151 (surface Dice; here each surface voxel counts once, not by its area).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from liverseg_gui.core.geometry import Float3, bounding_box


@dataclass(frozen=True)
class SurfaceMetrics:
    """Distances of two surfaces in mm; None where one of the masks is empty.

    `nsd` is the share of both surfaces that lies within the tolerance of the other: 0 where one
    mask is empty, None where both are.
    """

    assd_mm: float | None = None
    rmsd_mm: float | None = None
    mssd_mm: float | None = None
    nsd: float | None = None


def surface_metrics(
    prediction: NDArray[np.bool_],
    reference: NDArray[np.bool_],
    spacing_mm: Float3,
    tolerance_mm: float,
) -> SurfaceMetrics:
    """The metrics of two masks of one 3D shape; `spacing_mm` is that of the array's axes."""
    a, b = surface_points(prediction, spacing_mm), surface_points(reference, spacing_mm)
    if not len(a) or not len(b):
        return SurfaceMetrics(nsd=0.0 if len(a) + len(b) else None)
    apart = np.concatenate([_nearest(a, b), _nearest(b, a)])
    return SurfaceMetrics(
        float(apart.mean()),
        float(np.sqrt(np.mean(apart**2))),
        float(apart.max()),
        float(np.mean(apart <= tolerance_mm + _ROUNDING_MM)),
    )


_ROUNDING_MM = 1e-6
"""Spacings are read as 32-bit numbers: what is meant to lie at the tolerance lies within it."""


def surface_points(mask: NDArray[np.bool_], spacing_mm: Float3) -> NDArray[np.float64]:
    """The centers of `mask`'s surface voxels, (n, 3) in mm from the center of its first voxel."""
    box = bounding_box(mask)
    if box is None:
        return np.empty((0, 3))
    corner = np.array([side.start for side in box])
    thick = tuple(axis for axis, count in enumerate(mask.shape) if count > 1)
    shell = surface(mask[box], thick)
    return (np.argwhere(shell) + corner) * np.asarray(spacing_mm, np.float64)


def surface(mask: NDArray[np.bool_], axes: tuple[int, ...] = (0, 1, 2)) -> NDArray[np.bool_]:
    """The voxels of `mask` that an erosion by their neighbors along `axes` takes away."""
    inner = mask.copy()
    for axis in axes:
        here, there = np.moveaxis(inner, axis, 0), np.moveaxis(mask, axis, 0)
        here[1:] &= there[:-1]
        here[:-1] &= there[1:]
        here[0] = here[-1] = False
    return mask & ~inner


def _nearest(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """The distance of each point of `a` from the nearest of `b`.

    A tree of the surface's points needs memory for them alone, where a distance transform needs
    it for every voxel of the box around both.
    """
    distances: NDArray[np.float64] = cKDTree(b).query(a)[0]
    return distances
