from __future__ import annotations

import json
from dataclasses import replace
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

from liverseg_gui.core.errors import Cancelled, LiverSegError, UnreadableFileError
from liverseg_gui.core.phantom import PhantomSpec, make_phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.inference import load_predictor
from liverseg_gui.segmentation.networks import encoder_and_decoder
from liverseg_gui.segmentation.preprocessing import axial_slices
from liverseg_gui.segmentation.registry import find_model
from training.augment import Augmentation
from training.evaluation import compare
from training.learner import TrainConfig, make_learner, train
from training.losses import CrossEntropy, DiceCrossEntropy, DiceLoss
from training.run import TrainRun, run_training

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


def test_a_perfect_prediction_has_no_dice_loss_and_a_wrong_one_has_most() -> None:
    labels = torch.zeros(2, 16, 16, dtype=torch.long)
    labels[:, 4:12, 4:8] = 1
    labels[:, 4:12, 8:12] = 2
    right = torch.nn.functional.one_hot(labels, 3).movedim(-1, 1) * 50.0
    wrong = torch.nn.functional.one_hot((labels + 1) % 3, 3).movedim(-1, 1) * 50.0
    assert DiceLoss()(right, labels) < 1e-3
    assert DiceLoss()(wrong, labels) > 0.9
    both = DiceCrossEntropy()(wrong, labels)
    assert both == pytest.approx(float(CrossEntropy()(wrong, labels) + DiceLoss()(wrong, labels)))


def test_background_does_not_soften_the_dice_loss() -> None:
    labels = torch.zeros(1, 64, 64, dtype=torch.long)
    labels[:, 30:34, 30:34] = 2
    nothing = torch.nn.functional.one_hot(torch.zeros_like(labels), 3).movedim(-1, 1) * 50.0
    assert DiceLoss()(nothing, labels) > 0.45


@pytest.mark.parametrize("architecture", ["slim-resnet18", "unet-resnet18"])
def test_freezing_holds_the_encoder_and_frees_it_again(
    slices: SliceDataset, architecture: str
) -> None:
    config = TrainConfig(architecture=architecture, size=TINY.size, device="cpu")
    learner = make_learner(config, slices, slices)
    learner.freeze()
    encoder, decoder = encoder_and_decoder(learner.model)
    norms = {
        id(p)
        for m in learner.model.modules()
        if isinstance(m, torch.nn.BatchNorm2d)
        for p in m.parameters()
    }
    assert not any(p.requires_grad for p in encoder if id(p) not in norms)
    assert all(p.requires_grad for p in decoder)
    learner.unfreeze()
    assert all(p.requires_grad for p in encoder)


@pytest.mark.slow
def test_a_run_trains_evaluates_and_exports_a_model_that_loads(data: Path, tmp_path: Path) -> None:
    run = TrainRun(data, tmp_path, "tiny", 3, 0, 0, "liverseg train", TINY)
    results = run_training(run, Progress())
    card = find_model(str(tmp_path / "model"))
    assert [r.name for r in results] == [row["name"] for row in card.about["held_out"]]
    assert not {r.name for r in results} & set(card.about["trained_on"])
    assert load_predictor(card, "cpu").device == "cpu"
    stages = [
        json.loads(line)["stage"] for line in (tmp_path / "log.jsonl").read_text().splitlines()
    ]
    assert stages == ["one cycle", "fine-tune, frozen", "fine-tune"]


@pytest.mark.slow
def test_a_cancelled_run_goes_on_from_its_last_epoch(slices: SliceDataset, tmp_path: Path) -> None:
    progress = Progress()
    done: list[str] = []

    def stop_after_first(epoch: object) -> None:
        done.append(epoch.stage)  # type: ignore[attr-defined]
        progress.cancel()

    with pytest.raises(Cancelled):
        train(TINY, slices, slices, tmp_path, progress, stop_after_first)
    assert done == ["one cycle"]
    other = replace(TINY, learning_rate=1e-3)
    with pytest.raises(LiverSegError, match="other settings"):
        train(other, slices, slices, tmp_path, Progress(), resume=True)
    rest: list[str] = []
    train(TINY, slices, slices, tmp_path, Progress(), lambda e: rest.append(e.stage), resume=True)
    assert rest == ["fine-tune, frozen", "fine-tune"]


@pytest.mark.parametrize(
    ("folds", "fold", "message"),
    [
        (5, 0, "too few"),
        (1, 0, "no fold"),
        (3, 3, "no fold"),
        (3, -1, "no fold"),
        (0, 0, "no fold"),
    ],
)
def test_a_split_that_cannot_be_made_is_refused(
    data: Path, tmp_path: Path, folds: int, fold: int, message: str
) -> None:
    with pytest.raises(LiverSegError, match=message):
        run_training(TrainRun(data, tmp_path, folds=folds, fold=fold), Progress())


def test_an_earlier_training_is_not_overwritten(data: Path, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").touch()
    with pytest.raises(LiverSegError, match="holds a training already"):
        run_training(TrainRun(data, tmp_path, folds=3), Progress())


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
