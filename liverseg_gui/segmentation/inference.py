"""Run a trained network over a whole scan, a few slices at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import safetensors
import safetensors.torch
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from liverseg_gui.core.errors import ModelError, SegmentationError
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import LabelMap, Volume
from liverseg_gui.segmentation.networks import build_network
from liverseg_gui.segmentation.postprocessing import SMALLEST_LIVER_ML, clean
from liverseg_gui.segmentation.preprocessing import (
    CONTEXT_MM,
    TrunkBox,
    axial_slices,
    context_indices,
    find_liver,
    find_trunk,
    from_axial,
    from_input,
    to_input,
)
from liverseg_gui.segmentation.registry import ModelCard, find_model, read_weights
from liverseg_gui.segmentation.segmenter import Segmentation

BATCH = 4

FAST = ((1.0, False),)
BEST = ((1.0, False), (1.0, True), (1.2, False), (1.2, True))
"""What labels are the mean of: the input's scale, and whether the slices' order is reversed."""

Looks = tuple[tuple[float, bool], ...]


class NetworkSegmenter:
    """Segments with the network of a model card, on the GPU if there is one, else on the CPU.

    The network is built and read at the first use and kept.
    """

    def __init__(self, model: str = "default", device: str = "auto", quality: str = "fast") -> None:
        """Choose a `model` of the registry, a `device`, auto, cpu, cuda or mps, and a `quality`.

        "best" takes about four times as long as "fast": the mean of several looks.

        Raises:
            ModelError: there is no such model.
        """
        self._card = find_model(model)
        self._looks = BEST if quality == "best" else FAST
        self._wish = device
        self._predictor: Predictor | None = None

    def segment(self, volume: Volume, progress: Progress) -> Segmentation:
        """See `Segmenter.segment`."""
        began = time.monotonic()
        progress.update(0.0, "Loading the model")
        if self._predictor is None:
            self._predictor = load_predictor(self._card, pick_device(self._wish))
        predictor = self._predictor
        progress.update(0.03, "Preparing the slices")
        slices = axial_slices(volume, self._card.window_hu)
        i_mm, j_mm, k_mm = volume.affine.spacing_mm
        box = find_trunk(slices, (j_mm, i_mm), self._card.aspect)
        z = np.arange(len(slices), dtype=np.float64) * k_mm
        context = context_indices(z, CONTEXT_MM, self._card.context)
        found = predictor.predict(slices, context, box, progress.part(0.08, 0.93), self._looks)
        progress.update(0.93, "Cleaning up")
        voxel_ml = volume.affine.voxel_ml
        labels = clean(from_axial(found), voxel_ml)
        progress.update(1.0, "Done")
        return Segmentation(
            LabelMap(labels, volume.grid),
            self._card.name,
            predictor.device,
            time.monotonic() - began,
            (*_doubts(labels, voxel_ml), *volume.model_warnings),
        )


class Predictor:
    """A network in memory, ready to label slices."""

    def __init__(
        self,
        network: torch.nn.Module,
        size: tuple[int, int],
        device: str,
        closer: tuple[int, int] | None = None,
    ) -> None:
        """Put `network`, which takes the trunk at `size`, onto `device`.

        With `closer` it looks a second time, at the liver that it found, at the scale at which the
        whole trunk has that size.
        """
        self.device = device
        self._size, self._closer = size, closer
        self._network = network.eval().to(device).to(memory_format=torch.channels_last)

    def predict(
        self,
        slices: NDArray[np.uint8],
        context: NDArray[np.int64],
        box: TrunkBox,
        progress: Progress,
        looks: Looks = FAST,
    ) -> NDArray[np.uint8]:
        """Label axial `slices` (n, rows, columns) whose neighbours are `context` (n, c).

        The labels are those of the mean of `looks`.

        Returns uint8 labels of the slices' shape.

        Raises:
            SegmentationError: the network gave numbers that are none.
            Cancelled: asked for between two batches.
        """
        if self._closer is None:
            return self._label(slices, context, box, self._size, progress, looks)
        coarse = self._coarse(slices, context, box, progress.part(0.0, 0.5))
        region = find_liver(coarse, box, self._closer)
        out = np.zeros(slices.shape, np.uint8)
        if region is None:
            return out
        near = context[region.first : region.stop]
        first, stop = int(near.min()), int(near.max()) + 1
        out[region.first : region.stop] = self._label(
            slices[first:stop],
            near - first,
            region.box,
            region.size,
            progress.part(0.5, 1.0),
            looks,
        )
        return out

    def _coarse(
        self,
        slices: NDArray[np.uint8],
        context: NDArray[np.int64],
        box: TrunkBox,
        progress: Progress,
    ) -> NDArray[np.uint8]:
        """Labels of the trunk at the network's own size: uint8 (n, *size)."""
        out = np.empty((len(context), *self._size), np.uint8)
        for start, scores in self._scores(slices, context, box, self._size, progress):
            out[start : start + BATCH] = scores.argmax(1).to(torch.uint8).cpu().numpy()
        return out

    def _label(
        self,
        slices: NDArray[np.uint8],
        context: NDArray[np.int64],
        box: TrunkBox,
        size: tuple[int, int],
        progress: Progress,
        looks: Looks,
    ) -> NDArray[np.uint8]:
        """Labels on the slices' own pixels, a slice for each row of `context`: uint8."""
        rows, columns = slices.shape[1:]
        out = np.zeros((len(context), rows, columns), np.uint8)
        passes = [
            self._scores(
                slices, context[:, ::-1] if back else context, box, _scaled(size, scale), progress
            )
            for scale, back in looks
        ]
        for parts in zip(*passes, strict=True):
            scores = _mean([scores for _, scores in parts])
            start = parts[0][0]
            out[start : start + BATCH] = from_input(scores, box, (rows, columns))
        return out

    def _scores(
        self,
        slices: NDArray[np.uint8],
        context: NDArray[np.int64],
        box: TrunkBox,
        size: tuple[int, int],
        progress: Progress,
    ) -> Iterator[tuple[int, torch.Tensor]]:
        """Where each batch starts, and the class scores (batch, classes, *size)."""
        inputs = torch.from_numpy(to_input(slices, box, size))
        count = len(context)
        for start in range(0, count, BATCH):
            progress.update(start / count, f"Segmenting slice {start + 1} of {count}")
            yield (
                start,
                self._forward(inputs[torch.from_numpy(context[start : start + BATCH].copy())]),
            )

    @torch.inference_mode()
    def _forward(self, images: torch.Tensor) -> torch.Tensor:
        batch = images.to(self.device).float().div_(255)
        scores: torch.Tensor = self._network(batch.contiguous(memory_format=torch.channels_last))
        if not torch.isfinite(scores).all():
            raise SegmentationError(
                f"The model gave invalid numbers on {self.device}. Segment on the CPU instead "
                "(--device cpu)."
            )
        return scores


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """`size` times `scale`, in the multiples of 32 that the network takes."""
    rows, columns = (max(32, 32 * round(side * scale / 32)) for side in size)
    return rows, columns


