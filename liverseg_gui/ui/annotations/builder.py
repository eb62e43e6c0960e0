"""Construction of an annotation from clicks and drags, point by point."""

from __future__ import annotations

from liverseg_gui.core.annotations import Annotation, AnnotationKind, caliper
from liverseg_gui.core.geometry import Affine, Float3
from liverseg_gui.core.planes import Plane

_NEEDED = {
    AnnotationKind.PROBE: 1,
    AnnotationKind.TEXT: 1,
    AnnotationKind.RULER: 2,
    AnnotationKind.ARROW: 2,
    AnnotationKind.ELLIPSE: 2,
    AnnotationKind.ANGLE: 3,
    AnnotationKind.CALIPER: 3,
}
_LEAST_CORNERS = 3


class AnnotationBuilder:
    """Draws one reading in slice `index` of `plane`. Points are continuous voxel indices.

    A click puts a point; a drag puts one where it ends, and one where it begins if it is the first.
    """

    def __init__(self, kind: AnnotationKind, plane: Plane, index: int, affine: Affine) -> None:
        self.kind, self.plane, self.index = kind, plane, index
        self._affine = affine
        self._points: list[Float3] = []
        self._short_start: Float3 | None = None
        self._loose: Float3 | None = None

    @property
    def points(self) -> tuple[Float3, ...]:
        """The points that are put."""
        return tuple(self._points)

    def press(self, at: Float3) -> None:
        """A drag begins: the first point, or the start of a caliper's short axis."""
        if self.kind is AnnotationKind.CALIPER and len(self._points) == 2:
            self._short_start = at
        elif not self._points and _NEEDED.get(self.kind) != 1:
            self._points.append(at)
        self._loose = at

    def hover(self, at: Float3) -> None:
        """The next point would be here."""
        self._loose = at

    def put(self, at: Float3) -> Annotation | None:
        """Put a point; the reading if it is the last one."""
        self._points.append(at)
        self._loose = None
        return self._made(self._points) if len(self._points) == _NEEDED.get(self.kind) else None

    def close(self) -> Annotation | None:
        """The polygon, if it has enough corners."""
        if self.kind is AnnotationKind.POLYGON and len(self._points) >= _LEAST_CORNERS:
            return self._made(self._points)
        return None

    @property
    def draft(self) -> Annotation | None:
        """What to show now: the reading as far as it goes, the line to its second point at first.

        None while it is only a point.
        """
        points = [*self._points, *([self._loose] if self._loose is not None else [])]
        if len(points) >= _NEEDED.get(self.kind, _LEAST_CORNERS):
            return self._made(points)
        return self._annotation(AnnotationKind.RULER, points) if len(points) == 2 else None

    def _made(self, points: list[Float3]) -> Annotation:
        if self.kind is AnnotationKind.CALIPER:
            a, b, at = points
            return caliper(self.plane, (a, b), self._short_start, at, self._affine)
        return self._annotation(self.kind, points)

    def _annotation(self, kind: AnnotationKind, points: list[Float3]) -> Annotation:
        return Annotation(kind, self.plane, self.index, tuple(points))
