"""A training small enough for tests: one phantom, small pictures, few epochs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import nn

from liverseg_gui.core.phantom import PhantomSpec, make_phantom
from liverseg_gui.segmentation.preprocessing import CONTEXT_MM, axial_slices
from training.config.field_of_view import FieldOfView
from training.config.train_config import TrainConfig
from training.data.selection import DataSelection
from training.data.slice_dataset import PreparedCase, SliceDataset
from training.runs.epoch_log import EpochResult
from training.runs.observer import TrainingObserver
from training.runs.training_job import TrainingJob

TINY = TrainConfig(
    context=3,
    trunk=FieldOfView((32, 64), (32, 64)),
    liver=FieldOfView((32, 32), (64, 96)),
    epochs=2,
    fine_tune_epochs=1,
    batch_size=4,
    precision="float32",
    device="cpu",
)


def slices_and_labels(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Axial slices and labels of a phantom with one tumor: uint8 (20, 96, 96)."""
    phantom = make_phantom(PhantomSpec(seed, (96, 96, 20), (4.0, 4.0, 10.0), (36.0,)))
    labels = np.ascontiguousarray(phantom.truth.labels[::-1, ::-1].transpose(2, 1, 0))
    return axial_slices(phantom.volume), labels


def tiny_slices(count: int = 20) -> SliceDataset:
    """The middle of a phantom's slices as a data set of `count` slices, 64 x 96 pixels."""
    images, labels = slices_and_labels(3)
    first = (len(images) - count) // 2
    part = (slice(first, first + count), slice(16, 80))
    z = np.arange(count) * 10.0
    case = PreparedCase("phantom", images[part], labels[part], z, CONTEXT_MM)
    return SliceDataset([case], TINY.context)


def write_lits2d(folder: Path, cases: tuple[int, ...] = (3, 7, 12)) -> Path:
    """Small patients in the lits2d layout, the middle eight slices of each."""
    for number in cases:
        place = folder / f"{number:03d}"
        place.mkdir(parents=True)
        images, labels = (array[6:14] for array in slices_and_labels(number))
        for k, (grey, truth) in enumerate(zip(images, labels, strict=True)):
            Image.fromarray(grey).save(place / f"{k * 2:04d}.jpg", quality=95)
            Image.fromarray(truth).save(place / f"{k * 2:04d}.png")
    rows = [{"case": number, "stored_z_step": 2} for number in cases]
    (folder / "manifest.json").write_text(json.dumps({"cases": rows}))
    return folder


def tiny_network(*_: object) -> nn.Module:
    """Encoder and decoder of one layer each, in place of `build_network`."""
    encoder = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
    return nn.Sequential(encoder, nn.Conv2d(8, 3, 3, padding=1))


class Calls(TrainingObserver):
    """An observer that passes epochs and notes on."""

    def __init__(
        self,
        epoch: Callable[[EpochResult], object] = lambda _: None,
        note: Callable[[str], object] = lambda _: None,
    ) -> None:
        self.epoch, self.note = epoch, note  # type: ignore[method-assign,assignment]


def a_job(data: Path, out: Path, **values: Any) -> TrainingJob:
    """A job without phantoms; `folds`, `excluded` and the like are those of its data."""
    names = {field.name for field in fields(DataSelection)}
    chosen = {name: values.pop(name) for name in names & values.keys()}
    selection = DataSelection(folders=(data,), **chosen)
    return TrainingJob(out=out, data=selection, **({"phantoms": 0} | values))
