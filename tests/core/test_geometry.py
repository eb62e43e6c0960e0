from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from liverseg_gui.core.geometry import Affine, StoredGrid

SHAPE = (4, 5, 6)


def orientations() -> list[np.ndarray]:
    """All 48 axis orders and flips as 3x3 matrices."""
    signs = list(itertools.product((1, -1), repeat=3))
    return [
        np.eye(3)[list(order)] * np.array(sign)
        for order in itertools.permutations(range(3))
        for sign in signs
    ]


def test_there_are_48_orientations() -> None:
    assert len({o.tobytes() for o in orientations()}) == 48


@given(
    st.sampled_from(range(48)),
    st.tuples(*[st.floats(0.3, 9.0)] * 3),
    st.tuples(*[st.floats(-20, 20)] * 3),
    st.tuples(*[st.floats(-500, 500)] * 3),
)
def test_a_voxel_keeps_its_place_when_axes_are_reordered(
    orientation: int, spacing: tuple, angles: tuple, origin: tuple
) -> None:
    matrix = np.eye(4)
    turn = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    matrix[:3, :3] = turn @ (orientations()[orientation] * np.array(spacing))
    matrix[:3, 3] = origin
    grid = StoredGrid(SHAPE, Affine(matrix))
    values = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    ras = grid.to_ras(values)
    assert grid.ras_affine.orientation == "RAS"
    for index in ((0, 0, 0), (3, 4, 5), (1, 2, 3)):
        at = np.argwhere(ras == values[index])[0]
        np.testing.assert_allclose(grid.ras_affine.to_mm(at), grid.affine.to_mm(index), atol=1e-6)
    np.testing.assert_array_equal(grid.to_stored(ras), values)


def test_spacing_and_volume_follow_from_the_matrix() -> None:
    affine = Affine.from_spacing((0.7, 0.8, 2.5))
    assert affine.spacing_mm == pytest.approx((0.7, 0.8, 2.5))
    assert affine.voxel_ml == pytest.approx(0.7 * 0.8 * 2.5 / 1000)


def test_mm_and_ijk_are_inverse() -> None:
    affine = Affine.from_spacing((0.7, 0.8, 2.5), (-10, 20, 30))
    np.testing.assert_allclose(affine.to_ijk(affine.to_mm((3, 4, 5))), (3, 4, 5))


@pytest.mark.parametrize(
    "matrix", [np.zeros((4, 4)), np.full((4, 4), np.nan), np.eye(3), np.diag([1, 1, 0, 1])]
)
def test_a_matrix_without_volume_is_no_affine(matrix: np.ndarray) -> None:
    with pytest.raises(ValueError, match="affine"):
        Affine(matrix)


def test_an_affine_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        Affine(np.eye(4)).matrix[0, 0] = 2
