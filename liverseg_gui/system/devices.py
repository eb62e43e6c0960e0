"""The devices that compute: the names that are chosen by, and those that are shown."""

from __future__ import annotations

DEVICES = {
    "auto": "Automatic",
    "cpu": "CPU",
    "cuda": "NVIDIA GPU (CUDA)",
    "mps": "Apple GPU (MPS)",
}
