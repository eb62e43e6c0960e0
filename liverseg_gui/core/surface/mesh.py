"""Smooth closed surfaces of what a label map holds, in patient mm (docs/adr/0006)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.geometry import Affine, Box, bounding_box
from liverseg_gui.core.labels import LIVER, TUMOR, LabelMap
from liverseg_gui.core.measure import lesion_parts
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.surface.field import sampled
from liverseg_gui.core.surface.nets import Faces, Points, surface_nets

_PHASE = "Surfaces for the 3D view"
_INFLATIONS = 3


@dataclass(frozen=True, eq=False)
class Surface:
    """One closed surface. `number` is that of a lesion (`Lesion.number`), else 0.

    `vertices_mm` (N, 3) are patient mm (right, anterior, superior), `normals` (N, 3) point
    outward, and the corners of `faces` (M, 3) run counterclockwise seen from outside.
    """

    label: int
    number: int
    vertices_mm: Points
    faces: Faces
    normals: Points

    @property
    def volume_ml(self) -> float:
        """The volume inside."""
        return _volume_mm3(self.vertices_mm, self.faces) / 1000


def build_surfaces(mask: LabelMap, progress: Progress) -> tuple[Surface, ...]:
    """The surfaces of `mask`: the liver with its tumors, each lesion, each other label.

    Lesions are numbered as `measure` numbers them. A mask without labels has no surfaces.

    Raises:
        Cancelled: `progress` was cancelled.
    """
    progress.update(0.0, _PHASE)
    surfaces: list[Surface] = []
    for structure in _structures(mask.labels):
        done = len(surfaces) / (len(surfaces) + 2)  # how many are to come is not known
        progress.update(done, _PHASE)
        surfaces.append(_surface(structure, mask.affine, progress.part(done, done)))
    return tuple(surfaces)


@dataclass(frozen=True, eq=False)
class _Structure:
    """What one surface goes around: a box of the label map, and what is inside in it."""

    label: int
    number: int
    at: Box
    inside: NDArray[np.bool_]


def _structures(labels: NDArray[np.uint8]) -> Iterator[_Structure]:
    around = bounding_box(labels)
    if around is None:
        return
    used = labels[around]
    for label in range(1, int(used.max()) + 1):
        inside = used == label
        if label == TUMOR:
            for number, (at, lesion) in enumerate(lesion_parts(inside), 1):
                yield _Structure(label, number, _within(around, at), lesion)
        elif (near := bounding_box(inside)) is not None:
            whole = inside | (used == TUMOR) if label == LIVER else inside
            at = bounding_box(whole) or near
            yield _Structure(label, 0, _within(around, at), whole[at])


def _within(outer: Box, box: Box) -> Box:
    """`box`, counted from the corner of `outer`, in the indices of the whole array."""
    i, j, k = (slice(o.start + s.start, o.start + s.stop) for o, s in zip(outer, box, strict=True))
    return i, j, k


def _surface(structure: _Structure, affine: Affine, progress: Progress) -> Surface:
    field, to_voxels = sampled(structure.inside, affine.spacing_mm)
    progress.update(0.0, _PHASE)
    vertices, faces = surface_nets(field)
    progress.update(0.0, _PHASE)
    corner = [s.start for s in structure.at]
    points = affine.to_mm(to_voxels(vertices) + corner)
    volume_mm3 = np.count_nonzero(structure.inside) * affine.voxel_ml * 1000
    points = _of_volume(points, faces, volume_mm3)
    return Surface(
        structure.label,
        structure.number,
        points.astype(np.float32),
        faces,
        _normals(points, faces)[0].astype(np.float32),
    )


def _of_volume(points: NDArray[np.float64], faces: Faces, volume_mm3: float) -> NDArray[np.float64]:
    """`points` moved along their normals, all as far, until the volume is that of the voxels.

    Smoothing a convex surface draws it in, by more the smaller it is; this gives that back.
    """
    for _ in range(_INFLATIONS):
        normals, area = _normals(points, faces)
        points = points + normals * ((volume_mm3 - _volume_mm3(points, faces)) / area)
    return points


def _volume_mm3(points: NDArray[np.floating], faces: Faces) -> float:
    """The volume inside a closed surface: the sum of the tetrahedra to its middle."""
    a, b, c = _corners(points - points.mean(axis=0, dtype=np.float64), faces)
    return float(np.vdot(a, np.cross(b, c)) / 6)


def _normals(points: NDArray[np.floating], faces: Faces) -> tuple[NDArray[np.float64], float]:
    """Unit normals at the vertices, faces weighted by their area, and the area of all faces."""
    a, b, c = _corners(points, faces)
    of_faces = np.cross(b - a, c - a)
    total = np.stack(
        [
            sum(np.bincount(faces[:, n], of_faces[:, axis], len(points)) for n in range(3))
            for axis in range(3)
        ],
        axis=1,
    )
    lengths = np.linalg.norm(total, axis=1, keepdims=True)
    area = float(np.linalg.norm(of_faces, axis=1).sum() / 2)
    return total / np.maximum(lengths, 1e-12), area


def _corners(points: NDArray[np.floating], faces: Faces) -> list[NDArray[np.float64]]:
    exact = points.astype(np.float64)
    return [exact[faces[:, n]] for n in range(3)]
