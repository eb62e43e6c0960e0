from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from training.data import (
    SliceDataset,
    case_names,
    load_lits2d,
    sampling_weights,
    split_patients,
)

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.core.phantom import PhantomSpec, make_phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.preprocessing import axial_slices
from training.augment import Augmentation
from training.evaluation import compare
from training.learner import TrainConfig, make_learner

TINY = TrainConfig(size=(64, 96), first_size=(32, 64), epochs=1, fine_tune_epochs=1, device="cpu")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small patients in the lits2d layout."""
    folder = tmp_path_factory.mktemp("lits2d")
    for case in (3, 7, 12):
        spec = PhantomSpec(case, (96, 96, 20), (4.0, 4.0, 10.0), (36.0,))
        phantom = make_phantom(spec)
        (folder / f"{case:03d}").mkdir()
        labels = phantom.truth.labels[::-1, ::-1].transpose(2, 1, 0)
        for k, grey in enumerate(axial_slices(phantom.volume)):
            stem = folder / f"{case:03d}" / f"{k * 2:04d}"
            Image.fromarray(grey).save(stem.with_suffix(".jpg"), quality=95)
            Image.fromarray(np.ascontiguousarray(labels[k])).save(stem.with_suffix(".png"))
    rows = [{"case": case, "stored_z_step": 2} for case in (3, 7, 12)]
    (folder / "manifest.json").write_text(json.dumps({"cases": rows}))
    return folder


@pytest.fixture(scope="module")
def slices(data: Path) -> SliceDataset:
    return SliceDataset(list(load_lits2d(data, ["003"], 1.5)), TINY.size, Progress())


def test_items_are_three_neighbouring_slices_and_their_labels(slices: SliceDataset) -> None:
    images, labels = slices[10]
    assert images.shape == (3, 64, 96)
    assert labels.shape == (64, 96)
    assert torch.equal(images[1], slices[9][0][2])
    assert torch.equal(images[0], slices[9][0][1])
    assert set(labels.unique().tolist()) <= {0, 1, 2}


def test_a_gap_in_the_stored_slices_is_not_bridged(data: Path, tmp_path: Path) -> None:
    (tmp_path / "003").mkdir()
    for z in (0, 2, 8):
        for ending in (".jpg", ".png"):
            source = data / "003" / f"{z:04d}{ending}"
            (tmp_path / "003" / source.name).write_bytes(source.read_bytes())
    (tmp_path / "manifest.json").write_text((data / "manifest.json").read_text())
    case = next(load_lits2d(tmp_path, ["003"], 1.5))
    assert case.context.tolist() == [[0, 0, 1], [0, 1, 1], [2, 2, 2]]


def test_no_patient_is_on_both_sides_of_the_split(data: Path) -> None:
    names = case_names(data)
    parts = [split_patients(names, 3, fold, seed=1) for fold in range(3)]
    assert sorted(name for part in parts for name in part) == names
    assert split_patients(names, 3, 0, seed=1) == parts[0]


def test_tumor_slices_are_two_fifths_of_what_is_drawn(slices: SliceDataset) -> None:
    weights = sampling_weights(
        np.array([0, 0, 0, 1, 1, 1, 1, 1], bool), np.array([0, 0, 0, 0, 0, 0, 0, 1], bool)
    )
    assert weights[7] == pytest.approx(0.4)
    assert weights[:3].sum() == pytest.approx(0.2)
    loader = make_learner(TINY, slices, slices).dls.train
    np.random.seed(0)
    drawn = np.concatenate([loader.get_idxs() for _ in range(60)])
    has_tumor = np.array([bool((slices[n][1] == 2).any()) for n in range(len(slices))])
    assert has_tumor[drawn].mean() == pytest.approx(0.4, abs=0.05)


def test_images_and_labels_move_together() -> None:
    torch.manual_seed(0)
    labels = torch.zeros(16, 64, 96, dtype=torch.long)
    labels[:, 20:50, 30:70] = 1
    quiet = Augmentation(brightness=0, contrast=0, gamma=0, noise=0)
    images = labels[:, None].float().repeat(1, 3, 1, 1)
    moved, moved_labels = quiet(images, labels, (32, 48))
    assert moved.shape == (16, 3, 32, 48)
    assert ((moved[:, 1] > 0.5) == (moved_labels == 1)).float().mean() > 0.98
    assert (moved_labels.flatten(1).sum(1).float().std()) > 5


def test_the_liver_stays_on_its_side_unless_flips_are_asked_for() -> None:
    torch.manual_seed(0)
    labels = torch.zeros(32, 64, 96, dtype=torch.long)
    labels[:, 20:44, 10:30] = 1
    images = labels[:, None].float().repeat(1, 3, 1, 1)
    _, kept = Augmentation()(images, labels, (64, 96))
    assert (kept[:, :, 48:].sum((1, 2)) == 0).all()
    _, flipped = Augmentation(flip_probability=1.0)(images, labels, (64, 96))
    assert (flipped[:, :, :48].sum((1, 2)) == 0).all()


def test_labels_beyond_tumor_are_refused(data: Path, tmp_path: Path) -> None:
    (tmp_path / "003").mkdir()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "003" / "0000.jpg")
    Image.fromarray(np.full((8, 8), 5, np.uint8)).save(tmp_path / "003" / "0000.png")
    (tmp_path / "manifest.json").write_text((data / "manifest.json").read_text())
    with pytest.raises(UnreadableFileError, match="label 5"):
        next(load_lits2d(tmp_path, ["003"], 1.5))


def test_a_folder_without_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"manifest\.json"):
        case_names(tmp_path)


def test_figures_of_a_patient_follow_the_lits_rules() -> None:
    truth = np.zeros((1, 4, 4), np.uint8)
    truth[0, :2] = 1
    truth[0, 0, :2] = 2
    found = np.zeros_like(truth)
    found[0, :2] = 1
    found[0, 0, 0] = 2
    result = compare("x", found, truth)
    assert result.liver_dice == 1.0
    assert result.tumor_dice == pytest.approx(2 / 3)
    assert (
        compare("y", (truth > 0).astype(np.uint8), (truth > 0).astype(np.uint8)).tumor_dice is None
    )
