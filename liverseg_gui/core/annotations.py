"""Annotations of a reader on a slice (readings on screen): points, moving and reshaping.

Points are continuous voxel indices in RAS+ order, voxel centers at integers. They lie in one slice
of one plane. Lengths and right angles are those of the patient (mm), not of the voxel grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from liverseg_gui.core.geometry import Affine, Float3, Int3
from liverseg_gui.core.planes import Plane

_ELLIPSE_CORNERS = 72


class AnnotationKind(Enum):
    """What an annotation is. The value is its name in reports."""

    PROBE = "probe"
    RULER = "ruler"
    CALIPER = "caliper"
    ANGLE = "angle"
    ELLIPSE = "ellipse"
    POLYGON = "polygon"
    ARROW = "arrow"
    TEXT = "text"

    @property
    def title(self) -> str:
        """Its name on screen."""
        return "HU probe" if self is AnnotationKind.PROBE else self.value.capitalize()

    @property
    def is_region(self) -> bool:
        """Whether it encloses voxels."""
        return self in (AnnotationKind.ELLIPSE, AnnotationKind.POLYGON)


_POINTS = {
    AnnotationKind.PROBE: 1,
    AnnotationKind.RULER: 2,
    AnnotationKind.CALIPER: 4,
    AnnotationKind.ANGLE: 3,
    AnnotationKind.ELLIPSE: 2,
    AnnotationKind.ARROW: 2,
    AnnotationKind.TEXT: 1,
}
_LEAST_CORNERS = 3


@dataclass(frozen=True)
class Annotation:
    """One annotation in slice `index` of `plane`.

    `points_ijk` by kind: ruler, its ends; caliper, the ends of the first axis, then those of the
    axis at a right angle to it; angle, an end, the vertex, the other end; ellipse, two opposite
    corners of the box it fills; polygon, its corners in order; arrow, tip and tail.
    `text` is what the reader wrote.

    Raises:
        ValueError: the kind has another number of points, or a point lies in another slice.
    """

    kind: AnnotationKind
    plane: Plane
    index: int
    points_ijk: tuple[Float3, ...]
    text: str = ""

    def __post_init__(self) -> None:
        count, needed = len(self.points_ijk), _POINTS.get(self.kind)
        if count != needed and not (needed is None and count >= _LEAST_CORNERS):
            raise ValueError(f"{count} points make no {self.kind.value}")
        if any(point[self.plane.normal] != self.index for point in self.points_ijk):
            raise ValueError(f"a {self.kind.value} lies in one slice")

    @property
    def title(self) -> str:
        """Its kind in words."""
        return self.kind.title

    @property
    def in_plane(self) -> NDArray[np.float64]:
        """Its points along the plane's across and down axes, (N, 2), in voxels."""
        return np.array(self.points_ijk)[:, [self.plane.across, self.plane.down]]

    @property
    def handles_ijk(self) -> tuple[Float3, ...]:
        """Where it can be taken to change its shape: its points; of an ellipse, the axes' ends."""
        if self.kind is not AnnotationKind.ELLIPSE:
            return self.points_ijk
        (u0, v0), (u1, v1) = self.in_plane
        u, v = (u0 + u1) / 2, (v0 + v1) / 2
        return _points([(u0, v), (u1, v), (u, v0), (u, v1)], self.plane, self.index)

    @property
    def outlines_ijk(self) -> tuple[NDArray[np.float64], ...]:
        """The lines to draw, each (N, 3); a closed one ends where it begins."""
        points = np.array(self.points_ijk)
        if self.kind is AnnotationKind.CALIPER:
            return points[:2], points[2:]
        if self.kind is AnnotationKind.POLYGON:
            return (np.vstack([points, points[:1]]),)
        if self.kind is AnnotationKind.ELLIPSE:
            return (self._ellipse(),)
        return (points,)

    def _ellipse(self) -> NDArray[np.float64]:
        turn = np.linspace(0, 2 * np.pi, _ELLIPSE_CORNERS + 1)
        low, high = self.in_plane
        around = (low + high) / 2 + np.stack([np.cos(turn), np.sin(turn)], 1) * (high - low) / 2
        return _in_slice(around, self.plane, self.index)

    def with_text(self, text: str) -> Annotation:
        """The same with another text."""
        return replace(self, text=text)

    def moved(self, by_ijk: Float3, shape: Int3) -> Annotation:
        """Shifted within its slice, as far as it stays inside a volume of `shape`."""
        points = np.array(self.points_ijk)
        lowest, highest = points.min(axis=0), points.max(axis=0)
        room = np.array(shape) - 0.5
        by = np.clip(by_ijk, np.minimum(-0.5 - lowest, 0), np.maximum(room - highest, 0))
        by[self.plane.normal] = 0
        return replace(self, points_ijk=tuple(_float3(point) for point in points + by))

    def with_handle(self, number: int, to_ijk: Float3, affine: Affine) -> Annotation:
        """With handle `number` at `to_ijk`. A caliper's axes stay at a right angle in the patient.

        An end of its first axis takes the second along; an end of the second slides it along the
        first.
        """
        if self.kind is AnnotationKind.CALIPER:
            return self._recrossed(number, to_ijk, affine)
        points = [list(point) for point in self.points_ijk]
        if self.kind is AnnotationKind.ELLIPSE:
            axis = self.plane.across if number < 2 else self.plane.down
            points[number % 2][axis] = to_ijk[axis]
        else:
            points[number] = list(to_ijk)
        return replace(self, points_ijk=tuple(_float3(point) for point in points))

    def _recrossed(self, number: int, to_ijk: Float3, affine: Affine) -> Annotation:
        a, b, c, d = flat_mm(self.points_ijk, self.plane, affine)
        (to,) = flat_mm([to_ijk], self.plane, affine)
        share, (left, right) = _share(a, b, c), (_offset(a, b, c), _offset(a, b, d))
        if number < 2:
            a, b = (to, b) if number == 0 else (a, to)
        else:
            share = _share(a, b, to)
            left, right = (_offset(a, b, to), right) if number == 2 else (left, _offset(a, b, to))
        flat = _crossed(a, b, share, left, right)
        return replace(self, points_ijk=_from_flat(flat, self.plane, self.index, affine))


