from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.planes import Plane
from liverseg_gui.core.slabs import (
    ONE_SLICE,
    Slab,
    SlabMode,
    SlabProjector,
    plane_step_mm,
    project,
    slab_range,
)
from liverseg_gui.core.volume import Origin, Volume


@pytest.fixture
def volume() -> Volume:
    rng = np.random.default_rng(3)
    hu = rng.integers(-1000, 2000, (20, 24, 30), np.int16)
    return Volume(
        hu, StoredGrid(hu.shape, Affine(np.diag([1.0, 2.0, 2.5, 1.0]))), Origin(Path("x"))
    )


@pytest.mark.parametrize("plane", Plane)
@pytest.mark.parametrize(
    ("mode", "flatten"),
    [(SlabMode.MAXIMUM, np.max), (SlabMode.MINIMUM, np.min), (SlabMode.MEAN, np.mean)],
)
def test_a_slab_shows_what_its_slices_show_together(volume, plane, mode, flatten) -> None:
    slab = Slab(mode, 11.0)
    taken = slab_range(volume, plane, 8, slab)
    stack = np.stack([plane.cut(volume.hu, n) for n in taken])
    np.testing.assert_allclose(project(volume, plane, 8, slab), flatten(stack, axis=0), atol=0.51)


def test_a_slab_holds_the_slices_within_half_its_thickness(volume: Volume) -> None:
    slab = Slab(SlabMode.MAXIMUM, 10.0)
    assert slab_range(volume, Plane.AXIAL, 10, slab) == range(8, 13)
    assert slab_range(volume, Plane.CORONAL, 10, slab) == range(8, 13)
    assert slab_range(volume, Plane.SAGITTAL, 10, slab) == range(5, 16)
    assert slab_range(volume, Plane.AXIAL, 0, slab) == range(0, 3)
    assert slab_range(volume, Plane.AXIAL, 29, slab) == range(27, 30)
    assert slab_range(volume, Plane.AXIAL, 10, Slab(SlabMode.MAXIMUM, 1.0)) == range(10, 11)


@pytest.mark.parametrize("plane", Plane)
def test_without_a_slab_the_slice_itself_is_shown(volume: Volume, plane: Plane) -> None:
    np.testing.assert_array_equal(project(volume, plane, 5, ONE_SLICE), plane.cut(volume.hu, 5))


def test_the_distance_of_sheared_slices_is_measured_across_them() -> None:
    matrix = np.diag([1.0, 1.0, 3.0, 1.0])
    matrix[1, 2] = 4.0
    hu = np.zeros((4, 4, 4), np.int16)
    volume = Volume(hu, StoredGrid(hu.shape, Affine(matrix)), Origin(Path("x")))
    assert plane_step_mm(volume, Plane.AXIAL) == pytest.approx(3.0)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("plane", Plane)
@pytest.mark.parametrize("mode", [SlabMode.MAXIMUM, SlabMode.MINIMUM, SlabMode.MEAN])
def test_a_slab_after_others_is_the_same_as_one_by_itself(volume, order, plane, mode) -> None:
    ordered = Volume(np.array(volume.hu, order=order), volume.grid, volume.origin)
    other = Volume(np.array(-volume.hu, order=order), volume.grid, volume.origin)
    projector, slab = SlabProjector(plane), Slab(mode, 11.0)
    steps = [(ordered, index, slab) for index in (0, 1, 2, 9, 8, 19)]
    steps += [(other, 19, slab), (other, 18, ONE_SLICE), (ordered, 18, Slab(mode, 30.0))]
    for scan, index, shown in steps:
        np.testing.assert_array_equal(
            projector.project(scan, index, shown), project(scan, plane, index, shown)
        )
