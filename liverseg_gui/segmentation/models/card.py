"""The card of a model: what it is and how its network is fed, checked field by field."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from liverseg_gui.core.errors import ModelError
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.segmentation.networks.architectures import ARCHITECTURES
from liverseg_gui.system.regular_file import read_text

WEIGHTS, CARD = "weights.safetensors", "card.json"
CARD_VERSION = 1
"""What this program writes and reads; a card that names no version is of the first one."""
MOST_CARD_BYTES = 4 << 20
_NEEDED = ("name", "architecture", "size", "window_hu", "sha256")
_SIDES = range(32, 2049, 32)
_LIVER_VIEW_SIDES = range(1, 4097)  # a scale and no input: it need fit no network
_CONTEXTS = range(1, 32, 2)
_HIGHEST_HU = 32_768
_NAME = re.compile(r"[^\W_]([\w .+-]{0,62}[^\W_])?")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class ModelCard:
    """What a model is and how to feed it. `about` holds everything a person reads."""

    name: str
    folder: Path
    architecture: str
    size: tuple[int, int]
    window_hu: tuple[float, float]
    sha256: str
    about: dict[str, Any]
    context: int = 3
    """How many slices the network sees at once."""
    liver_view_size: tuple[int, int] | None = None
    """The trunk's size (rows, columns) at the scale of the second look, at the liver alone."""

    @property
    def aspect(self) -> float:
        """Width / height of the network's input."""
        return self.size[1] / self.size[0]

    @property
    def weights(self) -> Path:
        """The weights file."""
        return self.folder / WEIGHTS


def read_card(folder: Path) -> ModelCard:
    """The card in `folder`.

    Raises:
        ModelError: it is missing, damaged, foreign or newer than this program.
    """
    path = folder / CARD
    try:
        if path.stat().st_size > MOST_CARD_BYTES:
            raise ModelError(f"{path} is too large for a model card. It is not read.")
        text = read_text(path)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"The model card {path} is missing or damaged. Install the model again."
        ) from error
    return parse_card(text, folder)


def parse_card(text: str, folder: Path) -> ModelCard:
    """The card that `text` holds, of the model in `folder`.

    Raises:
        ModelError: it is damaged, foreign or newer than this program.
    """
    path = folder / CARD
    try:
        values = parse_json(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"The model card {path} is missing or damaged. Install the model again."
        ) from error
    if not isinstance(values, dict):
        raise ModelError(f"{path} is no model card of this program. {_HOW_TO_GET_ONE}")
    _require_version(values, path)
    missing = [key for key in _NEEDED if key not in values]
    if missing:
        raise ModelError(
            f"{path} is no model card of this program: it lacks {', '.join(missing)}. "
            f"{_HOW_TO_GET_ONE}"
        )
    try:
        return _card(values, folder)
    except ValueError as problem:
        raise ModelError(
            f"The model card {path} is wrong: {problem}. Ask whoever made the model for a whole "
            "one."
        ) from problem


_HOW_TO_GET_ONE = "A model is made by `liverseg train`, which writes its weights and its card."


def _require_version(values: Mapping[str, Any], path: Path) -> None:
    version = values.get("card_version", CARD_VERSION)
    if isinstance(version, int) and not isinstance(version, bool) and version > CARD_VERSION:
        raise ModelError(
            f"{path} has card version {version}, and this program knows version {CARD_VERSION}: "
            "the model was made by a newer LiverSeg. Update this program to use it."
        )
    if version != CARD_VERSION or isinstance(version, bool):
        raise ModelError(
            f"{path} has the card version {version!r}, which LiverSeg never wrote: it is the card "
            f"of another program. {_HOW_TO_GET_ONE}"
        )


def _card(values: dict[str, Any], folder: Path) -> ModelCard:
    """Check every field the network depends on.

    Raises:
        ValueError: one is of the wrong type or out of its range; says which.
    """
    name, architecture, sha256 = values["name"], values["architecture"], values["sha256"]
    if problem := name_problem(name):
        raise ValueError(problem)
    if architecture not in ARCHITECTURES:
        raise ValueError(
            f"this program has no architecture {architecture!r} (it has {', '.join(ARCHITECTURES)})"
        )
    if not isinstance(sha256, str) or not re.fullmatch("[0-9a-f]{64}", sha256):
        raise ValueError("sha256 must be the 64 hexadecimal digits of the weights' checksum")
    size = _size("size", values["size"], _SIDES, "multiples of 32 up to 2048")
    closer = values.get("closer")
    liver_view = (
        None if closer is None else _size("closer", closer, _LIVER_VIEW_SIDES, "sizes up to 4096")
    )
    if liver_view is not None and not all(b > a for a, b in zip(size, liver_view, strict=True)):
        raise ValueError(f"closer {list(liver_view)} must be larger than size {list(size)}")
    context = values.get("context", 3)
    if not _is_whole(context) or context not in _CONTEXTS:
        raise ValueError(f"context must be an odd number of slices up to 31, and is {context!r}")
    window = _window(values["window_hu"])
    return ModelCard(name, folder, architecture, size, window, sha256, values, context, liver_view)


def _size(field: str, value: Any, allowed: range, described: str) -> tuple[int, int]:
    two = isinstance(value, list) and len(value) == 2
    if not two or not all(_is_whole(side) and side in allowed for side in value):
        raise ValueError(f"{field} must be two {described}, and is {value!r}")
    return value[0], value[1]


def _window(value: Any) -> tuple[float, float]:
    two = isinstance(value, list) and len(value) == 2
    if two and all(isinstance(hu, int | float) and not isinstance(hu, bool) for hu in value):
        low, high = float(value[0]), float(value[1])
        if math.isfinite(low) and math.isfinite(high) and -_HIGHEST_HU <= low < high <= _HIGHEST_HU:
            return low, high
    raise ValueError(f"window_hu must be two HU, the lower one first, and is {value!r}")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def name_problem(name: Any) -> str:
    """Why `name` cannot be the name of a model and of its folder; nothing if it can."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or _RESERVED.fullmatch(name):
        return (
            f"a model cannot be called {str(name)[:80]!r}: a name has up to 64 letters, digits, "
            "spaces and - _ . +, begins and ends with a letter or digit, and is no device of the "
            "system"
        )
    return ""
