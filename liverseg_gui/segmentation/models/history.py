"""History of the model in use, so that the one before an improved one can be used again."""

from __future__ import annotations

import json
from pathlib import Path

from liverseg_gui.core.errors import ModelError
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.segmentation.models.registry import (
    InstalledModel,
    ModelChoice,
    choose_model,
    chosen_model,
    find_installed,
)
from liverseg_gui.system.atomic_write import write_text
from liverseg_gui.system.file_lock import locked
from liverseg_gui.system.paths import data_folder

_MOST = 50


def previous_model_file() -> Path:
    """Where it is remembered; it need not exist."""
    return data_folder() / "models-before.json"


def choose_instead(name: str, settings: ModelChoice) -> InstalledModel:
    """Use the installed model `name` from now on, and remember the one that was used.

    Raises:
        ModelError: there is no such model.
        SaveError: the one before could not be remembered; nothing was chosen.
    """
    with locked(previous_model_file()):
        model = find_installed(name)
        before = chosen_model(settings)
        if model is not None and model.name != before:
            _remember([*_remembered(), before])
        return choose_model(name, settings)


def previous_model(settings: ModelChoice) -> str | None:
    """The model that `roll_back` would choose; None where there is none."""
    left = _usable(settings)
    return left[-1] if left else None


def roll_back(settings: ModelChoice) -> InstalledModel:
    """Use the model again that the one in use took the place of; again and again goes further back.

    One that was removed since is passed over, as is the one in use.

    Raises:
        ModelError: no model was replaced by another.
        SaveError: what is left to go back to could not be remembered; nothing was chosen.
    """
    with locked(previous_model_file()):
        left = _usable(settings)
        if not left:
            raise ModelError(
                "There is no model to go back to: none was replaced by an improved one. "
                "`liverseg models choose` chooses among all there are."
            )
        _remember(left[:-1])
        return choose_model(left[-1], settings)


def _usable(settings: ModelChoice) -> list[str]:
    """The models before, the latest last, down to the latest that is there and not in use."""
    left = _remembered()
    while left and not _can_be_chosen(left[-1], settings):
        left.pop()
    return left


def _can_be_chosen(name: str, settings: ModelChoice) -> bool:
    model = find_installed(name)
    return model is not None and model.card is not None and model.name != chosen_model(settings)


def _remembered() -> list[str]:
    """What is remembered; a file that is none is as good as nothing."""
    try:
        names = parse_json(previous_model_file().read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return [str(name) for name in names] if isinstance(names, list) else []


def _remember(names: list[str]) -> None:
    write_text(previous_model_file(), json.dumps(names[-_MOST:], indent=1) + "\n")
