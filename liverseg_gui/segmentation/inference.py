"""Segmentation of a whole scan with a trained network."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy.typing import NDArray

from liverseg_gui.core.errors import ModelError, SegmentationError
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.segmentation.models.registry import ModelCard, find_model, read_weights
from liverseg_gui.segmentation.networks.unet import build_network
from liverseg_gui.segmentation.plausibility import check_plausibility
from liverseg_gui.segmentation.postprocessing import CLEAN_UP, CleanUp
from liverseg_gui.segmentation.predictor import BEST, FAST, Augmentations, Predictor
from liverseg_gui.segmentation.preprocessing import (
    CONTEXT_MM,
    AxialSlices,
    context_indices,
    find_trunk,
    from_axial,
)
from liverseg_gui.segmentation.runtime.base import pick_device
from liverseg_gui.segmentation.runtime.choice_cache import RuntimeChoice
from liverseg_gui.segmentation.runtime.factory import RuntimeFactory
from liverseg_gui.segmentation.runtime.fallback import FallbackRuntime
from liverseg_gui.segmentation.runtime.selection import chosen_runtime, measured_choice
from liverseg_gui.segmentation.segmenter import Segmentation

_MIRROR_MM = 15.0
"""How far apart the slices are whose mirror image is looked at."""


@dataclass(frozen=True)
class Procedure:
    """How a scan is segmented; what each step does to the outcome is measured in docs/model.md."""

    coarse_mm: float = 7.5
    """How far apart the slices of the first look are: a liver spans twenty of them."""
    crop: bool = True
    """Whether the second look is at the liver alone, not at the trunk on every slice."""
    augmentations: Augmentations = FAST
    clean_up: CleanUp = CLEAN_UP


PROCEDURES = {"fast": Procedure(), "best": Procedure(augmentations=BEST)}


class NetworkSegmenter:
    """Segments with the network of a model card, on the GPU if there is one, else on the CPU.

    The network is built and read at the first use and kept.
    """

    def __init__(
        self,
        model: str = "default",
        device: str = "auto",
        quality: str = "fast",
        procedure: Procedure | None = None,
    ) -> None:
        """Choose a `model` of the registry, a `device`, auto, cpu, cuda or mps, and a `quality`.

        "best" takes about four times as long as "fast": test-time augmentation. A `procedure`
        is used instead of that of the quality.

        Raises:
            ModelError: there is no such model.
        """
        self._card = find_model(model)
        self._procedure = procedure or PROCEDURES[quality]
        self._device = device
        self._predictor: Predictor | None = None

    def segment(self, volume: Volume, progress: Progress) -> Segmentation:
        """See `Segmenter.segment`."""
        began = time.monotonic()
        if volume.no_hu is not None:
            raise SegmentationError(
                f"{volume.origin.path} cannot be segmented. {volume.no_hu.message}",
                volume.no_hu.remedy,
            )
        progress.update(0.0, "Loading the model")
        if self._predictor is None:
            self._predictor = load_predictor(
                self._card, pick_device(self._device), progress=progress.part(0.0, 0.03)
            )
        predictor = self._predictor
        labels, mirrored_share = self._labels(predictor, volume, progress.part(0.05, 0.98))
        progress.update(0.98, "Checking")
        labels, notes = check_plausibility(labels, volume, mirrored_share)
        progress.update(1.0, "Done")
        return Segmentation(
            LabelMap(labels, volume.grid),
            self._card.name,
            predictor.runtime.device,
            time.monotonic() - began,
            (*notes, *predictor.runtime.notices, *volume.model_warnings),
            predictor.runtime.reason,
        )

    def _labels(
        self, predictor: Predictor, volume: Volume, progress: Progress
    ) -> tuple[NDArray[np.uint8], float]:
        """Labels (i, j, k) of the volume, cleaned up, and `Predictor.mirrored_share`."""
        progress.update(0.0, "Preparing the slices")
        slices = AxialSlices(volume, self._card.window_hu)
        i_mm, j_mm, k_mm = volume.affine.spacing_mm
        box = find_trunk(slices, (j_mm, i_mm), self._card.aspect)
        z = np.arange(len(slices), dtype=np.float64) * k_mm
        context = context_indices(z, CONTEXT_MM, self._card.context)
        how = self._procedure
        prediction = predictor.predict(
            slices,
            context,
            box,
            progress.part(0.02, 0.85),
            how.augmentations,
            step=max(1, round(how.coarse_mm / k_mm)),
            crop=how.crop,
        )
        out = np.zeros(slices.shape, np.uint8)
        if prediction is not None:
            spacing_mm = (k_mm, j_mm, i_mm)
            part = progress.part(0.85, 0.95)
            out[prediction.where] = prediction.finished(slices, spacing_mm, part, how.clean_up)
        step = max(1, round(_MIRROR_MM / k_mm))
        share = predictor.mirrored_share(slices, context, box, progress.part(0.95, 1.0), step)
        return from_axial(out), share


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
    factory = _factory(card)
    if runtime is None:
        chosen = chosen_runtime(factory, card, device, progress)
    else:
        factory.require(runtime, device)
        chosen = FallbackRuntime(factory, RuntimeChoice(runtime, device, "asked for"), card.name)
    return Predictor(chosen, card.size, card.liver_view_size)


def measure_runtimes(
    card: ModelCard, device: str, progress: Progress | None = None
) -> RuntimeChoice:
    """Measure anew what computes the model of `card` fastest on `device`, and remember it.

    Raises:
        ModelError: the weights are missing, damaged or do not fit.
        Cancelled: `progress` was cancelled.
    """
    return measured_choice(_factory(card), card, device, progress)


def _factory(card: ModelCard) -> RuntimeFactory:
    network = build_network(card.architecture, card.context, card.size)
    load_weights(network, card)
    return RuntimeFactory(network, card.context, card.sha256)


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
