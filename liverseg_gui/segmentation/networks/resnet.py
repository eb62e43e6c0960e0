"""ResNet encoders: modules, names of weights and first random weights as torchvision's.

A segmentation then needs torch alone. torchvision must match torch's build and takes a second to
load; training has it, for fastai needs it. Source: He et al. 2016, with the stride of a bottleneck
in its 3 x 3 convolution.
"""

from __future__ import annotations

from torch import Tensor, nn


class _Block(nn.Module):
    """What both kinds of block do: add what they compute to what came in."""

    growth = 1
    relu: nn.ReLU
    downsample: nn.Module | None

    def forward(self, x: Tensor) -> Tensor:
        """Features of `x` (n, channels, h, w)."""
        kept = x if self.downsample is None else self.downsample(x)
        return self.relu(self.residual(x) + kept)

    def residual(self, x: Tensor) -> Tensor:
        """What is added."""
        raise NotImplementedError


class BasicBlock(_Block):
    """Two 3 x 3 convolutions."""

    def __init__(
        self, in_channels: int, width: int, stride: int, downsample: nn.Module | None
    ) -> None:
        super().__init__()
        self.conv1 = _conv(in_channels, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = _conv(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = downsample

    def residual(self, x: Tensor) -> Tensor:
        """What is added."""
        x = self.relu(self.bn1(self.conv1(x)))
        return self.bn2(self.conv2(x))


class Bottleneck(_Block):
    """A 3 x 3 convolution of few channels, between two of one pixel."""

    growth = 4

    def __init__(
        self, in_channels: int, width: int, stride: int, downsample: nn.Module | None
    ) -> None:
        super().__init__()
        self.conv1 = _conv(in_channels, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _conv(width, width, 3, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = _conv(width, width * self.growth, 1)
        self.bn3 = nn.BatchNorm2d(width * self.growth)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def residual(self, x: Tensor) -> Tensor:
        """What is added."""
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        return self.bn3(self.conv3(x))


_KINDS: dict[str, tuple[type[BasicBlock] | type[Bottleneck], tuple[int, int, int, int]]] = {
    "resnet18": (BasicBlock, (2, 2, 2, 2)),
    "resnet34": (BasicBlock, (3, 4, 6, 3)),
    "resnet50": (Bottleneck, (3, 4, 6, 3)),
}


class ResNet(nn.Module):
    """The network named "resnet18", "resnet34" or "resnet50", with its classifier `fc`.

    A U-Net takes its parts, and has no use for `avgpool` and `fc`; they are here so that weights
    of ImageNet load by name, and a seed gives the weights that it gives in torchvision.
    """

    def __init__(self, name: str, classes: int = 1000) -> None:
        super().__init__()
        block, depths = _KINDS[name]
        self.conv1 = _conv(3, 64, 7, 2)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        growth = block.growth
        self.layer1 = _stage(block, 64, 64, depths[0], stride=1)
        self.layer2 = _stage(block, 64 * growth, 128, depths[1], stride=2)
        self.layer3 = _stage(block, 128 * growth, 256, depths[2], stride=2)
        self.layer4 = _stage(block, 256 * growth, 512, depths[3], stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512 * growth, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the classes (n, classes) of pictures (n, 3, h, w)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        return self.fc(self.avgpool(x).flatten(1))


def _stage(
    block: type[BasicBlock] | type[Bottleneck],
    in_channels: int,
    width: int,
    depth: int,
    stride: int,
) -> nn.Sequential:
    out_channels = width * block.growth
    shortcut = None
    if stride != 1 or in_channels != out_channels:
        shortcut = nn.Sequential(
            _conv(in_channels, out_channels, 1, stride), nn.BatchNorm2d(out_channels)
        )
    blocks = [block(in_channels, width, stride, shortcut)]
    blocks += [block(out_channels, width, 1, None) for _ in range(depth - 1)]
    return nn.Sequential(*blocks)


def _conv(in_channels: int, out_channels: int, size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, size, stride, padding=size // 2, bias=False)
