"""Factory of the runtimes that can compute a network, by name."""

from __future__ import annotations

import copy
from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from liverseg_gui.core.errors import SegmentationError
from liverseg_gui.segmentation.runtime.base import FOLDED, Runtime, TorchRuntime, torch_runtimes
from liverseg_gui.segmentation.runtime.openvino import (
    PRECISIONS,
    OpenVinoRuntime,
    has_openvino,
    openvino_runtimes,
)


def fold_batch_norms(network: nn.Module) -> nn.Module:
    """A copy of `network`, for inference, without the batch norms that follow a convolution.

    A norm is taken to follow the convolution that its module holds just before it, as in
    torchvision's ResNets and in `networks`. Whether that is true of a network shows in its labels.
    """
    copied = copy.deepcopy(network).eval()
    for module in list(copied.modules()):
        for (before, conv), (name, norm) in pairwise(list(module.named_children())):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, before, fuse_conv_bn_eval(conv, norm))
                setattr(module, name, nn.Identity())
    return copied


class RuntimeFactory:
    """Makes the runtimes of one network, which itself stays on the CPU in float32.

    So there is always one that a GPU that was lost cannot take along.
    """

    def __init__(self, network: nn.Module, channels: int, sha256: str) -> None:
        """Hold `network`, which takes `channels` slices and whose weights have `sha256`."""
        self._network, self._channels, self._sha256 = network.eval(), channels, sha256
        self._there: dict[str, nn.Module] = {"cpu": self._network}

    def names(self, device: str) -> tuple[str, ...]:
        """The runtimes that may be able to compute on `device`, the exact one first."""
        names = torch_runtimes(device) + (openvino_runtimes() if device == "cpu" else ())
        return tuple(sorted(names, key=lambda name: "bfloat16" in name))  # slow on many: last

    def make(self, name: str, device: str) -> Runtime:
        """The runtime `name` on `device`; on a GPU they share the network's copy there."""
        if name in PRECISIONS:
            return OpenVinoRuntime(self._network, self._channels, self._sha256, name)
        if name == FOLDED:
            return TorchRuntime(fold_batch_norms(self._network), device, name)
        if device not in self._there:
            self._there[device] = copy.deepcopy(self._network).to(device)
        return TorchRuntime(self._there[device], device, name)

    def leave(self, device: str) -> None:
        """Drop the network's copy on `device`."""
        if device != "cpu":
            self._there.pop(device, None)

    def require(self, name: str, device: str) -> None:
        """Check that there is a runtime `name` on `device`.

        Raises:
            SegmentationError: there is none.
        """
        names = self.names(device)
        if name in names:
            return
        missing = name in PRECISIONS and not has_openvino()
        raise SegmentationError(
            f"There is no runtime {name!r} on {device}. "
            + (
                "OpenVINO is not installed: pip install 'liverseg[openvino]'."
                if missing
                else f"Choose one of {', '.join(names)}."
            )
        )
