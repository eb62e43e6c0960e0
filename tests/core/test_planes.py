from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liverseg_gui.core.geometry import Affine
from liverseg_gui.core.planes import Plane, letters

SHAPE = (5, 6, 7)


@pytest.mark.parametrize(
    ("plane", "expected"),
    [
        (Plane.AXIAL, ("R", "L", "A", "P")),
        (Plane.CORONAL, ("R", "L", "S", "I")),
        (Plane.SAGITTAL, ("A", "P", "S", "I")),
    ],
)
def test_letters_are_radiological(plane: Plane, expected: tuple) -> None:
    assert plane.edge_letters(Affine(np.eye(4))) == expected


def test_letters_come_from_the_affine() -> None:
    turned = np.eye(4)
    angle = np.radians(30)
    turned[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    assert Plane.AXIAL.edge_letters(Affine(turned))[0] == "RA"
    assert letters(np.array([0.1, -1.0, 0.0])) == "P"


def test_the_patients_right_anterior_is_at_the_top_left_of_the_axial_view() -> None:
    array = np.zeros(SHAPE)
    array[-1, -1, 3] = 1
    image = Plane.AXIAL.cut(array, 3)
    assert image.shape == (6, 5)
    assert image[0, 0] == 1


def test_the_head_is_up_in_the_coronal_and_sagittal_views() -> None:
    array = np.zeros(SHAPE)
    array[-1, -1, -1] = 1
    assert Plane.CORONAL.cut(array, 5)[0, 0] == 1
    assert Plane.SAGITTAL.cut(array, 4)[0, 0] == 1


@given(st.sampled_from(Plane), st.tuples(*[st.integers(0, n - 1) for n in SHAPE]))
def test_a_voxels_place_on_screen_leads_back_to_it(plane: Plane, voxel: tuple) -> None:
    column, row = plane.to_screen(voxel, SHAPE)
    assert plane.to_voxel(column, row, voxel[plane.normal], SHAPE) == voxel
    values = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    image = plane.cut(values, voxel[plane.normal])
    assert image[int(row), int(column)] == values[voxel]


def test_a_point_outside_is_clamped_to_the_volume() -> None:
    assert Plane.AXIAL.to_voxel(-5, 100, 3, SHAPE) == (4, 0, 3)
