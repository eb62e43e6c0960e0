"""Selection of a model's runtime where none is asked for: remembered, or measured once."""

from __future__ import annotations

import torch

from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.models.registry import ModelCard
from liverseg_gui.segmentation.runtime.base import EXACT
from liverseg_gui.segmentation.runtime.benchmark import fastest_runtime
from liverseg_gui.segmentation.runtime.choice_cache import (
    RuntimeChoice,
    recall_choice,
    remember_choice,
)
from liverseg_gui.segmentation.runtime.factory import RuntimeFactory
from liverseg_gui.segmentation.runtime.fallback import FallbackRuntime
from liverseg_gui.segmentation.runtime.reference_slices import reference_slices


def chosen_runtime(
    factory: RuntimeFactory, card: ModelCard, device: str, progress: Progress | None = None
) -> FallbackRuntime:
    """What computes the model of `card`, made by `factory`, when `device` is asked for.

    Raises:
        Cancelled: `progress` was cancelled while runtimes were measured.
    """
    hardware = _hardware(device)
    choice = recall_choice(card.sha256, device, hardware)
    if choice is None or choice.runtime not in factory.names(choice.device):
        choice = measured_choice(factory, card, device, progress)
    notices = (f"{choice.reason}.",) if choice.device != device else ()

    def report_fault(why: str) -> None:
        remember_choice(
            card.sha256, device, hardware, RuntimeChoice(EXACT, device, f"{why} on a scan")
        )

    return FallbackRuntime(factory, choice, card.name, report_fault, notices)


def measured_choice(
    factory: RuntimeFactory, card: ModelCard, device: str, progress: Progress | None = None
) -> RuntimeChoice:
    """Measure what computes the model of `card` fastest on `device`, and remember it.

    Raises:
        Cancelled: `progress` was cancelled.
    """
    batches = reference_slices(card.size, card.context, card.window_hu)
    choice = fastest_runtime(factory, device, batches, progress)
    if choice is None:
        return RuntimeChoice(EXACT, device, "torch float32, as nothing could be measured")
    remember_choice(card.sha256, device, _hardware(device), choice)
    return choice


def _hardware(device: str) -> str:
    """The name of the GPU behind `device`; empty where there is none or it does not tell."""
    if device not in ("cuda", "xpu"):
        return ""
    try:
        return str(getattr(torch, device).get_device_name())
    except RuntimeError:
        return ""
