"""The words that a recipe is chosen by, each with a line for people. Light to import."""

from __future__ import annotations

LOSSES = {
    "dice+ce": "Dice of liver and tumor, and cross-entropy (the default)",
    "ce": "cross-entropy alone: every pixel counts the same, few tumors are found",
    "dice": "Dice alone: liver and tumor count the same, however large they are",
    "focal": "focal loss: pixels that are right already count less",
    "dice+focal": "Dice, and the focal loss",
    "tversky": "Tversky: as Dice, but a missed pixel costs more than a false one",
    "tversky+ce": "Tversky, and cross-entropy",
    "focal-tversky": "focal Tversky: the class that is found worse counts more",
    "focal-tversky+ce": "focal Tversky, and cross-entropy",
}
"""What `--loss` takes, and what it does."""

PRECISIONS = {
    "auto": "float16 on CUDA; on the CPU the faster of float32 and bfloat16, measured at the start",
    "float32": "full precision",
    "bf16": "bfloat16 where it does no harm, weights and loss in float32",
    "fp16": "float16 with a scaled loss, on CUDA only",
}
"""What `--precision` takes, and what it does."""

MULTI_SCALE = {"ppm": "pyramid pooling between encoder and decoder, for slim networks"}
"""What `--multi-scale` takes, and what it does."""

IMAGENET = "imagenet"
"""In place of a file of encoder weights: torchvision's own, by download."""
