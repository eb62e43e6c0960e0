"""A preview of the augmentation on some of the user's own slices, with their labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.progress import Progress
from liverseg_gui.system.paths import prepared_cases_folder
from training.data.case import CaseSource

if TYPE_CHECKING:
    from training.config.train_config import TrainConfig
    from training.data.slice_dataset import PreparedCase


@dataclass(frozen=True, eq=False)
class PreviewSlices:
    """Slices to show augmentation on, of one case.

    `images` uint8 (n, context, rows, columns) on the grid of prepared cases, `labels` uint8
    (n, rows, columns), `center` the middle of the liver (row, column) in -1..1.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    center: tuple[float, float]


@dataclass(frozen=True, eq=False)
class AugmentedLooks:
    """What the network would see: `images` and `labels` uint8 (n, rows, columns), labels 0 to 2."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    pixel_mm: float


def preview(
    config: TrainConfig,
    sources: Sequence[CaseSource],
    slices: PreviewSlices | int,
    seed: int,
    liver_view: bool,
    progress: Progress,
) -> tuple[PreviewSlices, AugmentedLooks]:
    """`augmented` for `slices`, or for that many of `preview_slices` where they are a number.

    Raises:
        UnreadableFileError, GridMismatchError, SaveError, Cancelled: as `preview_slices`.
    """
    if isinstance(slices, int):
        slices = preview_slices(sources, config.context, slices, progress)
    return slices, augmented(config, slices, seed, liver_view)


def preview_slices(
    sources: Sequence[CaseSource], context: int, count: int, progress: Progress
) -> PreviewSlices:
    """`count` slices with liver, those with tumor first, of the first of `sources`.

    Without sources they are of a phantom. The case is prepared as for training, and kept.

    Raises:
        UnreadableFileError, GridMismatchError: the case cannot be read.
        SaveError: the prepared case cannot be written.
        Cancelled: `progress` was cancelled.
    """
    from training.data.phantom_case import PhantomCase
    from training.data.preprocess_cache import prepare_all

    source = sources[0] if sources else PhantomCase(0)
    case = prepare_all([source], prepared_cases_folder(), progress)[0]
    chosen = _chosen(case, count)
    from liverseg_gui.segmentation.preprocessing import context_indices

    around = context_indices(case.z, case.gap, context)[chosen]
    return PreviewSlices(
        case.name, np.array(case.images[around]), np.array(case.labels[chosen]), case.liver_center()
    )


def augmented(
    config: TrainConfig, slices: PreviewSlices, seed: int, liver_view: bool
) -> AugmentedLooks:
    """`slices` under one draw of the augmentation of `config`, in the trunk or the `liver_view`.

    The same `seed` draws the same changes; random numbers elsewhere in the program stay as they
    are.
    """
    import torch

    from training.augmentation.batch_transform import BatchTransform

    prepare = BatchTransform(config)
    prepare.liver_view_probability = float(liver_view)
    images = torch.from_numpy(slices.images).float().div_(255)
    labels = torch.from_numpy(slices.labels).long()
    centers = torch.tensor([slices.center] * len(images))
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        images, labels = prepare.change(images, centers, labels)
    near = liver_view and config.liver is not None
    view = config.liver if near and config.liver is not None else config.trunk
    middle = images[:, images.shape[1] // 2]
    shown = middle.mul(255).round().to(torch.uint8).numpy()
    return AugmentedLooks(shown, labels.to(torch.uint8).numpy(), view.pixel_mm)


def _chosen(case: PreparedCase, count: int) -> NDArray[np.int64]:
    """Slices of `case` spread over those with tumor, then those with liver, then all."""
    highest = case.labels.max(axis=(1, 2))
    places = [np.flatnonzero(highest == kind) for kind in (2, 1, 0)]
    room, chosen = count, []
    for n, at in enumerate(places):
        share = room if n else -(-room * 2 // 3)
        taken = min(share, len(at), room)
        if taken:
            chosen.append(at[np.linspace(0, len(at) - 1, taken + 2).round().astype(int)[1:-1]])
            room -= taken
    return np.concatenate(chosen)
