"""A synthetic abdomen in HU with a known liver and known tumors: demo, tests and benchmarks.

Every structure is an implicit shape sampled on a 3x3x3 sub-grid of each voxel. The share of the
sub-grid inside is the partial volume of the voxel, and its sum is the true volume; the true mask
is where at least half of the voxel lies inside.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from liverseg_gui.core.geometry import Affine, Box, Float3, Int3, StoredGrid, bounding_box
from liverseg_gui.core.labels import LIVER, TUMOR, LabelMap
from liverseg_gui.core.volume import Origin, Volume

Array = NDArray[np.float32]
Shape = Callable[[Array, Array, Array], NDArray[np.bool_]]
_SUB = (-1 / 3, 0.0, 1 / 3)


@dataclass(frozen=True)
class PhantomSpec:
    """What to make. `tumor_diameters_mm` of None draws two to four of 12 to 40 mm.

    `shape` is in RAS+ order. The liver spans about 160 mm head to foot at body scale 1.
    """

    seed: int = 0
    shape: Int3 = (256, 256, 72)
    spacing_mm: Float3 = (1.5, 1.5, 3.0)
    tumor_diameters_mm: tuple[float, ...] | None = None
    noise_hu: float = 12.0


@dataclass(frozen=True)
class Phantom:
    """A phantom: the scan, its true mask, and the true volumes in ml (liver includes tumor)."""

    volume: Volume
    truth: LabelMap
    liver_ml: float
    tumor_ml: float
    tumors: tuple[TumorTruth, ...] = field(default=())


@dataclass(frozen=True)
class TumorTruth:
    """A spherical tumor: centre in patient mm, diameter in mm, volume in ml (analytic)."""

    center_mm: Float3
    diameter_mm: float

    @property
    def volume_ml(self) -> float:
        """Volume of the sphere in ml."""
        return float(np.pi / 6 * self.diameter_mm**3 / 1000)


def make_phantom(spec: PhantomSpec | None = None) -> Phantom:
    """Make the phantom of `spec`; the same spec always gives the same phantom.

    Raises:
        ValueError: the grid is too small, or the tumors asked for do not fit into the liver.
    """
    spec = spec or PhantomSpec()
    if min(spec.shape) < 2:
        raise ValueError("a grid has at least two voxels along each axis")
    rng = np.random.default_rng(spec.seed)
    canvas = _Canvas(spec, rng)
    body = _Anatomy(rng)
    body.paint_around_liver(canvas)
    liver = canvas.coverage(body.liver)
    canvas.blend(liver, body.liver_hu, canvas.texture(4.0, 5.0))
    body.paint_vessels(canvas, liver)
    tumors = _place_tumors(spec, rng, canvas, liver)
    tumor = np.zeros_like(liver)
    for index, truth in enumerate(tumors):
        part = canvas.coverage(_ball(truth.center_mm, truth.diameter_mm / 2))
        hu = body.liver_hu - rng.uniform(35, 60) if index != 3 else body.liver_hu + 45
        canvas.blend(part, hu, canvas.texture(3.0, 4.0))
        tumor = np.maximum(tumor, part)
    labels = np.zeros(spec.shape, np.uint8)
    labels[liver >= 0.5] = LIVER
    labels[tumor >= 0.5] = TUMOR
    voxel_ml = canvas.affine.voxel_ml
    grid = StoredGrid(spec.shape, canvas.affine)
    origin = Origin(Path(f"phantom-{spec.seed}"), f"Phantom {spec.seed}", "Phantom")
    return Phantom(
        Volume(canvas.finish(spec.noise_hu), grid, origin),
        LabelMap(np.asfortranarray(labels), grid),
        float(np.maximum(liver, tumor).sum(dtype=np.float64) * voxel_ml),
        float(tumor.sum(dtype=np.float64) * voxel_ml),
        tuple(tumors),
    )


class _Canvas:
    """HU on a grid centred on the origin, and the sampling of shapes onto it."""

    def __init__(self, spec: PhantomSpec, rng: np.random.Generator) -> None:
        origin = [-(n - 1) / 2 * mm for n, mm in zip(spec.shape, spec.spacing_mm, strict=True)]
        self.affine = Affine.from_spacing(spec.spacing_mm, (origin[0], origin[1], origin[2]))
        self.spacing_mm = spec.spacing_mm
        self.axes = [
            (np.arange(n, dtype=np.float32) * mm + start).astype(np.float32)
            for n, mm, start in zip(spec.shape, spec.spacing_mm, origin, strict=True)
        ]
        self.hu: Array = np.full(spec.shape, -1000, np.float32)
        self._grain: dict[float, Array] = {}
        self._rng = rng

    def coverage(self, shape: Shape) -> Array:
        """The share of each voxel inside `shape`, 0 to 1."""
        x, y, z = np.meshgrid(*self.axes, indexing="ij", sparse=True)
        inside = shape(x, y, z)
        out = inside.astype(np.float32)
        box = bounding_box(inside)
        if box is None:
            return out
        near = _grown(box)
        core = inside[near]
        edge = ndimage.binary_dilation(core) & ~ndimage.binary_erosion(core)
        i, j, k = (n + s.start for n, s in zip(np.nonzero(edge), near, strict=True))
        points = [axis[n] for axis, n in zip(self.axes, (i, j, k), strict=True)]
        total = np.zeros(len(i), np.float32)
        for step in itertools.product(_SUB, repeat=3):
            offsets = [np.float32(d * mm) for d, mm in zip(step, self.spacing_mm, strict=True)]
            total += shape(*[p + d for p, d in zip(points, offsets, strict=True)])
        out[i, j, k] = total / 27
        return out

    def blend(self, coverage: Array, hu: float, texture: Array | float = 0.0) -> None:
        """Paint `hu` plus `texture` in proportion to `coverage`."""
        here = bounding_box(coverage)
        if here is not None:
            grain = texture[here] if isinstance(texture, np.ndarray) else texture
            self.hu[here] += coverage[here] * (hu + grain - self.hu[here])

    def paint(self, shape: Shape, hu: float, texture_hu: float = 4.0) -> None:
        """Paint a shape of mean `hu`."""
        self.blend(self.coverage(shape), hu, self.texture(3.0, texture_hu))

    def texture(self, size_mm: float, amplitude_hu: float) -> Array:
        """Smooth noise of about `size_mm` grain and SD `amplitude_hu`, never the same twice."""
        if size_mm not in self._grain:
            sigma = [size_mm / mm for mm in self.spacing_mm]
            white = self._rng.standard_normal(self.hu.shape, dtype=np.float32)
            smooth = ndimage.gaussian_filter(white, sigma, truncate=2.0)
            self._grain[size_mm] = smooth / smooth.std()
        shift = tuple(int(self._rng.integers(n)) for n in self.hu.shape)
        return np.asarray(np.roll(self._grain[size_mm], shift, (0, 1, 2)) * amplitude_hu)

    def finish(self, noise_hu: float) -> NDArray[np.int16]:
        """The HU with correlated scanner noise, int16, axial slices contiguous."""
        noise = self.texture(0.8, noise_hu)
        return np.asfortranarray(np.clip(np.rint(self.hu + noise), -1024, 3071).astype(np.int16))


class _Anatomy:
    """Sizes and places of the organs in mm, varied by the generator. +x is the patient's right."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self.scale = rng.uniform(0.92, 1.05)
        self.liver_hu = rng.uniform(95, 130)
        self.phases = rng.uniform(0, 2 * np.pi, 6)
        self.wobble = rng.uniform(0.05, 0.09)
        self.lobe = rng.uniform(0.85, 1.15)

    def _at(self, x: float, y: float, z: float, jitter_mm: float = 5.0) -> Float3:
        dx, dy, dz = self._rng.uniform(-jitter_mm, jitter_mm, 3)
        return (x + dx) * self.scale, (y + dy) * self.scale, (z + dz) * self.scale

    def _organ(self, center: Float3, radii: Float3) -> Shape:
        return _ellipsoid(center, tuple(r * self.scale for r in radii))  # type: ignore[arg-type]

    def liver(self, x: Array, y: Array, z: Array) -> NDArray[np.bool_]:
        """A large right lobe and a flat left one, undulating, below the dome of the diaphragm."""
        s, p = self.scale, self.phases
        x, y, z = x / s, y / s, z / s
        bend = self.wobble * (
            np.sin(x / 22 + p[0]) * np.sin(y / 19 + p[1]) + np.sin(z / 21 + p[2] + x / 40)
        )
        right = ((x - 70) / 68) ** 2 + ((y - 3) / 74) ** 2 + ((z - 8) / 74) ** 2
        left = ((x + 2) / (78 * self.lobe)) ** 2 + ((y - 46) / 34) ** 2 + ((z - 38) / 40) ** 2
        hilum = ((x - 22) / 34) ** 2 + ((y + 22) / 38) ** 2 + ((z + 22) / 60) ** 2
        organ = (np.minimum(right, left) + bend < 1) & (hilum > 1)
        return np.asarray(organ & (self._wall(x, y) < 0.66), np.bool_)

    def _wall(self, x: Array, y: Array) -> Array:
        """1 at the skin, 0 in the middle; x and y at scale 1."""
        return np.asarray((np.abs(x) / 172) ** 2.3 + (np.abs(y) / 122) ** 2.3, np.float32)

    def paint_around_liver(self, canvas: _Canvas) -> None:
        """Everything but the liver, from the skin inwards."""
        s = self.scale

        def shell(level: float) -> Shape:
            return lambda x, y, z: np.asarray(self._wall(x / s, y / s) + 0 * z < level, np.bool_)

        canvas.paint(shell(1.0), 15, 5)
        canvas.paint(shell(0.965), -105, 8)
        canvas.paint(shell(0.80), 55, 8)
        self._paint_bones(canvas)
        canvas.paint(shell(0.68), -95, 10)
        lung = self._at(0, 0, 108)
        canvas.paint(
            lambda x, y, z: (
                (self._wall(x / s, y / s) < 0.66)
                & (z - lung[2] > -0.35 * np.hypot(x - 60 * s, y) ** 2 / 100)
                & (z > 62 * s)
            ),
            -830,
            25,
        )
        canvas.paint(self._organ(self._at(-6, 10, 112, 3), (62, 48, 34)), 60)
        self._paint_spine(canvas)
        enhanced = self._rng.uniform(120, 185)
        canvas.paint(_tube(self._at(-14, -38, 0, 3)[:2], 11.0 * s, 500), enhanced)
        canvas.paint(_tube(self._at(20, -34, 0, 3)[:2], 12.0 * s, 500), enhanced - 25)
        canvas.paint(self._organ(self._at(-88, -38, 36), (34, 48, 52)), self._rng.uniform(100, 135))
        for side in (1, -1):
            kidney = self._at(side * 58, -52, -52)
            canvas.paint(self._organ(kidney, (27, 27, 52)), self._rng.uniform(140, 190))
            canvas.paint(self._organ(kidney, (9, 12, 22)), -20)
        stomach = self._at(-66, 34, 34)
        canvas.paint(self._organ(stomach, (46, 40, 52)), 62)
        canvas.paint(self._organ(stomach, (42, 36, 48)), self._rng.uniform(5, 30))
        bubble = (stomach[0], stomach[1] + 22 * s, stomach[2])
        canvas.paint(self._organ(bubble, (24, 10, 26)), -900)
        for _ in range(9):
            center = self._at(self._rng.uniform(-95, 80), self._rng.uniform(0, 60), -75, 22)
            bowel = self._rng.uniform(14, 24)
            canvas.paint(self._organ(center, (bowel, bowel, bowel)), self._rng.uniform(20, 70))
        canvas.paint(self._organ(self._at(34, 22, -50), (15, 15, 26)), 8)

    def _paint_bones(self, canvas: _Canvas) -> None:
        s = self.scale
        start = self._rng.uniform(0, 30)

        def ribs(x: Array, y: Array, z: Array) -> NDArray[np.bool_]:
            wall = self._wall(x / s, y / s)
            slope = (z / s + 0.55 * y / s + start) % 30
            cage = (wall > 0.70) & (wall < 0.78) & (slope < 11) & (z > -95 * s)
            return np.asarray(cage & (np.hypot(x, y - 110 * s) > 40 * s), np.bool_)

        canvas.paint(ribs, 320, 30)

    def _paint_spine(self, canvas: _Canvas) -> None:
        s = self.scale
        for side in (1, -1):
            muscle = (side * 42 * s, -84 * s, 0.0)
            canvas.paint(_ellipsoid(muscle, (32 * s, 22 * s, 1e4)), 58, 8)
        canvas.paint(_tube((0.0, -64.0 * s), 24 * s, 60), 330, 20)
        canvas.paint(_tube((0.0, -64.0 * s), 21 * s, 60), 190, 30)
        canvas.paint(_ellipsoid((0.0, -104 * s, 0.0), (5 * s, 16 * s, 1e4)), 380, 20)
        canvas.paint(_ellipsoid((0.0, -92 * s, 0.0), (9 * s, 8 * s, 1e4)), 30)

    def paint_vessels(self, canvas: _Canvas, liver: Array) -> None:
        """Branches of the portal and hepatic veins, brighter than the parenchyma."""
        root = np.array([30.0, -6.0, -4.0]) * self.scale
        hu = self.liver_hu + self._rng.uniform(30, 50)
        for _ in range(7):
            tip = np.array([self._rng.uniform(0, 110), self._rng.uniform(-45, 60), 0.0])
            tip[2] = self._rng.uniform(-40, 65)
            branch = _rod(root, tip * self.scale, self._rng.uniform(2.5, 5.0))
            canvas.blend(canvas.coverage(branch) * liver, hu)


