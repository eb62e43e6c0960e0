"""Volumes, lesions and diameters of a label map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.geometry import Affine, Box, Float3, Int3, bounding_box
from liverseg_gui.core.labels import LIVER, TUMOR, LabelMap
from liverseg_gui.core.volume import Volume

RECIST_MINIMUM_MM = 10.0
"""RECIST 1.1: shortest measurable diameter on slices of 5 mm or less (Eisenhauer 2009)."""

RECIST_THIN_MM = 5.0
_CONNECT_26 = np.ones((3, 3, 3), bool)


@dataclass(frozen=True)
class Lesion:
    """One component of the tumor label (26-connected). Indices are in RAS+ order, from 0."""

    number: int
    volume_ml: float
    longest_axial_mm: float
    perpendicular_mm: float
    slice_k: int
    centroid_mm: Float3
    box_ijk: tuple[Int3, Int3]
    mean_hu: float
    sd_hu: float
    median_hu: float
    touches_edge: bool
    measurable: bool
    why: str


@dataclass(frozen=True)
class Measurements:
    """The figures of one label map. `liver_ml` includes the tumors.

    Where `mm_reliable` is False the scan does not say for certain how large its voxels are: no
    length or volume may be shown without that mark. A mask without a liver has no tumor burden.
    """

    liver_ml: float
    liver_without_tumor_ml: float
    tumor_ml: float
    tumor_burden_percent: float | None
    lesions: tuple[Lesion, ...]
    warnings: tuple[str, ...]
    mm_reliable: bool = True

    @property
    def liver_found(self) -> bool:
        """Whether the mask holds a liver, or a tumor of it."""
        return self.tumor_burden_percent is not None


def measure(volume: Volume, mask: LabelMap) -> Measurements:
    """Measure `mask` on `volume`.

    Raises:
        GridMismatchError: the mask does not lie on the volume's grid.
    """
    mask.require_grid(volume.shape, volume.affine)
    voxel_ml = volume.affine.voxel_ml
    counts = np.bincount(mask.labels.ravel(order="K"), minlength=3)
    liver_only, tumor = counts[LIVER] * voxel_ml, counts[TUMOR] * voxel_ml
    total = liver_only + tumor
    return Measurements(
        float(total),
        float(liver_only),
        float(tumor),
        float(100.0 * tumor / total) if total else None,
        _lesions(volume, mask),
        (*volume.warnings, *_incomplete(mask)),
        volume.mm_reliable,
    )


def _incomplete(mask: LabelMap) -> list[str]:
    """Warnings for a mask that is cut off by the edge of the scan."""
    labels = mask.labels
    sides = {
        "lowest slice": labels[:, :, 0],
        "highest slice": labels[:, :, -1],
        "left or right edge": labels[[0, -1]],
        "front or back edge": labels[:, [0, -1]],
    }
    touched = [name for name, side in sides.items() if side.any()]
    if not touched:
        return []
    return [f"The liver reaches the scan's {' and '.join(touched)}: its volume is incomplete."]


def _lesions(volume: Volume, mask: LabelMap) -> tuple[Lesion, ...]:
    return tuple(
        _lesion(number, inside, at, volume)
        for number, (at, inside) in enumerate(lesion_parts(mask.labels == TUMOR), 1)
    )


def lesion_parts(tumor: NDArray[np.bool_]) -> Iterator[tuple[Box, NDArray[np.bool_]]]:
    """The lesions of a tumor mask, largest first: the box around each, and what is inside it."""
    around = bounding_box(tumor)
    if around is None:
        return
    corner = [s.start for s in around]
    parts, voxels, boxes = numbered_lesions(tumor[around])
    for n in np.argsort(-voxels, kind="stable"):
        i, j, k = (slice(s.start + c, s.stop + c) for s, c in zip(boxes[n], corner, strict=True))
        yield (i, j, k), parts[boxes[n]] == n + 1


def numbered_lesions(
    tumor: NDArray[np.bool_],
) -> tuple[NDArray[np.int32], NDArray[np.int64], list[Box]]:
    """The lesions of a tumor mask: each voxel's number from 1 on, their voxels and boxes."""
    from scipy import ndimage  # SciPy takes half a second to load, which the window need not wait

    parts, count = ndimage.label(tumor, _CONNECT_26)
    voxels = np.bincount(parts.ravel(order="K"), minlength=count + 1)[1:]
    return parts, voxels, ndimage.find_objects(parts)


