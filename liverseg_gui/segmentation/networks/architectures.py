"""The names of the networks there are; `networks` builds them. Free of torch, for lists."""

from __future__ import annotations

ENCODERS = ("resnet18", "resnet34", "resnet50")
ARCHITECTURES = tuple(
    name.format(encoder) for name in ("slim-{}", "slim-{}-ppm", "unet-{}") for encoder in ENCODERS
)
