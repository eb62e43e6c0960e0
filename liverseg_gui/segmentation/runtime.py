"""What computes a network's scores: torch on a device (others may follow), behind one protocol."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from liverseg_gui.core.errors import SegmentationError


class Runtime(Protocol):
    """Computes the scores of one network."""

    @property
    def device(self) -> str:
        """Where it computes: "cpu", "cuda", "mps", ..."""
        ...

    def scores(self, images: Tensor) -> Tensor:
        """Class scores, float (n, classes, rows, columns), of uint8 `images` (n, context, rows,
        columns).

        Raises:
            SegmentationError: the network gave numbers that are none.
        """
        ...


class TorchRuntime:
    """A network in memory, run by torch."""

    def __init__(self, network: torch.nn.Module, device: str) -> None:
        """Put `network` onto `device`."""
        self.device = device
        self._network = network.eval().to(device).to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def scores(self, images: Tensor) -> Tensor:
        """See `Runtime.scores`."""
        batch = images.to(self.device).float().div_(255)
        scores: Tensor = self._network(batch.contiguous(memory_format=torch.channels_last))
        if not torch.isfinite(scores).all():
            raise SegmentationError(
                f"The model gave invalid numbers on {self.device}. Segment on the CPU instead "
                "(--device cpu)."
            )
        return scores


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
