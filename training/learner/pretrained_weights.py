"""Pretrained weights for the encoder: from a file, or torchvision's by download.

The network's inputs stay greys in 0..1, ImageNet's mean and deviation are not taken away: they are
nearly the same in all three channels, so they amount to one scale and one offset of the whole
input, and the batch norm behind the first convolution takes both away while training.
"""

from __future__ import annotations

import pickle
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from liverseg_gui.core.errors import ModelError
from liverseg_gui.system.regular_file import require_regular
from training.config.train_config import IMAGENET

_MARK = "layer1.0.conv1.weight"
_PATIENCE_S = 30.0


def encoder_weights(source: str, encoder: str) -> dict[str, Tensor]:
    """The ResNet state dict of `source`: a .pth or .safetensors file, or "imagenet".

    Only "imagenet" uses the network, through torchvision and its cache. A training that cannot have
    them does not begin: its card would name weights that it never had.

    Raises:
        ModelError: the file is missing, damaged, or holds no ResNet; nothing could be downloaded.
    """
    if source != IMAGENET:
        return read_encoder_weights(Path(source))
    try:
        with _timeout(_PATIENCE_S):
            return _download(encoder)
    except (OSError, RuntimeError) as error:
        raise ModelError(
            f"The ImageNet weights of {encoder} could not be downloaded ({error}).",
            "Name a file of weights, for which no network is needed (--encoder-weights FILE), or "
            "leave the option out to begin with random weights.",
        ) from error


def read_encoder_weights(path: Path) -> dict[str, Tensor]:
    """The ResNet state dict in `path`, whatever comes before its names ("module.backbone.", ...).

    A .pth file is read without running any code that is in it.

    Raises:
        ModelError: the file is missing, damaged, or holds no ResNet.
    """
    try:
        values = _read(path)
    except OSError as error:
        raise ModelError(
            f"The encoder weights {path} cannot be read: {error.strerror}. Check the path and its "
            "permissions."
        ) from error
    except (RuntimeError, EOFError, pickle.UnpicklingError, safetensors.SafetensorError) as error:
        raise ModelError(
            f"The encoder weights {path} are damaged or hold more than weights. Name a .pth or "
            ".safetensors file of a torchvision ResNet's state dict."
        ) from error
    if isinstance(values, Mapping) and isinstance(values.get("state_dict"), Mapping):
        values = values["state_dict"]
    names = values if isinstance(values, Mapping) else {}
    prefix = next((n.removesuffix(_MARK) for n in names if str(n).endswith(_MARK)), None)
    if prefix is None:
        raise ModelError(
            f"{path} holds no weights of a ResNet. Name the state dict of a torchvision ResNet."
        )
    return {name.removeprefix(prefix): v for name, v in names.items() if name.startswith(prefix)}


def _read(path: Path) -> Any:
    require_regular(path)
    if path.suffix == ".safetensors":
        return safetensors.torch.load(path.read_bytes())
    return torch.load(path, map_location="cpu", weights_only=True)


def _download(encoder: str) -> dict[str, Tensor]:
    from torchvision import models

    weights = models.get_model_weights(encoder).DEFAULT
    state: dict[str, Tensor] = weights.get_state_dict(
        progress=False, check_hash=True, weights_only=True
    )
    return state


@contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    """New connections give up after so long without an answer."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
