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
from liverseg_gui.segmentation.runtime import pick_device
from liverseg_gui.segmentation.runtime_choice import Choice
from liverseg_gui.segmentation.runtime_maker import RuntimeMaker
from liverseg_gui.segmentation.segmenter import Segmentation
from liverseg_gui.segmentation.steady_runtime import SteadyRuntime
from liverseg_gui.segmentation.usual_runtime import chosen_runtime, measured_choice


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
            self._predictor = load_predictor(
                self._card, pick_device(self._wish), progress=progress.part(0.0, 0.03)
            )
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
            (*_doubts(labels, voxel_ml), *predictor.runtime.notices, *volume.model_warnings),
        )


def load_predictor(
    card: ModelCard, device: str, runtime: str | None = None, progress: Progress | None = None
) -> Predictor:
    """Build the network of `card`, read its weights, and compute it on `device` by `runtime`.

    Without a `runtime` ("torch-float32", ...) it is the one that was found to be fastest here; the
    first time that takes a few seconds.

    Raises:
        ModelError: the weights are missing, damaged or do not fit.
        SegmentationError: there is no such runtime.
        Cancelled: `progress` was cancelled while runtimes were measured.
    """
    maker = _maker(card)
    if runtime is None:
        steady = chosen_runtime(maker, card, device, progress)
    else:
        maker.require(runtime, device)
        steady = SteadyRuntime(maker, Choice(runtime, device, "asked for"), card.name)
    return Predictor(steady, card.size, card.closer)


def measure_runtimes(card: ModelCard, device: str, progress: Progress | None = None) -> Choice:
    """Measure anew what computes the model of `card` fastest on `device`, and remember it.

    Raises:
        ModelError: the weights are missing, damaged or do not fit.
        Cancelled: `progress` was cancelled.
    """
    return measured_choice(_maker(card), card, device, progress)


def _maker(card: ModelCard) -> RuntimeMaker:
    network = build_network(card.architecture, card.context, card.size)
    load_weights(network, card)
    return RuntimeMaker(network, card.context, card.sha256)


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
