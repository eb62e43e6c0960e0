from __future__ import annotations

import itertools

import numpy as np
import pytest

from liverseg_gui.core.errors import Cancelled
from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.labels import LIVER, TUMOR, LabelMap
from liverseg_gui.core.measure import measure
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.surface.mesh import Surface, build_surfaces
from liverseg_gui.core.surface.nets import surface_nets

AXIS_ORDERS = [
    (order, signs)
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]


def label_map(stored: np.ndarray, affine: Affine) -> LabelMap:
    grid = StoredGrid(stored.shape, affine)
    return LabelMap(grid.to_ras(stored.astype(np.uint8)), grid)


def ball(diameter_mm: float, affine: Affine, center_mm: np.ndarray, label: int) -> LabelMap:
    """The voxels whose middles lie within a ball, on a grid that has room around it."""
    corners = center_mm + (diameter_mm / 2 + 8) * np.array(AXIS_ORDERS[0][1])
    room = 2 * (np.abs(affine.to_ijk(corners) - affine.to_ijk(center_mm)).max() + 2)
    shape = (round(room),) * 3
    start = affine.to_ijk(center_mm) - np.array(shape) // 2
    moved = affine.matrix.copy()
    moved[:3, 3] = affine.to_mm(np.rint(start))
    placed = Affine(moved)
    at = placed.to_mm(np.stack(np.indices(shape), -1))
    inside = np.linalg.norm(at - center_mm, axis=-1) <= diameter_mm / 2
    return label_map(inside * label, placed)


