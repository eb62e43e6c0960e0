"""The ResUNets: a U-Net on a ResNet encoder, in the paper's form and in a slim one.

Both take (n, context slices, rows, columns) float32 in 0..1 and give (n, 3, rows, columns) class
scores. Sources: Ronneberger et al. 2015 (U-Net); He et al. 2016 (residual blocks); Zhao et al. 2017
(pyramid pooling); fastai's DynamicUnet. docs/model.md compares their cost.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from liverseg_gui.core.errors import ModelError
from liverseg_gui.segmentation.networks.architectures import ARCHITECTURES
from liverseg_gui.segmentation.networks.resnet import ResNet
from liverseg_gui.system.features import NO_TRAINING, has_training

CLASSES = 3


def build_network(
    architecture: str,
    channels: int = 3,
    size: tuple[int, int] = (160, 224),
    encoder_weights: dict[str, Tensor] | None = None,
) -> nn.Module:
    """The untrained network named `architecture`, e.g. "slim-resnet18" or "unet-resnet34".

    "unet-..." is fastai's `DynamicUnet`, as `unet_learner` builds it; fastai is imported only for
    it. "slim-...-ppm" has a `PyramidPooling` between encoder and decoder. `encoder_weights` is a
    torchvision ResNet state dict, with or without its last layer `fc`; without it weights are
    random.

    Raises:
        ModelError: no such architecture, or encoder weights that do not fit it.
    """
    if architecture not in ARCHITECTURES:
        raise ModelError(
            f"There is no architecture {architecture!r}. Choose one of {', '.join(ARCHITECTURES)}."
        )
    kind, encoder_name, *options = architecture.split("-")
    encoder = _resnet(encoder_name, encoder_weights)
    if kind == "slim":
        return SlimResUNet(encoder, channels, "ppm" in options)
    return _dynamic_unet(encoder, channels, size)


def encoder_and_decoder(network: nn.Module) -> list[list[nn.Parameter]]:
    """Parameter groups for freezing: the encoder's, then all others. A fastai splitter."""
    encoder = network.encoder if isinstance(network, SlimResUNet) else network[0]  # type: ignore[index]
    inside = {id(p) for p in cast(nn.Module, encoder).parameters()}
    return [
        list(cast(nn.Module, encoder).parameters()),
        [p for p in network.parameters() if id(p) not in inside],
    ]


class SlimResUNet(nn.Module):
    """A ResNet encoder with a residual decoder of 256-128-64-32 channels.

    The decoder stops at half resolution; a sub-pixel convolution (Shi et al. 2016) gives the
    scores of the four pixels below each of its pixels. Convolutions on the full grid would take
    40 % of a training step on the CPU.
    """

    def __init__(self, resnet: ResNet, channels: int = 3, pyramid: bool = False) -> None:
        super().__init__()
        self.encoder = nn.ModuleList(
            [
                nn.Sequential(_stem(resnet.conv1, channels), resnet.bn1, resnet.relu),
                nn.Sequential(resnet.maxpool, resnet.layer1),
                resnet.layer2,
                resnet.layer3,
                resnet.layer4,
            ]
        )
        widths = [_out_channels(stage) for stage in self.encoder]
        skips = reversed(widths[:-1])
        self.decoder = nn.ModuleList()
        below = widths[-1]
        for skip, width in zip(skips, (256, 128, 64, 32), strict=True):
            self.decoder.append(_Up(below, skip, width))
            below = width
        self.head = nn.Conv2d(below, CLASSES * 4, 3, padding=1)
        self.pyramid = PyramidPooling(widths[-1]) if pyramid else None

    def forward(self, x: Tensor) -> Tensor:
        """Class scores of a batch."""
        features: list[Tensor] = []
        for stage in self.encoder:
            x = stage(x)
            features.append(x)
        features.pop()
        if self.pyramid is not None:
            x = self.pyramid(x)
        for up in self.decoder:
            x = up(x, features.pop())
        return F.pixel_shuffle(self.head(x), 2)