def _mean(scores: list[torch.Tensor]) -> torch.Tensor:
    """Mean chances of scores (n, classes, rows, columns) of any sizes, at the first one's."""
    if len(scores) == 1:
        return scores[0]
    size = scores[0].shape[2:]
    chances = [s.float().softmax(1) for s in scores]
    return torch.stack(
        [c if c.shape[2:] == size else F.interpolate(c, size, mode="bilinear") for c in chances]
    ).mean(0)


def load_predictor(card: ModelCard, device: str) -> Predictor:
    """Build the network of `card` and read its weights onto `device`.

    Raises:
        ModelError: the weights are missing, damaged or do not fit.
    """
    network = build_network(card.architecture, card.context, card.size)
    load_weights(network, card)
    return Predictor(network, card.size, device, card.closer)


def load_weights(network: torch.nn.Module, card: ModelCard) -> None:
    """Read the weights of `card` into `network`.

    Raises:
        ModelError: they are missing, damaged or do not fit.
    """
    try:
        network.load_state_dict(safetensors.torch.load(read_weights(card)))
    except (RuntimeError, safetensors.SafetensorError) as error:
        raise ModelError(
            f"The weights {card.weights} do not fit the architecture {card.architecture!r} "
            f"on their card. Install the model {card.name!r} again."
        ) from error


def pick_device(wish: str) -> str:
    """The torch device for "auto", "cpu", "cuda" or "mps".

    Raises:
        SegmentationError: the device asked for is not there.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wish == "auto":
        return next(name for name, found in there.items() if found)
    if not there.get(wish, False):
        raise SegmentationError(
            f"There is no device {wish!r} on this computer. Use --device auto or cpu."
        )
    return wish


def _doubts(labels: NDArray[np.uint8], voxel_ml: float) -> tuple[str, ...]:
    liver_ml = float(np.count_nonzero(labels)) * voxel_ml
    if liver_ml >= SMALLEST_LIVER_ML:
        return ()
    return (f"No liver found ({liver_ml:.0f} ml after clean-up): is this an abdominal CT?",)