def rotated(spacing_mm: tuple[float, float, float]) -> Affine:
    """An affine turned by 25 degrees about one axis and 15 about another."""
    a, b = np.radians((25, 15))
    about_z = [[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]
    about_x = [[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]]
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(about_z) @ about_x @ np.diag(spacing_mm)
    return Affine(matrix)


def require_closed(surface: Surface) -> None:
    """Every edge belongs to two faces, which run along it in opposite directions."""
    faces = surface.faces
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    _, counts = np.unique(np.sort(edges, axis=1), axis=0, return_counts=True)
    assert (counts == 2).all()
    assert len(np.unique(edges, axis=0)) == len(edges)


def voxel_ml(mask: LabelMap, *labels: int) -> float:
    return np.isin(mask.labels, labels).sum() * mask.affine.voxel_ml


@pytest.mark.parametrize("diameter_mm", [5.0, 10.0, 20.0, 40.0])
@pytest.mark.parametrize(
    "affine",
    [
        Affine.from_spacing((0.7, 0.7, 1.0)),
        Affine.from_spacing((0.8, 0.8, 5.0)),
        rotated((0.9, 0.9, 2.5)),
    ],
    ids=["thin slices", "thick slices", "rotated"],
)
def test_a_ball_keeps_its_place_volume_and_round_shape(diameter_mm: float, affine: Affine) -> None:
    center = np.array([31.2, -14.7, 88.1])
    mask = ball(diameter_mm, affine, center, TUMOR)
    (surface,) = build_surfaces(mask, Progress())
    require_closed(surface)
    assert surface.volume_ml == pytest.approx(voxel_ml(mask, TUMOR), rel=0.01)
    thickest = max(affine.spacing_mm)
    share_of_slice = 0.3 if diameter_mm >= 10 else 0.5
    atol = share_of_slice * thickest
    np.testing.assert_allclose(surface.vertices_mm.mean(0), center, atol=atol)
    radii = np.linalg.norm(surface.vertices_mm - center, axis=1)
    assert np.abs(radii - diameter_mm / 2).max() < 0.2 + atol
    outward = surface.vertices_mm - surface.vertices_mm.mean(0)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    assert (surface.normals * outward).sum(axis=1).min() > 0.7


def test_thick_slices_leave_no_steps_in_a_slope() -> None:
    """A cone on slices of 5 mm: its surface leans the same way everywhere."""
    i, j, k = np.indices((80, 80, 14))
    cone = np.hypot(i - 40, j - 40) <= 36 - 4 * (k - 2)
    mask = label_map(cone & (k >= 2), Affine.from_spacing((1.0, 1.0, 5.0)))
    (surface,) = build_surfaces(mask, Progress())
    slope = (surface.vertices_mm[:, 2] > 15) & (surface.vertices_mm[:, 2] < 42)
    leaning = np.degrees(np.arcsin(surface.normals[slope, 2]))
    assert leaning.mean() == pytest.approx(np.degrees(np.arctan(4 / 5)), abs=2)
    assert leaning.std() < 5


@pytest.mark.parametrize("order", AXIS_ORDERS, ids=str)
def test_a_surface_lies_at_its_place_in_the_patient_in_every_axis_order(
    order: tuple[tuple[int, ...], tuple[int, ...]],
) -> None:
    axes, signs = order
    spacing = np.array([1.0, 1.5, 3.0])
    matrix = np.eye(4)
    matrix[:3, :3] = np.eye(3)[:, list(axes)] * signs * spacing
    matrix[:3, 3] = (12.0, -40.0, 7.0)
    affine = Affine(matrix)
    stored = np.zeros((24, 20, 12), np.uint8)
    stored[4:14, 6:12, 3:9] = LIVER
    (surface,) = build_surfaces(label_map(stored, affine), Progress())
    corners = affine.to_mm([(3.5, 5.5, 2.5), (13.5, 11.5, 8.5)])
    low, high = surface.vertices_mm.min(0), surface.vertices_mm.max(0)
    np.testing.assert_allclose(low, corners.min(0), atol=0.8)
    np.testing.assert_allclose(high, corners.max(0), atol=0.8)
    require_closed(surface)
    assert surface.volume_ml == pytest.approx(10 * 6 * 6 * spacing.prod() / 1000, rel=0.01)


def test_the_liver_is_one_surface_around_its_tumors_and_each_lesion_is_its_own(
    phantom: Phantom,
) -> None:
    surfaces = build_surfaces(phantom.truth, Progress())
    assert [(s.label, s.number) for s in surfaces] == [
        (LIVER, 0),
        (TUMOR, 1),
        (TUMOR, 2),
        (TUMOR, 3),
    ]
    for surface in surfaces:
        require_closed(surface)
    assert surfaces[0].volume_ml == pytest.approx(phantom.liver_ml, rel=0.03)
    lesions = measure(phantom.volume, phantom.truth).lesions
    for surface, lesion in zip(surfaces[1:], lesions, strict=True):
        assert surface.number == lesion.number
        assert surface.volume_ml == pytest.approx(lesion.volume_ml, rel=0.01)
        np.testing.assert_allclose(surface.vertices_mm.mean(0), lesion.centroid_mm, atol=1.5)


def test_a_mask_that_fills_the_scan_to_its_edges_has_a_closed_surface() -> None:
    mask = label_map(np.full((12, 10, 6), LIVER), Affine.from_spacing((2.0, 2.0, 5.0)))
    (surface,) = build_surfaces(mask, Progress())
    require_closed(surface)
    assert surface.volume_ml == pytest.approx(12 * 10 * 6 * 20 / 1000, rel=0.01)


def test_a_lesion_of_one_voxel_has_a_surface_of_its_volume() -> None:
    labels = np.zeros((9, 9, 9))
    labels[4, 4, 4] = TUMOR
    (surface,) = build_surfaces(label_map(labels, Affine.from_spacing((0.8, 0.8, 5.0))), Progress())
    require_closed(surface)
    assert surface.volume_ml == pytest.approx(0.8 * 0.8 * 5 / 1000, rel=0.1)


@pytest.mark.parametrize("spacing_mm", [(8e-4, 8e-4, 3e-3), (800.0, 800.0, 3000.0)])
def test_spacing_in_another_unit_does_not_exhaust_the_memory(
    spacing_mm: tuple[float, float, float],
) -> None:
    stored = np.zeros((24, 24, 12))
    stored[4:20, 5:19, 2:10] = LIVER
    stored[12, 12, 6] = TUMOR
    mask = label_map(stored, Affine.from_spacing(spacing_mm))
    liver, lesion = build_surfaces(mask, Progress())
    assert liver.volume_ml == pytest.approx(voxel_ml(mask, LIVER, TUMOR), rel=0.01)
    assert lesion.volume_ml == pytest.approx(voxel_ml(mask, TUMOR), rel=0.01)
    require_closed(liver)
    require_closed(lesion)


def test_voxels_that_meet_at_a_corner_are_one_lesion_with_a_closed_surface() -> None:
    labels = np.zeros((12, 12, 12))
    labels[3:6, 3:6, 3:6] = labels[6:9, 6:9, 6:9] = TUMOR
    (surface,) = build_surfaces(label_map(labels, Affine.from_spacing((1.0, 1.0, 1.0))), Progress())
    require_closed(surface)


def test_random_fields_give_closed_surfaces() -> None:
    """Samples that meet along edges and at corners in every way."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        field = np.pad(rng.standard_normal((6, 6, 6)).astype(np.float32), 1, constant_values=-1)
        vertices, faces = surface_nets(field)
        require_closed(Surface(LIVER, 0, vertices, faces, vertices))


def test_any_label_has_a_surface_of_its_own() -> None:
    labels = np.zeros((20, 20, 20))
    labels[2:8, 2:8, 2:8] = LIVER
    labels[11:18, 11:14, 11:14] = 7
    surfaces = build_surfaces(label_map(labels, Affine.from_spacing((1.0, 1.0, 1.0))), Progress())
    assert [(s.label, s.number) for s in surfaces] == [(LIVER, 0), (7, 0)]


def test_an_empty_mask_has_no_surfaces() -> None:
    empty = label_map(np.zeros((5, 5, 5)), Affine.from_spacing((1.0, 1.0, 1.0)))
    assert build_surfaces(empty, Progress()) == ()


def test_building_stops_when_it_is_cancelled(phantom: Phantom) -> None:
    seen: list[float] = []

    def cancel_soon(fraction: float, _: str) -> None:
        seen.append(fraction)
        if len(seen) == 4:
            progress.cancel()

    progress = Progress(cancel_soon)
    with pytest.raises(Cancelled):
        build_surfaces(phantom.truth, progress)
    assert len(seen) == 4
