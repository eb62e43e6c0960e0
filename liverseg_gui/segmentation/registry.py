"""Which models there are: those that come with the program, and those that were added.

A model is a folder with `weights.safetensors` and `card.json`; nothing else is ever read as one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from liverseg_gui.core import resources
from liverseg_gui.core.errors import ModelError
from liverseg_gui.core.places import data_folder
from liverseg_gui.core.resources import DEFAULT_MODEL
from liverseg_gui.segmentation.model_card import CARD, WEIGHTS, ModelCard, name_problem, read_card
from liverseg_gui.segmentation.weights_file import is_foreign_weights, read_shapes, why_refused

__all__ = [
    "CARD",
    "DEFAULT_MODEL",
    "WEIGHTS",
    "InstalledModel",
    "ModelCard",
    "ModelChoice",
    "choose_model",
    "chosen_model",
    "find_installed",
    "find_model",
    "is_built_in",
    "list_models",
    "read_card",
    "read_weights",
    "user_models",
]


@dataclass(frozen=True)
class InstalledModel:
    """A folder among the program's models. Without a `card` it cannot be used; `problem` says why.

    `name` is that of the folder, whatever the card says.
    """

    name: str
    folder: Path
    built_in: bool
    card: ModelCard | None
    problem: str = ""

    @property
    def origin(self) -> str:
        """Where it is from, in a word."""
        return "built-in" if self.built_in else "yours"

    @property
    def weights_bytes(self) -> int:
        """How large its weights are on disk."""
        try:
            return (self.folder / WEIGHTS).stat().st_size
        except OSError:
            return 0


class ModelChoice(Protocol):
    """What remembers the chosen model: the settings."""

    @property
    def model(self) -> str:
        """The name or folder of the chosen model."""
        ...

    def choose_model(self, name: str) -> None:
        """Use the model `name` from now on."""
        ...


def user_models() -> Path:
    """Where models lie that were added; it need not exist."""
    return data_folder() / "models"


def list_models() -> list[InstalledModel]:
    """All models: the program's by name, then those that were added.

    One that cannot be used is listed with its problem.
    """
    return [_installed(folder, built_in) for folder, built_in in _folders()]


def find_installed(name: str) -> InstalledModel | None:
    """The installed model `name`; capitals do not count, as on some systems' disks."""
    wanted = [model for model in list_models() if model.name.casefold() == name.casefold()]
    return wanted[0] if wanted else None  # the program's own comes first


def find_model(name: str = DEFAULT_MODEL) -> ModelCard:
    """The card of the model `name`: an installed one, or the path of a model folder.

    Raises:
        ModelError: there is none of that name, or it cannot be used.
    """
    found = find_installed(name)
    if found is not None and found.card is not None:
        return found.card
    if found is not None:
        raise ModelError(found.problem)
    if (Path(name) / CARD).is_file():
        return read_card(Path(name))
    if Path(name).is_file():
        raise ModelError(_why_no_file(Path(name)))
    known = ", ".join(model.name for model in list_models()) or "none"
    raise ModelError(
        f"There is no model {name!r} (found: {known}). Choose another in the window "
        "(Segmentation > Models), with `liverseg models choose` or --model, or install the program "
        "again if its own model is missing."
    )


def chosen_model(settings: ModelChoice, wish: str | None = None) -> str:
    """The name or folder of the model to use: the `wish` of a command line, else the chosen one."""
    return wish or settings.model or DEFAULT_MODEL


def choose_model(name: str, settings: ModelChoice) -> InstalledModel:
    """Use the installed model `name` from now on.

    Raises:
        ModelError: there is none of that name, or it cannot be used.
    """
    found = find_installed(name)
    if found is None:
        find_model(name)  # says what is wrong where it is no model at all
        raise ModelError(
            f"{name} is a folder and no installed model. Add it with `liverseg models add {name}`, "
            "or use it once with --model."
        )
    if found.card is None:
        raise ModelError(found.problem)
    settings.choose_model(found.name)
    return found


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


def _folders() -> Iterator[tuple[Path, bool]]:
    """Folders of models and whether they came with the program; hidden ones are half made."""
    for place, built_in in ((resources.path("models"), True), (user_models(), False)):
        if place.is_dir():
            for folder in sorted(place.iterdir()):
                if folder.is_dir() and not folder.name.startswith("."):
                    yield folder, built_in


def _installed(folder: Path, built_in: bool) -> InstalledModel:
    name = folder.name
    try:
        if not built_in:
            _require_free_name(folder)
        card = replace(read_card(folder), name=name)
        read_shapes(card.weights)
    except ModelError as problem:
        return InstalledModel(name, folder, built_in, None, str(problem))
    return InstalledModel(name, folder, built_in, card)


def _require_free_name(folder: Path) -> None:
    """Check the name of a folder that someone put there by hand.

    Raises:
        ModelError: it can be no model's, or is that of a model of the program.
    """
    if problem := name_problem(folder.name):
        raise ModelError(f"{folder}: {problem}. Rename the folder.")
    if is_built_in(folder.name):
        raise ModelError(
            f"{folder} has the name of a model that comes with the program, which is used in its "
            "place. Rename the folder."
        )


def _why_no_file(path: Path) -> str:
    if is_foreign_weights(path):
        return why_refused(path)
    return (
        f"{path} is a file and no model folder. A zip is added with `liverseg models add {path}`."
    )


def is_built_in(name: str) -> bool:
    """Whether a model that comes with the program has this name."""
    place = resources.path("models")
    return any(folder.name.casefold() == name.casefold() for folder in place.glob("*"))
