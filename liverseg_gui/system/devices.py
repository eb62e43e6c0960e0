"""Names of the compute devices, as they are chosen and as they are shown."""

from __future__ import annotations

DEVICES = {
    "auto": "Automatic",
    "cpu": "CPU",
    "cuda": "NVIDIA GPU (CUDA)",
    "mps": "Apple GPU (MPS)",
}
