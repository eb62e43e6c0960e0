"""Measures of annotations: lengths and areas from the affine, HU from the voxels.

A region holds the voxels whose center lies inside its outline: for an ellipse on it too; for a
polygon by the even-odd rule, so that what it encloses twice does not count. Standard deviations
are those of the whole region (divided by the number of voxels).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.annotations import Annotation, AnnotationKind, flat_mm, voxel_area_mm2
from liverseg_gui.core.volume import Volume

NO_VOXEL = "No voxel center lies inside."
NO_ANGLE = "Two of its points are the same."

_REGION = ("area_mm2", "voxels", "mean_hu", "sd_hu", "min_hu", "max_hu")
_NAMES: dict[AnnotationKind, tuple[str, ...]] = {
    AnnotationKind.PROBE: ("hu",),
    AnnotationKind.RULER: ("length_mm",),
    AnnotationKind.CALIPER: ("longest_mm", "perpendicular_mm"),
    AnnotationKind.ANGLE: ("angle_deg",),
    AnnotationKind.ELLIPSE: _REGION,
    AnnotationKind.POLYGON: _REGION,
    AnnotationKind.ARROW: (),
    AnnotationKind.TEXT: (),
}


@dataclass(frozen=True)
class AnnotationMeasures:
    """Measures of an annotation; None where its kind has no such one or `note` says why not.

    `longest_mm` is the longer of a caliper's axes, whichever was drawn first. Where `mm_reliable`
    is False no length, area or angle may be shown without that mark; HU stay as they are.
    """

    mm_reliable: bool
    length_mm: float | None = None
    longest_mm: float | None = None
    perpendicular_mm: float | None = None
    angle_deg: float | None = None
    area_mm2: float | None = None
    voxels: int | None = None
    mean_hu: float | None = None
    sd_hu: float | None = None
    min_hu: int | None = None
    max_hu: int | None = None
    hu: int | None = None
    note: str = ""

    def of_kind(self, kind: AnnotationKind) -> dict[str, float | int | None]:
        """The measures that an annotation of `kind` has, by name."""
        return {name: getattr(self, name) for name in _NAMES[kind]}


def measure_annotation(annotation: Annotation, volume: Volume) -> AnnotationMeasures:
    """Measure `annotation` on `volume`.

    A probe gives the voxel its point lies in. The slice must be one of the volume's.
    """
    return AnnotationMeasures(volume.mm_reliable, **_measures(annotation, volume))


def _measures(annotation: Annotation, volume: Volume) -> dict[str, Any]:
    kind = annotation.kind
    if kind is AnnotationKind.PROBE:
        at = np.round(annotation.points_ijk[0]).astype(int)
        i, j, k = np.clip(at, 0, np.array(volume.shape) - 1)
        return {"hu": int(volume.hu[i, j, k])}
    if kind.is_region:
        return _region(annotation, volume)
    points = flat_mm(annotation.points_ijk, annotation.plane, volume.affine)
    if kind is AnnotationKind.RULER:
        return {"length_mm": _length(points)}
    if kind is AnnotationKind.CALIPER:
        shorter, longer = sorted((_length(points[:2]), _length(points[2:])))
        return {"longest_mm": longer, "perpendicular_mm": shorter}
    return _angle(points) if kind is AnnotationKind.ANGLE else {}


def _length(ends: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(ends[1] - ends[0]))


def _angle(points: NDArray[np.float64]) -> dict[str, Any]:
    """The angle at the middle point, 0 to 180 degrees."""
    one, other = points[0] - points[1], points[2] - points[1]
    if not one.any() or not other.any():
        return {"note": NO_ANGLE}
    cross = one[0] * other[1] - one[1] * other[0]
    return {"angle_deg": float(np.degrees(np.arctan2(abs(cross), one @ other)))}


def _region(annotation: Annotation, volume: Volume) -> dict[str, Any]:
    voxel_mm2 = voxel_area_mm2(annotation.plane, volume.affine)
    area = {"area_mm2": _area(annotation) * voxel_mm2}
    hu = region_hu(annotation, volume)
    if not len(hu):
        return {**area, "voxels": 0, "note": NO_VOXEL}
    return {
        **area,
        "voxels": len(hu),
        "mean_hu": float(hu.mean()),
        "sd_hu": float(hu.std()),
        "min_hu": int(hu.min()),
        "max_hu": int(hu.max()),
    }


def region_hu(annotation: Annotation, volume: Volume) -> NDArray[np.int16]:
    """The HU of all voxels whose center lies inside a region, (N,)."""
    plane = annotation.plane
    size = np.array(volume.shape)[[plane.across, plane.down]]
    points = annotation.in_plane
    low = np.maximum(np.ceil(points.min(axis=0)), 0).astype(int)
    high = np.minimum(np.floor(points.max(axis=0)), size - 1).astype(int)
    high = np.maximum(high, low - 1)  # nothing, rather than counted from the other end
    slice_ = volume.hu[(slice(None),) * plane.normal + (annotation.index,)]
    box = slice_[low[0] : high[0] + 1, low[1] : high[1] + 1]
    u, v = (np.arange(a, b + 1, dtype=np.float64) for a, b in zip(low, high, strict=True))
    inside = _in_ellipse if annotation.kind is AnnotationKind.ELLIPSE else _in_polygon
    return box[inside(points, u, v)]


def _in_ellipse(
    corners: NDArray[np.float64], u: NDArray[np.float64], v: NDArray[np.float64]
) -> NDArray[np.bool_]:
    (cu, cv), (ru, rv) = corners.mean(axis=0), np.abs(corners[1] - corners[0]) / 2
    if ru * rv == 0:
        return np.zeros((len(u), len(v)), bool)
    return ((u - cu) / ru)[:, None] ** 2 + ((v - cv) / rv) ** 2 <= 1.0


def _in_polygon(
    corners: NDArray[np.float64], u: NDArray[np.float64], v: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Even-odd rule: an odd number of edges is crossed on the way out of the polygon."""
    inside = np.zeros((len(u), len(v)), bool)
    for (u0, v0), (u1, v1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        rows = np.flatnonzero((v0 > v) != (v1 > v))
        if len(rows):
            crossing = u0 + (v[rows] - v0) * ((u1 - u0) / (v1 - v0))
            inside[:, rows] ^= u[:, None] < crossing
    return inside


def _area(annotation: Annotation) -> float:
    """The area of a region in voxels of its slice, exact."""
    points = annotation.in_plane
    if annotation.kind is AnnotationKind.ELLIPSE:
        return float(np.pi * np.prod(np.abs(points[1] - points[0]) / 2))
    return _even_odd_area(points)


def _even_odd_area(corners: NDArray[np.float64]) -> float:
    """The area a polygon encloses an odd number of times.

    Between two neighboring heights of corners or crossings no edges meet, so there the polygon is
    a row of trapezoids, each as large as its middle line times its height.
    """
    start, end = corners, np.roll(corners, -1, axis=0)
    heights = np.unique(np.concatenate([corners[:, 1], _crossing_heights(start, end)]))
    area = 0.0
    for low, high in pairwise(heights):
        middle = (low + high) / 2
        cut = (start[:, 1] > middle) != (end[:, 1] > middle)
        (u0, v0), (u1, v1) = start[cut].T, end[cut].T
        crossings = np.sort(u0 + (middle - v0) * (u1 - u0) / (v1 - v0))
        area += float((crossings[1::2] - crossings[::2]).sum() * (high - low))
    return area


def _crossing_heights(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where along the second axis edges cross each other, (N,)."""
    one, other = np.triu_indices(len(start), 1)
    p, r = start[one], end[one] - start[one]
    q, s = start[other], end[other] - start[other]
    turn = r[:, 0] * s[:, 1] - r[:, 1] * s[:, 0]
    meet = turn != 0
    p, r, q, s, turn = p[meet], r[meet], q[meet], s[meet], turn[meet]
    gap = q - p
    t = (gap[:, 0] * s[:, 1] - gap[:, 1] * s[:, 0]) / turn
    w = (gap[:, 0] * r[:, 1] - gap[:, 1] * r[:, 0]) / turn
    crossing = (t > 0) & (t < 1) & (w > 0) & (w < 1)
    return p[crossing, 1] + t[crossing] * r[crossing, 1]
