"""Run a trained network over a whole scan, a few slices at a time."""

from __future__ import annotations

import time

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy.typing import NDArray

from liverseg_gui.core.errors import ModelError, SegmentationError
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import LabelMap, Volume
from liverseg_gui.segmentation.networks import build_network
from liverseg_gui.segmentation.postprocessing import SMALLEST_LIVER_ML, clean
from liverseg_gui.segmentation.preprocessing import (
    TrunkBox,
    axial_slices,
    context_step,
    find_trunk,
    from_axial,
    from_input,
    neighbours,
    to_input,
)
from liverseg_gui.segmentation.registry import ModelCard, find_model, read_weights
from liverseg_gui.segmentation.segmenter import Segmentation

BATCH = 4


class NetworkSegmenter:
    """Segments with the network of a model card, on the GPU if there is one, else on the CPU.

    The network is built and read at the first use and kept.
    """

    def __init__(self, model: str = "default", device: str = "auto") -> None:
        """Choose a `model` of the registry and a `device`: auto, cpu, cuda or mps.

        Raises:
            ModelError: there is no such model.
        """
        self._card = find_model(model)
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
        step = context_step(k_mm)
        context = np.array([neighbours(len(slices), n, step) for n in range(len(slices))])
        found = predictor.predict(slices, context, box, progress.part(0.08, 0.93))
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

    def __init__(self, network: torch.nn.Module, size: tuple[int, int], device: str) -> None:
        """Put `network`, which takes slices of `size`, onto `device`."""
        self.device = device
        self._size = size
        self._network = network.eval().to(device).to(memory_format=torch.channels_last)

    def predict(
        self,
        slices: NDArray[np.uint8],
        context: NDArray[np.int64],
        box: TrunkBox,
        progress: Progress,
    ) -> NDArray[np.uint8]:
        """Label axial `slices` (n, rows, columns) whose neighbours are `context` (n, 3).

        Returns uint8 labels of the slices' shape.

        Raises:
            SegmentationError: the network gave numbers that are none.
            Cancelled: asked for between two batches.
        """
        rows, columns = slices.shape[1:]
        inputs = torch.from_numpy(to_input(slices, box, self._size))
        out = np.zeros(slices.shape, np.uint8)
        for start in range(0, len(slices), BATCH):
            progress.update(start / len(slices), f"Segmenting slice {start + 1} of {len(slices)}")
            chosen = torch.from_numpy(context[start : start + BATCH])
            scores = self._scores(inputs[chosen])
            out[start : start + BATCH] = from_input(scores, box, (rows, columns))
        return out

    @torch.inference_mode()
    def _scores(self, images: torch.Tensor) -> torch.Tensor:
        batch = images.to(self.device).float().div_(255)
        scores: torch.Tensor = self._network(batch.contiguous(memory_format=torch.channels_last))
        if not torch.isfinite(scores).all():
            raise SegmentationError(
                f"The model gave invalid numbers on {self.device}. Segment on the CPU instead "
                "(--device cpu)."
            )
        return scores


def load_predictor(card: ModelCard, device: str) -> Predictor:
    """Build the network of `card` and read its weights onto `device`.

    Raises:
        ModelError: the weights are missing, damaged or do not fit.
    """
    network = build_network(card.architecture, 3, card.size)
    try:
        network.load_state_dict(safetensors.torch.load(read_weights(card)))
    except (RuntimeError, safetensors.SafetensorError) as error:
        raise ModelError(
            f"The weights {card.weights} do not fit the architecture {card.architecture!r} "
            f"on their card. Install the model {card.name!r} again."
        ) from error
    return Predictor(network, card.size, device)


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
