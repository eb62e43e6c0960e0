"""Evaluation of a network on patients it has not seen, segmented as the program would."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.geometry import Float3
from liverseg_gui.core.progress import Progress
from liverseg_gui.evaluation.case_metrics import CaseMetrics
from liverseg_gui.evaluation.evaluate import evaluate_case
from liverseg_gui.evaluation.worst_slices import WorstSlice, worst_of, worst_slices
from liverseg_gui.segmentation.inference import load_weights
from liverseg_gui.segmentation.models.card import ModelCard
from liverseg_gui.segmentation.networks.unet import build_network
from liverseg_gui.segmentation.predictor import Predictor
from liverseg_gui.segmentation.preprocessing import CONTEXT_MM, WINDOW_HU
from liverseg_gui.segmentation.runtime.base import TorchRuntime, pick_device
from training.config.field_of_view import TRUNK_MM, FieldOfView
from training.config.train_config import TrainConfig
from training.data.case import Case, CaseSource

SHOWN = 12
"""How many of the worst slices are shown."""


def evaluate_held_out(
    predictor: Predictor,
    sources: Sequence[CaseSource],
    config: TrainConfig,
    progress: Progress,
    on_case: Callable[[CaseMetrics], None] = lambda _: None,
    works_on: Callable[[str | None], None] = lambda _: None,
) -> tuple[list[CaseMetrics], list[WorstSlice]]:
    """Segment each case, clean up, and compare with the reference on the case's own pixels.

    Returns the figures of each, which are given to `on_case` as soon as they are there, and the
    worst slices of all. `works_on` is told the name of each case before it is read, and None after
    the last.
    """
    metrics: list[CaseMetrics] = []
    worst: list[WorstSlice] = []
    for n, source in enumerate(sources):
        works_on(source.name)
        part = progress.part(n / len(sources), (n + 1) / len(sources))
        case = source.read()
        prediction = predict_case(predictor, case, config, part.part(0.0, 0.9))
        spacing_mm = case_spacing(case, prediction)
        metrics.append(
            evaluate_case(
                case.name,
                prediction,
                case.labels,
                spacing_mm,
                axial_axis=0,
                pixel_is_mm=True,
                progress=part.part(0.9, 1.0),
            )
        )
        on_case(metrics[-1])
        worst += worst_slices(
            case.name, prediction, case.labels, case.slices, axial_axis=0, spacing_mm=spacing_mm
        )
    works_on(None)
    return metrics, worst_of(worst, SHOWN)


def predict_case(
    predictor: Predictor, case: Case, config: TrainConfig, progress: Progress
) -> NDArray[np.uint8]:
    """Labels of the case's slices, cleaned up as the program does: uint8 of their shape."""
    rows, columns = config.trunk.size
    box = case.trunk(columns / rows)
    prediction = predictor.predict(case.slices, case.context(config.context), box, progress)
    out = np.zeros(case.slices.shape, np.uint8)
    if prediction is not None:
        spacing_mm = _rough_spacing(case, box.width)
        out[prediction.where] = prediction.finished(case.slices, spacing_mm, Progress())
    return out


def _rough_spacing(case: Case, trunk_pixels: float) -> tuple[float, float, float]:
    """The mm between slices, rows and columns, roughly where they are not known."""
    if case.pixel_mm is None:
        pixel_mm = TRUNK_MM / trunk_pixels
        return 2.0, pixel_mm, pixel_mm
    slice_mm = float(np.diff(case.z).min()) if len(case.z) > 1 else CONTEXT_MM
    return slice_mm, *case.pixel_mm


def evaluate_model(
    card: ModelCard, sources: Sequence[CaseSource], device: str, progress: Progress
) -> list[CaseMetrics]:
    """The figures of each case, exactly as `training.pipeline.train` judges its held-out patients.

    Raises:
        ModelError, LiverSegError, Cancelled: as `evaluate_with_slices`.
    """
    return evaluate_with_slices(card, sources, device, progress)[0]


def evaluate_with_slices(
    card: ModelCard, sources: Sequence[CaseSource], device: str, progress: Progress
) -> tuple[list[CaseMetrics], list[WorstSlice]]:
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
    config = TrainConfig(
        architecture=card.architecture,
        context=card.context,
        trunk=FieldOfView(card.size, card.size),
        liver=None,
    )
    predictor = Predictor(runtime, card.size, card.liver_view_size)
    return evaluate_held_out(predictor, sources, config, progress)


_EVEN = 1e-3


def case_spacing(case: Case, prediction: NDArray[np.uint8]) -> Float3 | None:
    """The (slice, row, column) spacing of `case` in mm for `evaluate_case` with `axial_axis` 0.

    None where it is not known, or where the slices that hold a label in the truth or in
    `prediction` do not follow each other evenly: no distance or volume is made up from uneven
    slices.
    """
    if case.pixel_mm is None:
        return None
    held = np.flatnonzero((case.labels > 0).any(axis=(1, 2)) | (prediction > 0).any(axis=(1, 2)))
    if not len(held):
        return None
    steps = np.diff(case.z[held[0] : held[-1] + 1])
    if not len(steps) or np.ptp(steps) > _EVEN * steps.max():
        return None
    return float(steps.mean()), *case.pixel_mm