def _lesion(number: int, inside: NDArray[np.bool_], at: Box, volume: Volume) -> Lesion:
    hu = volume.hu[at][inside]
    start = np.array([s.start for s in at])
    stop = np.array([s.stop - 1 for s in at])
    longest, across, k = axial_diameters(inside, volume.affine)
    centroid = volume.affine.to_mm(np.argwhere(inside).mean(axis=0) + start)
    measurable, why = _measurable(longest, _slice_mm(volume))
    return Lesion(
        number,
        float(np.count_nonzero(inside) * volume.affine.voxel_ml),
        longest,
        across,
        int(start[2] + k),
        _float3(centroid),
        (_int3(start), _int3(stop)),
        float(hu.mean()),
        float(hu.std()),
        float(np.median(hu)),
        bool((start == 0).any() or (stop == np.array(volume.shape) - 1).any()),
        measurable,
        why,
    )


def axial_diameters(inside: NDArray[np.bool_], affine: Affine) -> tuple[float, float, int]:
    """Longest axial diameter, longest perpendicular to it (mm), and the slice they lie in.

    `inside` is one lesion, (i, j, k) in RAS+ order. Diameters run between the outer corners of
    voxels, as a reader measures from edge to edge.
    """
    from scipy.spatial import ConvexHull

    best = (0.0, 0.0, 0)
    plane, _ = np.linalg.qr(affine.matrix[:3, :2])
    for k in range(inside.shape[2]):
        corners = _outer_corners(inside[:, :, k])
        if not len(corners):
            continue
        points = corners @ affine.matrix[:3, :2].T @ plane
        hull = points[ConvexHull(points).vertices]
        apart = np.linalg.norm(hull[:, None] - hull[None], axis=2)
        a, b = np.unravel_index(int(apart.argmax()), apart.shape)
        if apart[a, b] > best[0]:
            best = (float(apart[a, b]), _width_across(hull, hull[b] - hull[a]), k)
    return best


def _outer_corners(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Corners, in voxel units, of the first and last voxel of every row of a 2D mask."""
    rows = np.nonzero(mask.any(axis=1))[0]
    first = mask[rows].argmax(axis=1)
    last = mask.shape[1] - 1 - mask[rows, ::-1].argmax(axis=1)
    corners = [
        np.stack([rows + di, column + dj], axis=1)
        for di in (-0.5, 0.5)
        for column, dj in ((first, -0.5), (last, 0.5))
    ]
    return np.concatenate(corners).astype(np.float64)


def _width_across(hull: NDArray[np.float64], axis: NDArray[np.float64]) -> float:
    """The longest chord of a convex polygon perpendicular to `axis`.

    The chord's length is a concave function along the axis, linear between the polygon's corners,
    so its largest value lies at a corner.
    """
    along = axis / np.linalg.norm(axis)
    u = hull @ along
    v = hull @ np.array([-along[1], along[0]])
    longest = 0.0
    for position in u:
        crossings = []
        for n in range(len(u)):
            m = (n + 1) % len(u)
            if min(u[n], u[m]) <= position <= max(u[n], u[m]):
                share = 0.0 if u[n] == u[m] else (position - u[n]) / (u[m] - u[n])
                crossings.append(v[n] + share * (v[m] - v[n]))
                if u[n] == u[m]:
                    crossings.append(v[m])
        longest = max(longest, max(crossings) - min(crossings))
    return float(longest)


def _slice_mm(volume: Volume) -> float:
    """The larger of the stated slice thickness and the real distance between slices."""
    return max(volume.origin.slice_thickness_mm or 0.0, volume.affine.spacing_mm[2])


def _measurable(longest_mm: float, slice_mm: float) -> tuple[bool, str]:
    """RECIST 1.1: at least 10 mm, or twice the slice thickness where slices exceed 5 mm."""
    thick = slice_mm > RECIST_THIN_MM
    needed = 2 * slice_mm if thick else RECIST_MINIMUM_MM
    sign = ">=" if longest_mm >= needed else "<"
    rule = f"twice the {slice_mm:g} mm slices" if thick else "RECIST 1.1"
    return longest_mm >= needed, f"{longest_mm:.1f} mm {sign} {needed:g} mm ({rule})"


def _float3(values: NDArray[np.float64]) -> Float3:
    return float(values[0]), float(values[1]), float(values[2])


def _int3(values: NDArray[np.int64]) -> Int3:
    return int(values[0]), int(values[1]), int(values[2])
