"""What the network finds in a few validation slices, kept after every epoch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from fastai.callback.core import Callback
from numpy.typing import NDArray

from training.data.slice_dataset import SliceDataset
from training.learner.callbacks.checkpointing import Epochs
from training.learner.callbacks.shown_slices import shown_slices
from training.learner.distributed import Processes
from training.runs.validation_image_file import Pictures, write_pictures

FOLDER = "pictures"


class KeepPictures(Callback):
    """Take pictures out of the validation that goes on anyway: no step more, no random number.

    They come before the checkpoint (`order`): an epoch that is done again writes them again. What
    cannot be written is no reason to stop.
    """

    order = 88

    def __init__(
        self,
        out: Path,
        epochs: Epochs,
        validation: SliceDataset,
        here: Processes,
        told: Callable[[str, int, Path], None],
    ) -> None:
        self._out, self._epochs, self._told = out, epochs, told
        cases = validation.cases
        shown = {pair: f"{cases[pair[0]].name} {pair[1]}" for pair in shown_slices(cases)}
        # As the loader deals the slices out: this process sees every so many.
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
        images, truth, found = map(np.stack, zip(*(self._kept[n] for n in order), strict=True))
        names = tuple(self._names[n] for n in order)
        path = self._out / FOLDER / f"{self._epochs.number:03d}.npz"
        self._kept = {}
        try:
            write_pictures(path, Pictures(images, truth, found, names))
        except OSError:
            return
        self._told(self._epochs.stage, self.epoch + 1, path)
