"""Names of the network architectures, which `build_network` builds. Free of torch, for lists."""

from __future__ import annotations

ENCODERS = ("resnet18", "resnet34", "resnet50")
ARCHITECTURES = tuple(
    name.format(encoder) for name in ("slim-{}", "slim-{}-ppm", "unet-{}") for encoder in ENCODERS
)
