"""Devices, precisions and encoder weights of this computer, or the reason why one is not there.

What takes a `Progress` loads torch: a window has it done by a process of its own.
"""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlparse

from liverseg_gui.core.progress import Progress
from liverseg_gui.system.devices import DEVICES


def device_offers(_: Progress) -> tuple[str, dict[str, str]]:
    """`usual_device` and `device_problems`."""
    return usual_device(), device_problems()


def device_problems() -> dict[str, str]:
    """Why a device cannot be used here, by its name; nothing for those that are there."""
    import torch

    problems = dict.fromkeys(DEVICES, "")
    if not torch.cuda.is_available():
        problems["cuda"] = "This computer has no NVIDIA GPU that this installation can use."
    if not torch.backends.mps.is_available():
        problems["mps"] = "This computer has no Apple GPU that this installation can use."
    return problems


def usual_device() -> str:
    """The device that "auto" takes."""
    from liverseg_gui.segmentation.runtime.base import pick_device

    return pick_device("auto")


def precision_problem(precision: str, device: str) -> str:
    """Why `precision` is not offered on `device` (no "auto"); nothing where it is."""
    if precision == "fp16" and device != "cuda":
        return "float16 is for NVIDIA GPUs. Choose automatic, bfloat16 or float32."
    if precision == "bf16" and device not in ("cpu", "cuda"):
        return f"bfloat16 is not offered on {device}. Choose automatic or float32."
    return ""


def check_encoder_weights(path: Path, _: Progress) -> None:
    """Read the encoder weights in `path`.

    Raises:
        ModelError: there are none; says why.
    """
    from training.learner.pretrained_weights import read_encoder_weights

    read_encoder_weights(path)


def imagenet_problem(architecture: str, _: Progress) -> str:
    """Why ImageNet's weights cannot be had for `architecture`; nothing where they can.

    They are there already, or this computer has a way to a network. Nothing is sent to find out.
    """
    if _downloaded(architecture.split("-")[1]).is_file() or _has_network():
        return ""
    return (
        "The ImageNet weights are not on this computer, and it has no network to download them. "
        "Choose a file of weights instead."
    )


def _downloaded(encoder: str) -> Path:
    import torch
    from torchvision import models

    url = models.get_model_weights(encoder).DEFAULT.url
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(url).path).name


def _has_network() -> bool:
    """Whether there is a route to anywhere: a datagram socket that is connected sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address of RFC 5737, kept for documents
        except OSError:
            return False
    return True
