"""The model card: how the network is fed, and all that a reader needs to judge it."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from liverseg_gui.core.errors import LiverSegError, ModelError, UnreadableFileError
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.segmentation.models.registry import CARD, find_model
from liverseg_gui.segmentation.preprocessing import WINDOW_HU
from liverseg_gui.system.atomic_write import write_text
from training.config.train_config import TrainConfig
from training.data.leakage_free_split import trained_on

Row = dict[str, Any]
INTENDED_USE = (
    "Research and teaching: liver and tumors in contrast-enhanced CT of adults' abdomens. Not a "
    "medical device; every result needs a reader."
)
_LIBRARIES = ("torch", "torchvision", "fastai", "numpy", "scipy")


def make_card(
    name: str,
    config: TrainConfig,
    command: str,
    trained_on: Sequence[str],
    held_out: Sequence[Row],
    notes: Mapping[str, str],
) -> Row:
    """The card of a model that `command` trained; `held_out` are rows of `CaseMetrics.to_json()`.

    `notes` are a person's words: data and licenses, known failures. What a model to start from was
    trained on is named too.
    """
    card = {
        "name": name,
        "architecture": config.architecture,
        "size": config.trunk.size,
        "context": config.context,
        "closer": config.liver.of_trunk if config.liver else None,
        "window_hu": WINDOW_HU,
        "intended_use": INTENDED_USE,
        "command": command,
        "training": config.to_json(),
        "trained_on": list(dict.fromkeys((*_initial_cases(config.start_from), *trained_on))),
        "held_out": [main_figures(row) for row in held_out],
        "held_out_note": "On the slices' own pixels, after clean-up. These patients took no part "
        "in training. docs/evaluation.md defines the figures.",
        "libraries": {"python": platform.python_version()}
        | {library: version(library) for library in _LIBRARIES},
    }
    return {**notes, **card}


def _initial_cases(model: str | None) -> list[str]:
    """The cases that weights to begin with were trained on: what they learned is still there."""
    if model is None:
        return []
    try:
        return trained_on(find_model(model))
    except ModelError:  # it went while this training ran
        return []


def main_figures(row: Row) -> Row:
    """The figures of one patient that stand on a card."""
    large = row["lesions"]["from_10_mm"]
    return {
        "name": row["name"],
        "liver_dice": row["liver"]["dice"],
        "tumor_dice": row["tumor"]["dice"] if row["lesions"]["true"] else None,
        "lesions_from_10_mm": large and {k: large[k] for k in ("true", "true_matched", "found")},
        "false_tumor_percent": row["false_positive"]["tumor_percent_of_liver"],
    }


def add_to_card(model: Path, entries: Mapping[str, Any]) -> None:
    """Put `entries` on the card in the folder `model`, in place of those of the same names.

    Raises:
        UnreadableFileError: there is no card.
        LiverSegError: an entry decides how the network is fed; that is not a matter of words.
        SaveError: it could not be written; the card is as it was.
    """
    path = model / CARD
    try:
        card: Row = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableFileError(
            f"{path} is missing or damaged. Train again into another folder."
        ) from error
    if fixed := {"architecture", "size", "context", "closer", "window_hu", "sha256"} & set(entries):
        raise LiverSegError(
            f"{path}: {', '.join(sorted(fixed))} belong to the weights. Leave them as they are."
        )
    write_text(path, json.dumps(card | dict(entries), indent=1) + "\n")
