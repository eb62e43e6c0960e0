from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from liverseg_gui.core.errors import UnreadableFileError
from training.data.lits2d_case import lits2d_sources
from training.data.slice_dataset import GRID, SHARES, SliceDataset, prepare, sampling_weights


@pytest.fixture(scope="module")
def slices(data: Path) -> SliceDataset:
    return SliceDataset([prepare(lits2d_sources(data)[0].read())], 3)


def test_an_item_is_a_slice_with_its_neighbours_the_livers_middle_and_the_labels(
    slices: SliceDataset,
) -> None:
    images, center, labels = slices[10]
    assert images.shape == (3, *GRID)
    assert labels.shape == GRID
    assert torch.equal(images[1], slices[9][0][2])
    assert torch.equal(images[0], slices[9][0][1])
    assert set(labels.unique().tolist()) <= {0, 1, 2}
    rows, columns = np.nonzero(np.stack([slices[n][2] for n in range(len(slices))]).max(0))
    middle = (
        (rows.min() + rows.max() + 1) / GRID[0] - 1,
        (columns.min() + columns.max() + 1) / GRID[1] - 1,
    )
    assert center.tolist() == pytest.approx(middle, abs=1e-6)


def test_labels_keep_their_area_on_the_grid(data: Path) -> None:
    case = lits2d_sources(data)[0].read()
    prepared = prepare(case)
    box = case.trunk(GRID[1] / GRID[0])
    grid_pixel = (box.height / GRID[0]) * (box.width / GRID[1])
    for label in (1, 2):
        area = np.count_nonzero(prepared.labels == label) * grid_pixel
        assert area == pytest.approx(np.count_nonzero(case.labels == label), rel=0.05)


def test_tumor_slices_are_two_fifths_of_what_is_drawn() -> None:
    kinds = np.array([0, 0, 0, 1, 1, 1, 1, 2], np.uint8)
    weights = sampling_weights(kinds, np.ones(8))
    assert weights[7] == pytest.approx(SHARES[2]) == pytest.approx(0.4)
    assert weights[:3].sum() == pytest.approx(SHARES[0])
    assert weights.sum() == pytest.approx(1)


def test_a_long_scan_does_not_crowd_out_a_short_one(data: Path) -> None:
    long = prepare(lits2d_sources(data)[0].read())
    short = replace(long, images=long.images[6:12], labels=long.labels[6:12], z=long.z[6:12])
    short.labels[:] = 1
    long.labels[:] = 1
    weights = SliceDataset([long, short], 3).weights
    ratio = weights[: len(long.images)].sum() / weights[len(long.images) :].sum()
    assert ratio == pytest.approx((len(long.images) / 6) ** 0.5)


def test_slices_far_from_the_liver_are_drawn_less(data: Path) -> None:
    case = prepare(lits2d_sources(data)[0].read())
    case.labels[:] = 0
    case.labels[2] = 1
    weights = SliceDataset([case], 3).weights
    assert weights[3] > weights[8] > weights[18]


def test_the_distance_of_stored_slices_is_the_contexts(data: Path, tmp_path: Path) -> None:
    (tmp_path / "003").mkdir()
    for z in (0, 2, 8):
        for ending in (".jpg", ".png"):
            shutil.copy(data / "003" / f"{z:04d}{ending}", tmp_path / "003")
    (tmp_path / "manifest.json").write_text('{"cases": [{"case": 3, "stored_z_step": 2}]}')
    case = lits2d_sources(tmp_path)[0].read()
    assert case.context(3).tolist() == [[0, 0, 1], [0, 1, 1], [2, 2, 2]]


def test_a_known_spacing_gives_millimetres(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data / "003", tmp_path / "003")
    row = '{"case": 3, "stored_z_step": 2, "spacing_mm_512": [0.75, 1.5]}'
    (tmp_path / "manifest.json").write_text('{"cases": [' + row + "]}")
    case = lits2d_sources(tmp_path)[0].read()
    assert case.pixel_mm == (4.0, 4.0)
    assert case.z[:3].tolist() == [0.0, 3.0, 6.0]
    assert case.context(3)[5].tolist() == [4, 5, 6]


def test_labels_beyond_tumor_are_refused(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "copy")
    path = tmp_path / "copy" / "003" / "0004.png"
    Image.fromarray(np.full((96, 96), 3, np.uint8)).save(path)
    with pytest.raises(UnreadableFileError, match=r"0004\.png holds the label 3"):
        lits2d_sources(tmp_path / "copy")[0].read()


def test_a_folder_without_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"manifest\.json"):
        lits2d_sources(tmp_path)
