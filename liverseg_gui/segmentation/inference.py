"""Segment a whole scan with a trained network."""

from __future__ import annotations

import time

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy.typing import NDArray

from liverseg_gui.core.errors import ModelError
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import LabelMap, Volume
from liverseg_gui.segmentation.networks import build_network
from liverseg_gui.segmentation.postprocessing import SMALLEST_LIVER_ML, clean
from liverseg_gui.segmentation.predictor import BEST, FAST, Predictor
from liverseg_gui.segmentation.preprocessing import (
    CONTEXT_MM,
    axial_slices,
    context_indices,
    find_trunk,
    from_axial,
)
from liverseg_gui.segmentation.registry import ModelCard, find_model, read_weights
from liverseg_gui.segmentation.runtime import TorchRuntime, pick_device
from liverseg_gui.segmentation.segmenter import Segmentation


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
            predictor.runtime.device,
            time.monotonic() - began,
            (*_doubts(labels, voxel_ml), *volume.model_warnings),
        )


def load_predictor(card: ModelCard, device: str) -> Predictor:
    """Build the network of `card` and read its weights onto `device`.

    Raises:
        ModelError: the weights are missing, damaged or do not fit.
    """
    network = build_network(card.architecture, card.context, card.size)
    load_weights(network, card)
    return Predictor(TorchRuntime(network, device), card.size, card.closer)


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


def _doubts(labels: NDArray[np.uint8], voxel_ml: float) -> tuple[str, ...]:
    liver_ml = float(np.count_nonzero(labels)) * voxel_ml
    if liver_ml >= SMALLEST_LIVER_ML:
        return ()
    return (f"No liver found ({liver_ml:.0f} ml after clean-up): is this an abdominal CT?",)
