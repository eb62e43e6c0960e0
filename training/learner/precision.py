"""The precision of the network; weights, loss and optimizer are always float32."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable

import torch
from fastai.callback.core import Callback
from fastai.callback.fp16 import MixedPrecision
from fastai.callback.schedule import Learner
from torch import Tensor, nn

from liverseg_gui.core.errors import LiverSegError

_GAIN = 0.8
"""bfloat16 has to save a fifth of the time to be chosen."""


class BFloat16(Callback):
    """bfloat16 autocast on the CPU: fastai's `to_bf16` knows CUDA only.

    The forward pass itself is wrapped, so that an error in it leaves autocast off.
    """

    order = MixedPrecision.order

    def before_fit(self) -> None:
        autocast = torch.autocast("cpu", torch.bfloat16)
        self.learn.model.forward = autocast(self.learn.model.forward)

    def after_pred(self) -> None:
        self.learn.pred = self.pred.float()

    def after_fit(self) -> None:
        del self.learn.model.forward


def choose_precision(
    requested: str,
    device: torch.device,
    network: nn.Module,
    shape: tuple[int, int, int, int],
    on_note: Callable[[str], None] = lambda _: None,
) -> str:
    """ "float32", "bf16" or "fp16" for a `requested` one that may be "auto".

    On the CPU "auto" measures one step of `network` at `shape` (n, c, h, w) in both: some CPUs
    gain a factor of five by bfloat16, others lose fifteen. `on_note` is told the outcome.

    Raises:
        LiverSegError: the device does not offer what is requested.
    """
    if device.type == "cuda":
        chosen = "fp16" if requested == "auto" else requested
        if chosen == "bf16" and not torch.cuda.is_bf16_supported():
            raise LiverSegError("This GPU knows no bfloat16. Use --precision fp16 or float32.")
        return chosen
    if requested == "fp16" or (requested == "bf16" and device.type != "cpu"):
        raise LiverSegError(
            f"{requested} is not offered on {device.type}. Use --precision auto or float32."
        )
    if requested != "auto" or device.type != "cpu":
        return "float32" if requested == "auto" else requested
    full, half = step_seconds(network, shape)
    chosen = "bf16" if half < _GAIN * full else "float32"
    on_note(f"Trains in {chosen}: a step takes {full:.2f} s in float32, {half:.2f} s in bfloat16.")
    return chosen


def apply_precision(learner: Learner, precision: str) -> None:
    """Let `learner` compute in `precision`, one of `choose_precision`'s."""
    if precision == "float32":
        return
    if learner.dls.device.type == "cpu":
        learner.add_cb(BFloat16())
    elif precision == "bf16":
        learner.to_bf16()
    else:
        learner.to_fp16()


def step_seconds(network: nn.Module, shape: tuple[int, int, int, int]) -> tuple[float, float]:
    """Seconds of a forward and backward pass on the CPU in float32 and in bfloat16.

    Works on a copy and draws no random numbers: the training that follows is the same.
    """
    network = copy.deepcopy(network).train()
    images = torch.linspace(0, 1, shape[0] * shape[1] * shape[2] * shape[3]).view(shape)
    images = images.contiguous(memory_format=torch.channels_last)
    _step(network, images, False)  # the first one plans and is not counted
    full = _step(network, images, False)
    half = _step(network, images, True)
    # Where the first bfloat16 step is that slow, a second one is not waited for.
    return full, half if half > 3 * full else _step(network, images, True)


def _step(network: nn.Module, images: Tensor, half: bool) -> float:
    began = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        scores = network(images)
    scores.float().square().mean().backward()
    return time.perf_counter() - began