def _grown(box: Box) -> Box:
    """`box` with a margin of two voxels."""
    i, j, k = (slice(max(s.start - 2, 0), s.stop + 2) for s in box)
    return i, j, k


def _ellipsoid(center: Float3, radii: Float3) -> Shape:
    (cx, cy, cz), (rx, ry, rz) = center, radii
    return lambda x, y, z: np.asarray(
        ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 + ((z - cz) / rz) ** 2 < 1, np.bool_
    )


def _ball(center: Float3, radius: float) -> Shape:
    return _ellipsoid(center, (radius, radius, radius))


def _tube(center_xy: tuple[float, ...], radius: float, bend_mm: float) -> Shape:
    """A vertical tube that sways slowly."""
    cx, cy = center_xy
    return lambda x, y, z: np.asarray(
        np.hypot(x - cx - radius * 0.2 * np.sin(z / bend_mm), y - cy) < radius, np.bool_
    )


def _rod(start: NDArray[np.float64], end: NDArray[np.float64], radius: float) -> Shape:
    """A tapering rod from `start` to `end`."""
    axis = end - start
    length2 = float(axis @ axis)

    def inside(x: Array, y: Array, z: Array) -> NDArray[np.bool_]:
        dx, dy, dz = x - start[0], y - start[1], z - start[2]
        t = np.clip((dx * axis[0] + dy * axis[1] + dz * axis[2]) / length2, 0, 1)
        d2 = (dx - t * axis[0]) ** 2 + (dy - t * axis[1]) ** 2 + (dz - t * axis[2]) ** 2
        return np.asarray(d2 < (radius * (1 - 0.6 * t)) ** 2, np.bool_)

    return inside


