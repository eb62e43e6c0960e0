"""Protocol of runtimes, which compute a network's scores; torch's, on the CPU or a GPU."""

from __future__ import annotations

import gc
from contextlib import suppress
from typing import Protocol

import torch
from torch import Tensor

from liverseg_gui.core.errors import SegmentationError

EXACT = "torch-float32"
"""The runtime that is everywhere, and whose labels the others are held to."""
FOLDED = "torch-folded-float32"
"""The same with its batch norms folded into the convolutions: differs by rounding alone."""
_REDUCED = {"torch-float16": torch.float16, "torch-bfloat16": torch.bfloat16}


class InvalidScoresError(SegmentationError):
    """A network gave numbers that are none."""


class Runtime(Protocol):
    """Computes the scores of one network."""

    @property
    def name(self) -> str:
        """What it is, in how many bits: "torch-float32", "openvino-float32", ..."""
        ...

    @property
    def device(self) -> str:
        """Where it computes: "cpu", "cuda", "mps" or "xpu"."""
        ...

    @property
    def notices(self) -> tuple[str, ...]:
        """What the reader has to know about how it computed, in plain sentences, each once."""
        ...

    @property
    def reason(self) -> str:
        """Why it computes and no other, in words; empty where nobody chose it."""
        ...

    def scores(self, images: Tensor) -> Tensor:
        """Class scores, float (n, classes, rows, columns), of uint8 `images` (n, context, rows,
        columns).

        The same images in the same batches always give the same scores.

        Raises:
            InvalidScoresError: the network gave numbers that are none.
        """
        ...


class TorchRuntime:
    """A network in memory, run by torch in float32, or in fewer bits where that is safe."""

    notices: tuple[str, ...] = ()
    reason = ""

    def __init__(self, network: torch.nn.Module, device: str, name: str = EXACT) -> None:
        """Put `network` onto `device`; `name` says in how many bits it computes."""
        self.name, self.device = name, device
        self._reduced = _REDUCED.get(name)
        self._network = network.eval().to(device).to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def scores(self, images: Tensor) -> Tensor:
        """See `Runtime.scores`."""
        batch = images.to(self.device).float().div_(255)
        batch = batch.contiguous(memory_format=torch.channels_last)
        if self._reduced is None:
            return require_finite(self._network(batch), self.device)
        with torch.autocast(self.device, self._reduced):
            scores: Tensor = self._network(batch)
        return require_finite(scores.float(), self.device)


def require_finite(scores: Tensor, device: str) -> Tensor:
    """`scores`, if all of them are numbers.

    Raises:
        InvalidScoresError: some are not.
    """
    if torch.isfinite(scores).all():
        return scores
    if device == "cpu":
        raise InvalidScoresError(
            "The model gave invalid numbers on the CPU: it is broken. Install it again, or choose "
            "another one (--model)."
        )
    raise InvalidScoresError(
        f"The model gave invalid numbers on {device}. Segment on the CPU instead (--device cpu)."
    )


def torch_runtimes(device: str) -> tuple[str, ...]:
    """The names of the torch runtimes that `device` may be able to run; the exact one first."""
    if device == "cuda":
        brain = torch.cuda.is_bf16_supported(including_emulation=False)
    elif device == "xpu":
        brain = torch.xpu.is_bf16_supported()
    else:
        brain = device == "cpu"
    names = (EXACT, FOLDED) if device == "cpu" else (EXACT, "torch-float16")
    return (*names, "torch-bfloat16") if brain else names


def pick_device(device: str) -> str:
    """The torch device for "auto", "cpu", "cuda" (AMD's GPUs too), "mps" or "xpu".

    Raises:
        SegmentationError: the device asked for is not there.
    """
    # in the order of preference of "auto"
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "xpu": torch.xpu.is_available(),
        "cpu": True,
    }
    if device == "auto":
        return next(name for name, available in there.items() if available)
    if not there.get(device, False):
        raise SegmentationError(
            f"There is no device {device!r} on this computer. Use --device auto or cpu."
        )
    return device


def free_memory(device: str) -> None:
    """Give back what nothing refers to any more; call it outside of any `except`."""
    gc.collect()
    with suppress(RuntimeError, AttributeError):  # a lost device cannot give anything back
        if device != "cpu":
            getattr(torch, device).empty_cache()
