"""Models on disk: a folder holds `weights.safetensors` and `card.json`, nothing else is read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from liverseg_gui.core import resources
from liverseg_gui.core.errors import ModelError

DEFAULT_MODEL = "default"
WEIGHTS, CARD = "weights.safetensors", "card.json"


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
    closer: tuple[int, int] | None = None
    """The trunk's size (rows, columns) at the scale of the second look, at the liver alone."""

    @property
    def aspect(self) -> float:
        """Width / height of the network's input."""
        return self.size[1] / self.size[0]

    @property
    def weights(self) -> Path:
        """The weights file."""
        return self.folder / WEIGHTS


def list_models() -> list[ModelCard]:
    """The cards of all models that come with the program, sorted by name."""
    cards = sorted(resources.path("models").glob(f"*/{CARD}"))
    return [read_card(card.parent) for card in cards]


def find_model(name: str = DEFAULT_MODEL) -> ModelCard:
    """The card of the model `name`: one of the program's, or the path of a model folder.

    Raises:
        ModelError: there is none of that name, or its card is damaged.
    """
    folder = Path(name) if (Path(name) / CARD).is_file() else resources.path("models") / name
    if not (folder / CARD).is_file():
        known = ", ".join(card.name for card in list_models()) or "none"
        raise ModelError(
            f"There is no model {name!r} (found: {known}). Choose one with --model, or install "
            "the program again if its own model is missing."
        )
    return read_card(folder)


def read_card(folder: Path) -> ModelCard:
    """The card in `folder`.

    Raises:
        ModelError: it is missing or damaged.
    """
    try:
        values = json.loads((folder / CARD).read_text(encoding="utf-8"))
        rows, columns = values["size"]
        low, high = values["window_hu"]
        return ModelCard(
            values["name"],
            folder,
            values["architecture"],
            (int(rows), int(columns)),
            (float(low), float(high)),
            values["sha256"],
            values,
            int(values.get("context", 3)),
            _closer(values.get("closer")),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"The model card {folder / CARD} is missing or damaged. Install the model again."
        ) from error


def _closer(value: Any) -> tuple[int, int] | None:
    return None if value is None else (int(value[0]), int(value[1]))


def read_weights(card: ModelCard) -> bytes:
    """The weights of `card`, checked against its checksum.

    Raises:
        ModelError: they are missing or not those the card describes.
    """
    try:
        data = card.weights.read_bytes()
    except OSError as error:
        raise ModelError(
            f"The weights {card.weights} are missing. Install the model {card.name!r} again."
        ) from error
    if hashlib.sha256(data).hexdigest() != card.sha256:
        raise ModelError(
            f"The weights {card.weights} are damaged: their checksum is not the one on the card. "
            f"Install the model {card.name!r} again."
        )
    return data
