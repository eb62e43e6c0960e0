"""Judge a model that is stored, on cases that are read as training reads them."""

from __future__ import annotations

from collections.abc import Sequence

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.inference import load_weights
from liverseg_gui.segmentation.model_card import ModelCard
from liverseg_gui.segmentation.networks import build_network
from liverseg_gui.segmentation.predictor import Predictor
from liverseg_gui.segmentation.preprocessing import WINDOW_HU
from liverseg_gui.segmentation.runtime import TorchRuntime, pick_device
from training.case_figures import CaseFigures
from training.cases import CaseSource
from training.config import TrainConfig
from training.held_out import judge_held_out
from training.looks import Look


def judge_model(
    card: ModelCard, sources: Sequence[CaseSource], device: str, progress: Progress
) -> list[CaseFigures]:
    """The figures of each case, exactly as `training.run` judges its held-out patients.

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
    return judge_held_out(predictor, sources, looks, progress)[0]