def _place_tumors(
    spec: PhantomSpec, rng: np.random.Generator, canvas: _Canvas, liver: Array
) -> list[TumorTruth]:
    """Spheres wholly inside the liver that do not touch each other, largest first."""
    diameters = spec.tumor_diameters_mm
    if diameters is None:
        diameters = tuple(rng.uniform(12, 40, rng.integers(2, 5)))
    if not diameters:
        return []
    around = bounding_box(liver)
    if around is None or min(diameters, default=1.0) <= 0:
        raise ValueError("a tumor needs a liver in the grid and a diameter above 0 mm")
    near = _grown(around)
    depth = np.zeros(liver.shape)
    # within the box: on a whole scan a distance transform takes many times as long
    depth[near] = ndimage.distance_transform_edt(liver[near] >= 0.99, canvas.spacing_mm)
    placed: list[TumorTruth] = []
    for diameter in sorted(diameters, reverse=True):
        free = depth > diameter / 2 + 2
        for other in placed:
            free &= ~canvas.coverage(
                _ball(other.center_mm, (other.diameter_mm + diameter) / 2 + 6)
            ).astype(bool)
        spots = np.argwhere(free)
        if not len(spots):
            raise ValueError(f"a tumor of {diameter:.0f} mm does not fit into the phantom's liver")
        x, y, z = canvas.affine.to_mm(spots[rng.integers(len(spots))] + rng.uniform(-0.4, 0.4, 3))
        placed.append(TumorTruth((float(x), float(y), float(z)), float(diameter)))
    return placed
