"""Labelled cases as the network sees them, split by patient."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.core.phantom import PhantomSpec, make_phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.preprocessing import (
    TrunkBox,
    axial_slices,
    context_step,
    find_trunk,
    neighbours,
    to_input,
)


@dataclass(frozen=True, eq=False)
class Case:
    """One patient: windowed axial slices and labels (uint8, (n, rows, columns), radiological).

    `context` (n, 3) holds the indices of each slice's neighbours; it repeats the slice itself
    where the scan was thinned out and the real neighbour is missing.
    """

    name: str
    slices: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    context: NDArray[np.int64]
    box: TrunkBox


def load_lits2d(folder: Path, names: Sequence[str], aspect: float) -> Iterator[Case]:
    """Read cases of the slice layout: `CASE/ZZZZ.jpg` with `CASE/ZZZZ.png` and a manifest."""
    steps = {row["case"]: row.get("stored_z_step", 1) for row in read_manifest(folder)}
    for name in names:
        if int(name) not in steps:
            raise UnreadableFileError(f"{folder / 'manifest.json'} does not list case {name}.")
        files = sorted((folder / name).glob("*.jpg"))
        if not files:
            raise UnreadableFileError(f"{folder / name} holds no .jpg slices.")
        slices = np.stack([_grey(f) for f in files])
        labels = np.stack([_labels(f.with_suffix(".png")) for f in files])
        z = np.array([int(f.stem) for f in files])
        context = np.array([_near(z, n, steps[int(name)]) for n in range(len(z))])
        yield Case(name, slices, labels, context, find_trunk(slices, (1.0, 1.0), aspect))


def read_manifest(folder: Path) -> list[dict[str, int]]:
    """The rows of the slice layout's manifest.

    Raises:
        UnreadableFileError: there is none.
    """
    try:
        cases: list[dict[str, int]] = json.loads((folder / "manifest.json").read_text())["cases"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableFileError(
            f"{folder} has no readable manifest.json. Name a folder in the lits2d layout."
        ) from error
    return cases


def case_names(folder: Path) -> list[str]:
    """Names of all cases of the slice layout, sorted."""
    return sorted(f"{row['case']:03d}" for row in read_manifest(folder))


def phantom_case(seed: int, aspect: float) -> Case:
    """A phantom as a training case."""
    rng = np.random.default_rng(seed + 10_000)
    slice_mm = float(rng.uniform(2.0, 5.0))
    noise = float(rng.uniform(6, 20))
    spec = PhantomSpec(seed, (192, 192, int(200 / slice_mm)), (2.0, 2.0, slice_mm), None, noise)
    phantom = make_phantom(spec)
    slices = axial_slices(phantom.volume)
    labels = np.ascontiguousarray(phantom.truth.labels[::-1, ::-1].transpose(2, 1, 0))
    step = context_step(slice_mm)
    context = np.array([neighbours(len(slices), n, step) for n in range(len(slices))])
    return Case(f"phantom-{seed}", slices, labels, context, find_trunk(slices, (2, 2), aspect))


def split_patients(names: Sequence[str], folds: int, fold: int, seed: int) -> list[str]:
    """The held-out patients of `fold`: the same for the same names, folds and seed."""
    order = np.random.default_rng(seed).permutation(len(names))
    return sorted(names[i] for i in order[fold::folds])


class SliceDataset:
    """Slices of several cases at network size: items are (3, rows, columns) and (rows, columns).

    Both are uint8 tensors; `weights` favours slices with tumor, then with liver.
    """

    def __init__(self, cases: Sequence[Case], size: tuple[int, int], progress: Progress) -> None:
        images, labels, context, start = [], [], [], 0
        for n, case in enumerate(cases):
            progress.update(n / len(cases), f"Preparing {case.name}")
            images.append(to_input(case.slices, case.box, size))
            labels.append(_labels_to_input(case, size))
            context.append(case.context + start)
            start += len(case.slices)
        self._images = torch.from_numpy(np.concatenate(images))
        self._labels = torch.from_numpy(np.concatenate(labels))
        self._context = torch.from_numpy(np.concatenate(context))
        flat = self._labels.flatten(1)
        has_liver, has_tumor = (flat == 1).any(1).numpy(), (flat == 2).any(1).numpy()
        self.weights = sampling_weights(has_liver, has_tumor)

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self._images[self._context[index]], self._labels[index]


def sampling_weights(
    has_liver: NDArray[np.bool_], has_tumor: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Chances of drawing each slice: 40 % tumor slices, 40 % other liver, 20 % neither.

    A kind that does not occur leaves its share to the others.
    """
    kinds = np.where(has_tumor, 2, np.where(has_liver, 1, 0))
    share = np.array([0.2, 0.4, 0.4])
    counts = np.bincount(kinds, minlength=3)
    weights = (share / np.maximum(counts, 1))[kinds]
    return np.asarray(weights / weights.sum(), np.float64)


def _labels_to_input(case: Case, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Labels at network size: the class that covers most of each pixel."""
    shares = [to_input((case.labels == c).astype(np.uint8) * 255, case.box, size) for c in (1, 2)]
    liver, tumor = (share.astype(np.int16) for share in shares)
    out = np.where(liver + tumor >= 128, np.where(tumor >= liver, 2, 1), 0)
    return out.astype(np.uint8)


def _near(z: NDArray[np.int64], n: int, step: int) -> tuple[int, int, int]:
    before = n - 1 if n > 0 and z[n] - z[n - 1] <= step else n
    after = n + 1 if n + 1 < len(z) and z[n + 1] - z[n] <= step else n
    return before, n, after


def _labels(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            labels = np.array(image if image.mode == "P" else image.convert("L"))
    except OSError as error:
        raise UnreadableFileError(f"{path} is missing or no readable picture.") from error
    if labels.max(initial=0) > 2:
        raise UnreadableFileError(
            f"{path} holds the label {labels.max()}. Use 0 background, 1 liver and 2 tumor."
        )
    return labels


def _grey(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            return np.array(image.convert("L"))
    except OSError as error:
        raise UnreadableFileError(f"{path} is missing or no readable picture.") from error
