"""Judge a model that is stored, on cases that are read as training reads them."""

from __future__ import annotations

from collections.abc import Sequence

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.progress import Progress
from liverseg_gui.evaluation.case_metrics import CaseFigures
from liverseg_gui.evaluation.worst_slices import WorstSlice
from liverseg_gui.segmentation.inference import load_weights
from liverseg_gui.segmentation.models.card import ModelCard
from liverseg_gui.segmentation.networks.unet import build_network
from liverseg_gui.segmentation.predictor import Predictor
from liverseg_gui.segmentation.preprocessing import WINDOW_HU
from liverseg_gui.segmentation.runtime.base import TorchRuntime, pick_device
from training.config.field_of_view import Look
from training.config.train_config import TrainConfig
from training.data.case import CaseSource
from training.evaluation.evaluate_model import judge_held_out


def judge_model(
    card: ModelCard, sources: Sequence[CaseSource], device: str, progress: Progress
) -> list[CaseFigures]:
    """The figures of each case, exactly as `training.pipeline.train` judges its held-out patients.

    Raises:
        ModelError, LiverSegError, Cancelled: as `judge_with_slices`.
    """
    return judge_with_slices(card, sources, device, progress)[0]


def judge_with_slices(
    card: ModelCard, sources: Sequence[CaseSource], device: str, progress: Progress
) -> tuple[list[CaseFigures], list[WorstSlice]]:
    """The figures of each case, and the worst slices of all.

    torch computes it in float32, whatever is fastest here: a figure must not depend on that.

    Raises:
        ModelError: the weights are missing, damaged or do not fit.
        LiverSegError: the model looks at another window of HU than labelled cases come in.
        Cancelled: `progress` was cancelled.
    """
    if card.window_hu != WINDOW_HU:
        low, high = card.window_hu
        raise LiverSegError(
            f"The model {card.name!r} looks at HU from {low:g} to {high:g}, and labelled cases are "
            f"read from {WINDOW_HU[0]:g} to {WINDOW_HU[1]:g}. It cannot be judged on them: use "
            "`liverseg segment --model` and `liverseg evaluate`."
        )
    network = build_network(card.architecture, card.context, card.size)
    load_weights(network, card)
    runtime = TorchRuntime(network, pick_device(device))
    looks = TrainConfig(
        architecture=card.architecture,
        context=card.context,
        trunk=Look(card.size, card.size),
        liver=None,
    )
    predictor = Predictor(runtime, card.size, card.closer)
    return judge_held_out(predictor, sources, looks, progress)
