"""Images of a few validation slices with what the network finds, after every epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np
from fastai.callback.core import Callback
from numpy.typing import NDArray

from liverseg_gui.core.errors import SaveError
from liverseg_gui.core.labels import TUMOR
from training.data.slice_dataset import PreparedCase, SliceDataset
from training.learner.callbacks.checkpointing import CheckpointCallback
from training.learner.distributed import Processes
from training.runs.files import IMAGES
from training.runs.validation_image_file import ValidationImages, write_validation_images

SHOWN = 6
_NEAR = 2
"""Slices so near to one that is shown already come last."""


def shown_slices(cases: Sequence[PreparedCase], count: int = SHOWN) -> list[tuple[int, int]]:
    """(case, slice) of up to `count` slices, spread over the cases.

    First the slice of each case with the largest tumor, then those with the largest liver, then
    slices in between. Of more than `count` cases, so many are taken, evenly.
    """
    chosen = np.linspace(0, len(cases) - 1, min(count, len(cases))).round().astype(int).tolist()
    ranked = [[(c, n) for n in _ranked(cases[c].labels, count)] for c in chosen]
    turns = chain.from_iterable(zip_longest(*ranked))
    return sorted([turn for turn in turns if turn is not None][:count])


def _ranked(labels: NDArray[np.uint8], count: int) -> list[int]:
    """Slices of one case, the most informative first."""
    liver = np.array([np.count_nonzero(slice_) for slice_ in labels])
    tumor = np.array([np.count_nonzero(slice_ == TUMOR) for slice_ in labels])
    first = [int(size.argmax()) for size in (tumor, liver) if size.any()]
    held = np.flatnonzero(liver) if liver.any() else np.arange(len(labels))
    between = held[np.linspace(0, len(held) - 1, count + 2).round().astype(int)[1:-1]]
    apart = sorted(between.tolist(), key=lambda n: any(abs(n - m) <= _NEAR for m in first))
    return list(dict.fromkeys([*first, *apart]))


class SaveValidationImages(Callback):
    """Take pictures out of the validation that goes on anyway: no step more, no random number.

    They come before the checkpoint (`order`): an epoch that is done again writes them again. What
    cannot be written is no reason to stop.
    """

    order = 88

    def __init__(
        self,
        out: Path,
        epochs: CheckpointCallback,
        validation: SliceDataset,
        here: Processes,
        on_images: Callable[[str, int, Path], None],
    ) -> None:
        self._out, self._epochs, self._on_images = out, epochs, on_images
        cases = validation.cases
        shown = {pair: f"{cases[pair[0]].name} {pair[1]}" for pair in shown_slices(cases)}
        # As the loader splits the slices: each process sees every `count`-th of them.
        own = validation.index[here.rank :: here.count]
        self._names = {n: shown[pair] for n, pair in enumerate(own) if pair in shown}
        self._seen = 0
        self._kept: dict[int, tuple[NDArray[np.uint8], ...]] = {}

    def before_validate(self) -> None:
        self._seen, self._kept = 0, {}

    def after_pred(self) -> None:
        if self.training:
            return
        images, (labels, *_) = self.xb[0], self.yb
        for n in range(len(labels)):
            if self._seen + n in self._names:
                grey = (images[n, images.shape[1] // 2] * 255).round()
                parts = (grey, labels[n], self.pred[n].argmax(0))
                kept = tuple(part.detach().cpu().numpy().astype(np.uint8) for part in parts)
                self._kept[self._seen + n] = kept
        self._seen += len(labels)

    def after_epoch(self) -> None:
        if not self._kept:
            return  # an epoch before a checkpoint is skipped, and so is its validation
        order = sorted(self._kept)
        kept = zip(*(self._kept[n] for n in order), strict=True)
        images, reference, prediction = map(np.stack, kept)
        names = tuple(self._names[n] for n in order)
        path = self._out / IMAGES / f"{self._epochs.number:03d}.npz"
        self._kept = {}
        try:
            write_validation_images(path, ValidationImages(images, reference, prediction, names))
        except SaveError:
            return
        self._on_images(self._epochs.stage, self.epoch + 1, path)
