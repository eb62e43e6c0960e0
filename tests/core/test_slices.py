from __future__ import annotations

import numpy as np
import pytest

from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.slices import SourceSlices, even_grid, resample_even

SHAPE = (60, 64)
CENTER = np.array([30.0, 34.0, 40.0])


def affines(depths: list[float], tilt: float = 0.0, pixel: float = 1.0) -> list[Affine]:
    """Axial slices at `depths` mm, each moved by `tilt` mm of y a mm of depth."""
    made = []
    for depth in depths:
        matrix = np.diag([pixel, pixel, 1.0, 1.0])
        matrix[:3, 3] = (0, tilt * depth, depth)
        made.append(Affine(matrix))
    return made


def ball(places: list[Affine], radius: float) -> np.ndarray:
    """A ball of 100 HU in air at CENTER, sampled on slices, (columns, rows, slices)."""
    column, row = np.meshgrid(np.arange(SHAPE[0]), np.arange(SHAPE[1]), indexing="ij")
    points = np.stack([column, row, np.zeros_like(row)], axis=-1)
    slices = [np.linalg.norm(a.to_mm(points) - CENTER, axis=-1) < radius for a in places]
    return np.where(np.stack(slices, axis=2), 100, -1000).astype(np.int16)


def test_even_slices_are_left_as_they_are() -> None:
    places = affines([3.0 * n for n in range(20)])
    stack = ball(places, 15)
    grid = even_grid(SHAPE, places)
    assert grid.shape == (*SHAPE, 20)
    np.testing.assert_array_equal(resample_even(stack, places, grid, Progress()), stack)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_tilted_ball_is_round_and_in_its_place_again(sign: int) -> None:
    places = affines([1.5 * n for n in range(55)], tilt=sign * 0.2)
    stack = ball(places, 15)
    grid = even_grid(SHAPE, places)
    hu = resample_even(stack, places, grid, Progress())
    inside = hu > -450
    assert np.count_nonzero(inside) * grid.affine.voxel_ml == pytest.approx(
        4 / 3 * np.pi * 15**3 / 1000, rel=0.02
    )
    at = grid.affine.to_mm(np.argwhere(inside))
    np.testing.assert_allclose(at.mean(axis=0), CENTER, atol=0.3)
    np.testing.assert_allclose(np.ptp(at, axis=0), 29, atol=1.6)


def test_a_gap_is_filled_between_its_neighbours_and_slices_keep_their_place() -> None:
    depths = [0.0, 8, 16, 32, 40, 48, 54]
    places = affines(depths)
    stack = np.stack([np.full(SHAPE, int(d), np.int16) for d in depths], axis=2)
    grid = even_grid(SHAPE, places)
    hu = resample_even(stack, places, grid, Progress())
    assert grid.affine.spacing_mm == (1.0, 1.0, 8.0)
    assert hu[0, 0].tolist() == [0, 8, 16, 24, 32, 40, 48, 54]


def test_slices_in_descending_order_come_out_the_same() -> None:
    depths = [0.0, 8, 16, 32, 40, 46]
    up, down = affines(depths), affines(depths[::-1])
    grids = [even_grid(SHAPE, places) for places in (up, down)]
    hus = [
        grid.to_ras(resample_even(ball(places, 14), places, grid, Progress()))
        for grid, places in zip(grids, (up, down), strict=True)
    ]
    middle = [g.ras_affine.to_ijk(CENTER).round().astype(int) for g in grids]
    assert all(hu[tuple(at)] > -450 for hu, at in zip(hus, middle, strict=True))


def test_a_mask_is_brought_back_to_the_slices_it_came_from() -> None:
    places = affines([0.0, 8, 16, 32, 40, 46], tilt=0.15)
    grid = even_grid(SHAPE, places)
    hu = resample_even(ball(places, 14), places, grid, Progress())
    labels = np.asfortranarray(grid.to_ras((hu > -450).astype(np.uint8)))
    mask = LabelMap(labels, grid)
    slices = SourceSlices(tuple("abcdef"), SHAPE, tuple(places))
    truth = ball(places, 14) > 0
    for n in range(len(places)):
        differ = np.count_nonzero(slices.labels(mask, n) != truth[:, :, n])
        assert differ <= 0.05 * max(np.count_nonzero(truth[:, :, n]), 20)


def test_what_lies_outside_the_mask_is_background() -> None:
    grid = StoredGrid((4, 4, 4), Affine.from_spacing((1, 1, 1)))
    mask = LabelMap(np.ones((4, 4, 4), np.uint8), grid)
    far = SourceSlices(("far",), (3, 3), tuple(affines([50.0])))
    assert not far.labels(mask, 0).any()