def caliper(
    plane: Plane, ends_ijk: tuple[Float3, Float3], start_ijk: Float3 | None, at_ijk: Float3,
    affine: Affine,
) -> Annotation:  # fmt: skip
    """A caliper along `ends_ijk` whose second axis ends at `at_ijk`, moved to a right angle.

    The second axis begins as far from the first as `start_ijk`; without one it lies even about the
    first.
    """
    a, b, at = flat_mm([*ends_ijk, at_ijk], plane, affine)
    right = _offset(a, b, at)
    left = -right if start_ijk is None else _offset(a, b, flat_mm([start_ijk], plane, affine)[0])
    flat = _crossed(a, b, _share(a, b, at), left, right)
    index = round(ends_ijk[0][plane.normal])
    return Annotation(AnnotationKind.CALIPER, plane, index, _from_flat(flat, plane, index, affine))


def flat_mm(points_ijk: Sequence[Float3], plane: Plane, affine: Affine) -> NDArray[np.float64]:
    """Points of a slice as (N, 2) mm on a sheet of paper: distances and angles of the patient."""
    along = np.array(points_ijk, np.float64)[:, [plane.across, plane.down]]
    return along @ _sheet(plane, affine).T


def voxel_area_mm2(plane: Plane, affine: Affine) -> float:
    """What a voxel covers of a slice of `plane`, mm2."""
    return float(abs(np.linalg.det(_sheet(plane, affine))))


def distance_to(line: NDArray[np.float64], at: ArrayLike) -> float:
    """How far `at` lies from a line through the points `line` (N, 2), in their unit."""
    point = np.asarray(at, np.float64)
    if len(line) == 1:
        return float(np.linalg.norm(line[0] - point))
    start, step = line[:-1], np.diff(line, axis=0)
    length2 = np.maximum((step**2).sum(axis=1), np.finfo(float).tiny)
    share = np.clip(((point - start) * step).sum(axis=1) / length2, 0, 1)
    return float(np.linalg.norm(start + share[:, None] * step - point, axis=1).min())


def _sheet(plane: Plane, affine: Affine) -> NDArray[np.float64]:
    """2x2: voxels along the plane's axes to mm on a sheet, whatever way the plane is turned."""
    return np.linalg.qr(affine.matrix[:3, [plane.across, plane.down]])[1]


def _from_flat(
    flat: NDArray[np.float64], plane: Plane, index: int, affine: Affine
) -> tuple[Float3, ...]:
    return _points(flat @ np.linalg.inv(_sheet(plane, affine)).T, plane, index)


def _points(in_plane: ArrayLike, plane: Plane, index: int) -> tuple[Float3, ...]:
    return tuple(_float3(point) for point in _in_slice(in_plane, plane, index))


def _in_slice(in_plane: ArrayLike, plane: Plane, index: int) -> NDArray[np.float64]:
    """(N, 2) along the plane's across and down axes as (N, 3) in slice `index`."""
    along = np.asarray(in_plane, np.float64)
    points = np.full((len(along), 3), float(index))
    points[:, [plane.across, plane.down]] = along
    return points


def _axis(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """The direction from `a` to `b`, of length 1; any where they are one."""
    length = float(np.linalg.norm(b - a))
    return (b - a) / length if length else np.array([1.0, 0.0])


def _offset(a: NDArray[np.float64], b: NDArray[np.float64], at: NDArray[np.float64]) -> float:
    """How far `at` lies beside the line from `a` to `b`, with a sign for the side."""
    x, y = _axis(a, b)
    return float((at - a) @ np.array([-y, x]))


def _share(a: NDArray[np.float64], b: NDArray[np.float64], at: NDArray[np.float64]) -> float:
    """How far along the line from `a` to `b` the point beside `at` lies, 0 to 1."""
    length = float(np.linalg.norm(b - a))
    return min(max(float((at - a) @ _axis(a, b)) / length, 0.0), 1.0) if length else 0.5


def _crossed(
    a: NDArray[np.float64], b: NDArray[np.float64], share: float, left: float, right: float
) -> NDArray[np.float64]:
    """A caliper's four points from its first axis and the second one's place and ends."""
    x, y = _axis(a, b)
    foot, aside = a + share * (b - a), np.array([-y, x])
    return np.array([a, b, foot + left * aside, foot + right * aside])


def _float3(point: Sequence[float] | NDArray[np.float64]) -> Float3:
    return float(point[0]), float(point[1]), float(point[2])
