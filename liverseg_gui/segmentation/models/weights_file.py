"""Weights files, read from their header alone: without torch, and running nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import safetensors

from liverseg_gui.core.errors import ModelError
from liverseg_gui.core.progress import Progress
from liverseg_gui.system.regular_file import open_regular

MOST_WEIGHTS_BYTES = 2 << 30
Shapes = Mapping[str, tuple[int, ...]]
"""The shape of each tensor by its name."""

_PROGRAMS = (".pth", ".pt", ".pkl", ".pickle", ".ckpt", ".bin", ".joblib", ".onnx", ".h5", ".pb")
_PICKLE, _ZIP = b"\x80", b"PK\x03\x04"
_CHUNK = 1 << 20


def is_foreign_weights(path: Path) -> bool:
    """Whether the name is that of weights in a form that is never read."""
    return path.suffix.lower() in _PROGRAMS


def why_refused(path: Path) -> str:
    """What to say about such a file."""
    return (
        f"{path} is not read: files of this kind (.pth, .pt, .pkl, .ckpt, .onnx and such) can "
        "carry programs that run when they are opened, and do not say how the network is fed. "
        "LiverSeg reads a model folder of weights.safetensors and card.json only, which "
        "`liverseg train` writes (OUT/model): ask whoever made the model for that."
    )


def read_shapes(path: Path, called: Path | None = None) -> dict[str, tuple[int, ...]]:
    """The tensors in the safetensors file `path`; the file must be as long as its header says.

    Problems name the file as `called`, where `path` is but a copy of it.

    Raises:
        ModelError: it is missing, cut short, or no safetensors file.
    """
    shown = called or path
    try:
        with open_regular(path) as file:
            start = file.read(4)
    except OSError as error:
        raise ModelError(
            f"The weights {shown} are missing. Install the model again, whole."
        ) from error
    if start.startswith(_PICKLE) or start == _ZIP:
        raise ModelError(
            f"{shown} is called safetensors and is none: it is a pickle, as .pth files are. "
            "Pickles can run programs when they are opened, so it is not read. Ask whoever made "
            "the model for the folder that `liverseg train` writes (OUT/model)."
        )
    try:
        with safetensors.safe_open(path, "np") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise ModelError(
            f"The weights {shown} are damaged or no safetensors file ({error}). Get the model "
            "again from where it came from."
        ) from error


def checksum(path: Path, progress: Progress) -> str:
    """The SHA-256 of a file in hexadecimal digits.

    Raises:
        OSError: it cannot be read.
        Cancelled: `progress` was cancelled.
    """
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            progress.update(0.0, "Checking the weights")
    return digest.hexdigest()
