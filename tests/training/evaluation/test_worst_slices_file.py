"""The worst slices as a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.evaluation.worst_slices import WorstSlice
from training.data.phantom_case import PhantomCase
from training.data.volume_case import VolumeCase
from training.evaluation.worst_slices_file import load_worst, save_worst
from training.runs.files import WORST


def a_slice(name: str, index: int, rows: int, columns: int) -> WorstSlice:
    rng = np.random.default_rng(index)
    found, truth, shade = rng.integers(0, 3, (3, rows, columns), np.uint8)
    return WorstSlice(name, index, 0.1 * index, 5, found, truth, shade, (0.8, 0.7))


def test_slices_of_several_sizes_come_back_as_they_were(tmp_path: Path) -> None:
    slices = [a_slice("a", 3, 20, 30), a_slice("b", 7, 24, 16)]
    save_worst(tmp_path / WORST, slices)
    back = [saved.slice for saved in load_worst(tmp_path / WORST)]
    for given, got in zip(slices, back, strict=True):
        assert (got.name, got.index, got.score, got.wrong) == (
            *(given.name, given.index, given.score, given.wrong),
        )
        assert got.pixel_mm == given.pixel_mm
        assert got.shade is not None
        assert given.shade is not None
        np.testing.assert_array_equal(got.found, given.found)
        np.testing.assert_array_equal(got.truth, given.truth)
        np.testing.assert_array_equal(got.shade, given.shade)


def test_the_scan_of_a_slice_is_named_where_the_viewer_can_open_it(tmp_path: Path) -> None:
    scan = tmp_path / "two.nii.gz"
    volume = VolumeCase(tmp_path, "a", "a", scan, scan, volume=2)
    slices = [a_slice("a", 3, 4, 4), a_slice("phantom-1", 1, 4, 4)]
    save_worst(tmp_path / WORST, slices, [volume, PhantomCase(1)])
    first, second = load_worst(tmp_path / WORST)
    assert (first.scan, first.volume) == (scan, 2)
    assert (second.scan, second.volume) == (None, None)


def test_a_slice_without_a_scan_is_drawn_on_black(tmp_path: Path) -> None:
    save_worst(tmp_path / WORST, [replace(a_slice("a", 1, 4, 5), shade=None)])
    (saved,) = load_worst(tmp_path / WORST)
    assert saved.slice.shade is not None
    assert saved.slice.shade.shape == (4, 5)
    assert not saved.slice.shade.any()


def test_no_worst_slice_is_an_empty_file(tmp_path: Path) -> None:
    save_worst(tmp_path / WORST, [])
    assert load_worst(tmp_path / WORST) == []


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / WORST).write_bytes(b"PK\x03\x04 no zip")
    with pytest.raises(UnreadableFileError, match=r"worst\.npz is missing or damaged"):
        load_worst(tmp_path / WORST)
    with pytest.raises(UnreadableFileError, match=r"other\.npz is missing"):
        load_worst(tmp_path / "other.npz")
