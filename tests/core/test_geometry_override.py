from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.geometry_override import ORIENTATIONS, with_geometry
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.measure import measure
from liverseg_gui.core.scan_issues import Concern, warning
from liverseg_gui.core.volume import Origin, Volume

SHAPE = (4, 5, 6)


@pytest.fixture
def volume() -> Volume:
    hu = np.arange(120, dtype=np.int16).reshape(SHAPE)
    grid = StoredGrid(SHAPE, Affine(np.eye(4)))
    doubt = warning("unit-spacing", "mm are not reliable.", "", Concern.MM)
    return Volume(hu, grid, Origin(Path("x.nii")), (doubt,))


def test_a_stated_spacing_answers_the_doubt_and_says_whose_it_is(volume: Volume) -> None:
    stated = with_geometry(volume, (0.7, 0.8, 2.5))
    assert stated.affine.spacing_mm == pytest.approx((0.7, 0.8, 2.5))
    assert stated.mm_reliable
    assert [f.code for f in stated.issues] == ["geometry-stated"]
    mask = LabelMap(np.ones(SHAPE, np.uint8), stated.grid)
    assert measure(stated, mask).liver_ml == pytest.approx(120 * 0.7 * 0.8 * 2.5 / 1000)
    np.testing.assert_array_equal(stated.hu, volume.hu)


def test_there_are_48_orientations() -> None:
    assert len(set(ORIENTATIONS)) == 48


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_stated_orientation_is_what_the_stored_axes_run_towards(
    volume: Volume, orientation: str
) -> None:
    stated = with_geometry(volume, (0.7, 0.8, 2.5), orientation)
    assert stated.grid.affine.orientation == orientation
    assert stated.grid.affine.spacing_mm == pytest.approx((0.7, 0.8, 2.5))
    assert stated.affine.orientation == "RAS"
    np.testing.assert_array_equal(stated.grid.to_stored(stated.hu), volume.hu)


@pytest.mark.parametrize(("spacing", "axes"), [((0, 1, 1), None), (None, "RAX"), (None, "RRS")])
def test_what_makes_no_sense_is_refused(volume: Volume, spacing: tuple, axes: str) -> None:
    with pytest.raises(ValueError, match=r"spacing|orientation"):
        with_geometry(volume, spacing, axes)


@pytest.mark.parametrize("spacing", [(100, 0.01, 30), (float("inf"), 1, 1), (float("nan"), 1, 1)])
def test_a_spacing_beyond_all_bounds_is_refused(volume: Volume, spacing: tuple) -> None:
    with pytest.raises(ValueError, match="between 0 and 100 mm"):
        with_geometry(volume, spacing)


def test_an_implausible_stated_spacing_is_doubted(volume: Volume) -> None:
    assert not with_geometry(volume, (0.01, 50, 30)).mm_reliable


def test_a_second_statement_takes_the_place_of_the_first(volume: Volume) -> None:
    twice = with_geometry(with_geometry(volume, (1, 1, 5)), (1, 1, 2))
    (found,) = [f for f in twice.issues if f.code == "geometry-stated"]
    assert "1 x 1 x 2 mm" in found.message
