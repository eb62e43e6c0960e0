"""Picking: the surface that a ray meets first."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.surface.mesh import Surface

Point = NDArray[np.float64]
_PARALLEL = 1e-12


def first_hit(
    surfaces: Iterable[Surface],
    start_mm: Point,
    direction: Point,
    seen: Callable[[NDArray[np.float64]], NDArray[np.bool_]],
) -> Surface | None:
    """The surface that the ray from `start_mm` (3,) along `direction` (3,) meets first.

    `seen` says of points (N, 3) in mm which are not cut away: the ray goes through the others.
    """
    nearest, hit = np.inf, None
    for surface in surfaces:
        if _passes_by(surface, start_mm, direction):
            continue
        distances = _crossings(surface, start_mm, direction)
        points = start_mm + distances[:, None] * direction
        distances = distances[seen(points)]
        if len(distances) and distances.min() < nearest:
            nearest, hit = float(distances.min()), surface
    return hit


def _passes_by(surface: Surface, start: Point, direction: Point) -> bool:
    """Whether the ray misses the ball around the surface's box, which is quickly known."""
    low, high = surface.vertices_mm.min(0), surface.vertices_mm.max(0)
    to_middle = (low + high) / 2 - start
    along = direction / np.linalg.norm(direction)
    aside = to_middle - along * (to_middle @ along)
    return bool(np.linalg.norm(aside) > np.linalg.norm(high - low) / 2)


def _crossings(surface: Surface, start: Point, direction: Point) -> NDArray[np.float64]:
    """How far along `direction` the ray goes through faces of `surface`.

    Source: T. Moeller and B. Trumbore, Fast, minimum storage ray/triangle intersection, 1997.
    """
    a, b, c = (surface.vertices_mm[surface.faces[:, n]].astype(np.float64) for n in range(3))
    ab, ac, from_a = b - a, c - a, start - a
    across = np.cross(direction, ac)
    size = (ab * across).sum(axis=1)
    meets = np.abs(size) > _PARALLEL
    scale = 1 / np.where(meets, size, 1)
    u = (from_a * across).sum(axis=1) * scale
    beside = np.cross(from_a, ab)
    v = (beside @ direction) * scale
    distance = (ac * beside).sum(axis=1) * scale
    return distance[meets & (u >= 0) & (v >= 0) & (u + v <= 1) & (distance > 0)]