class PyramidPooling(nn.Module):
    """What the whole picture, its halves, thirds and sixths hold, joined to each place of it.

    Source: Zhao et al. 2017, "Pyramid scene parsing network". Their batch norm after each pooling
    is left out: one value for each channel of a single picture has no deviation to divide by.
    """

    def __init__(self, width: int, parts: tuple[int, ...] = (1, 2, 3, 6)) -> None:
        super().__init__()
        self.parts = parts
        narrow = width // len(parts)
        self.levels = nn.ModuleList(nn.Conv2d(width, narrow, 1) for _ in parts)
        self.join = _conv_norm(width + narrow * len(parts), width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Features of the same shape as `x` (n, width, h, w)."""
        features = [x]
        for part, level in zip(self.parts, self.levels, strict=True):
            pooled = F.relu(level(F.adaptive_avg_pool2d(x, part)))
            features.append(F.interpolate(pooled, x.shape[2:], mode="bilinear"))
        return F.relu(self.join(torch.cat(features, 1)))


class _Up(nn.Module):
    """Double the size, join the encoder's features, and refine with a residual block."""

    def __init__(self, below: int, skip: int, width: int) -> None:
        super().__init__()
        self.join = _conv_norm(below + skip, width, 1)
        self.conv1 = _conv_norm(width, width, 3)
        self.conv2 = _conv_norm(width, width, 3)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = torch.cat([F.interpolate(x, scale_factor=2.0, mode="nearest"), skip], dim=1)
        x = F.relu(self.join(x), inplace=True)
        refined = self.conv2(F.relu(self.conv1(x), inplace=True))
        return F.relu(refined + x, inplace=True)


def _conv_norm(in_channels: int, out_channels: int, size: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, size, padding=size // 2, bias=False),
        nn.BatchNorm2d(out_channels),
    )


def _resnet(name: str, weights: dict[str, Tensor] | None) -> ResNet:
    resnet = ResNet(name)
    if weights is not None:
        _load_encoder(resnet, name, weights)
    return resnet


def _load_encoder(resnet: ResNet, name: str, weights: dict[str, Tensor]) -> None:
    """Put `weights` into `resnet`, but for its last layer: there is none in a U-Net."""
    weights = {key: value for key, value in weights.items() if not key.startswith("fc.")}
    try:
        missing, unknown = resnet.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise ModelError(f"The encoder weights do not fit {name}: {error}") from error
    odd = [key for key in missing if not key.startswith("fc.")] + list(unknown)
    if odd:
        raise ModelError(
            f"The encoder weights do not fit {name}: {', '.join(odd[:3])} is missing or unknown "
            f"({len(odd)} in all). Name the weights of a {name}."
        )


def _stem(conv: nn.Conv2d, channels: int) -> nn.Conv2d:
    """The first convolution for another number of channels, weights spread over the slices."""
    if channels == conv.in_channels:
        return conv
    stem = nn.Conv2d(channels, conv.out_channels, 7, stride=2, padding=3, bias=False)
    with torch.no_grad():
        mean = conv.weight.sum(1, keepdim=True) / channels
        stem.weight.copy_(mean.expand_as(stem.weight))
    return stem


def _out_channels(stage: nn.Module) -> int:
    return [m for m in stage.modules() if isinstance(m, nn.BatchNorm2d)][-1].num_features


def _dynamic_unet(resnet: ResNet, channels: int, size: tuple[int, int]) -> nn.Module:
    if not has_training():
        raise ModelError(f"The networks called unet-... are fastai's. {NO_TRAINING}")
    from fastai.vision.models.unet import DynamicUnet

    resnet.conv1 = _stem(resnet.conv1, channels)
    body = nn.Sequential(*list(resnet.children())[:-2])
    return cast(nn.Module, DynamicUnet(body, CLASSES, size, last_cross=True))
