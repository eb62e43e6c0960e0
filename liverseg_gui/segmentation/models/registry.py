"""Registry of the models there are: the program's own, the user's, and those for all users.

A model is a folder with `weights.safetensors` and `card.json`; nothing else is ever read as one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Protocol

from liverseg_gui.core.errors import ModelError
from liverseg_gui.segmentation.models.card import CARD, WEIGHTS, ModelCard, name_problem, read_card
from liverseg_gui.segmentation.models.weights_file import (
    is_foreign_weights,
    read_shapes,
    why_refused,
)
from liverseg_gui.system import paths
from liverseg_gui.system.paths import DEFAULT_MODEL, data_folder, site_folder
from liverseg_gui.system.regular_file import open_regular

__all__ = [
    "CARD",
    "DEFAULT_MODEL",
    "WEIGHTS",
    "InstalledModel",
    "ModelCard",
    "ModelChoice",
    "ModelSource",
    "choose_model",
    "chosen_model",
    "find_installed",
    "find_model",
    "is_built_in",
    "list_models",
    "models_folder",
    "read_card",
    "read_weights",
    "user_models",
]


class ModelSource(Enum):
    """Where a model is from, in a word. Of two with one name the one that stands first is used."""

    BUILT_IN = "built-in"
    USER = "yours"
    SITE = "all users"


@dataclass(frozen=True)
class InstalledModel:
    """A folder among the program's models. Without a `card` it cannot be used; `problem` says why.

    `name` is that of the folder, whatever the card says.
    """

    name: str
    folder: Path
    place: ModelSource
    card: ModelCard | None
    problem: str = ""

    @property
    def built_in(self) -> bool:
        """Whether it came with the program."""
        return self.place is ModelSource.BUILT_IN

    @property
    def origin(self) -> str:
        """Where it is from, in a word."""
        return self.place.value

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
        """Use the model `name` from now on; "" is the one that is used where none is chosen."""
        ...


def user_models() -> Path:
    """Where models lie that the user added; it need not exist."""
    return models_folder(ModelSource.USER)


def models_folder(place: ModelSource) -> Path:
    """Where the models of a place lie; it need not exist."""
    if place is ModelSource.BUILT_IN:
        return paths.resource("models")
    return (data_folder() if place is ModelSource.USER else site_folder()) / "models"


def list_models() -> list[InstalledModel]:
    """All models: the program's by name, then the user's, then those for all users.

    One that cannot be used is listed with its problem.
    """
    owners: dict[str, ModelSource] = {}
    return [
        _installed(folder, place, owners.setdefault(folder.name.casefold(), place))
        for folder, place in _folders()
    ]


def find_installed(name: str, place: ModelSource | None = None) -> InstalledModel | None:
    """The installed model `name`, of one place alone if that is given.

    Capitals do not count, as on some systems' disks.
    """
    matching = [
        model
        for model in list_models()
        if model.name.casefold() == name.casefold() and place in (None, model.place)
    ]
    return matching[0] if matching else None  # the first one is the one that is used


def find_model(name: str = DEFAULT_MODEL) -> ModelCard:
    """The card of the model `name`: an installed one, or the path of a model folder.

    Raises:
        ModelError: there is none of that name, or it cannot be used.
    """
    model = find_installed(name)
    if model is not None and model.card is not None:
        return model.card
    if model is not None:
        raise ModelError(model.problem)
    if (Path(name) / CARD).is_file():
        return read_card(Path(name))
    if Path(name).is_dir():
        require_model_folder(Path(name))
    if Path(name).is_file():
        raise ModelError(_why_no_file(Path(name)))
    known = ", ".join(model.name for model in list_models()) or "none"
    raise ModelError(
        f"There is no model {name!r} (found: {known}). Choose another in the window "
        "(Segmentation > Models), with `liverseg models choose` or --model, or install the program "
        "again if its own model is missing."
    )


def chosen_model(settings: ModelChoice, override: str | None = None) -> str:
    """The name or folder of the model to use: the `override`, else the chosen one."""
    return override or settings.model or DEFAULT_MODEL


def choose_model(name: str, settings: ModelChoice) -> InstalledModel:
    """Use the installed model `name` from now on.

    Raises:
        ModelError: there is none of that name, or it cannot be used.
    """
    model = find_installed(name)
    if model is None:
        find_model(name)  # says what is wrong where it is no model at all
        raise ModelError(
            f"{name} is a folder and no installed model. Add it with `liverseg models add {name}`, "
            "or use it once with --model."
        )
    if model.card is None:
        raise ModelError(model.problem)
    settings.choose_model(model.name)
    return model


def read_weights(card: ModelCard) -> bytes:
    """The weights of `card`, checked against its checksum.

    Raises:
        ModelError: they are missing or not those the card describes.
    """
    try:
        with open_regular(card.weights) as file:
            data = file.read()
    except OSError as error:
        raise ModelError(f"The weights {card.weights} are missing.", _remedy(card)) from error
    if hashlib.sha256(data).hexdigest() != card.sha256:
        raise ModelError(
            f"The weights {card.weights} are damaged: their checksum is not the one on the card.",
            _remedy(card),
        )
    return data


def _remedy(card: ModelCard) -> str:
    """What to do about a model that is not whole, by where it lies."""
    folder = card.weights.parent
    if folder.is_relative_to(paths.resource("models")):
        return "Install the program again."
    if any(place == folder for place, _ in _folders()):
        return f"Remove the model {folder.name!r} and add it again."
    return f"Copy {folder} again from where it came."


def _folders() -> Iterator[tuple[Path, ModelSource]]:
    """Folders of models and their places."""
    for place in ModelSource:
        for folder in _inside(models_folder(place)):
            yield folder, place


def _inside(folder: Path) -> list[Path]:
    """The folders in `folder` but for hidden ones, which are half made; nothing where it cannot be
    read, as a network drive sometimes cannot."""
    try:
        inside = [path for path in folder.iterdir() if path.is_dir()]
        return sorted(path for path in inside if not path.name.startswith("."))
    except OSError:
        return []


def _installed(folder: Path, place: ModelSource, owner: ModelSource) -> InstalledModel:
    """The model in `folder`; `owner` is the place whose model of that name is used."""
    name = folder.name
    try:
        if place is not ModelSource.BUILT_IN:
            _require_free_name(folder, place, owner)
        card = replace(read_card(folder), name=name)
        read_shapes(card.weights)
    except ModelError as problem:
        return InstalledModel(name, folder, place, None, str(problem))
    return InstalledModel(name, folder, place, card)


def _require_free_name(folder: Path, place: ModelSource, owner: ModelSource) -> None:
    """Check the name of a folder that was put there by hand, or that another place has too.

    Raises:
        ModelError: it can be no model's, or is that of a model which is used in its place.
    """
    if problem := name_problem(folder.name):
        raise ModelError(f"{folder}: {problem}. Rename the folder.")
    if owner is ModelSource.BUILT_IN:
        raise ModelError(
            f"{folder} has the name of a model that comes with the program, which is used in its "
            "place. Rename the folder."
        )
    if owner is not place:
        raise ModelError(
            f"{folder} has the name of a model of yours, which is used in its place. Remove yours "
            "to use this one."
        )


def require_model_folder(path: Path) -> None:
    """Say what a folder is where it is no model.

    Raises:
        ModelError: it is none.
    """
    names = sorted(entry.name for entry in path.iterdir())
    missing = [name for name in (CARD, WEIGHTS) if not (path / name).is_file()]
    foreign = next((path / name for name in names if is_foreign_weights(Path(name))), None)
    if missing and foreign is not None:
        raise ModelError(why_refused(foreign))
    if missing and (path / "model" / CARD).is_file():
        raise ModelError(f"{path} is the folder of a training. The model is {path / 'model'}.")
    if missing:
        raise ModelError(
            f"{path} is no model: there is no {' and no '.join(missing)} in it. `liverseg train` "
            "writes a model folder, OUT/model."
        )


def _why_no_file(path: Path) -> str:
    if is_foreign_weights(path):
        return why_refused(path)
    return (
        f"{path} is a file and no model folder. A zip is added with `liverseg models add {path}`."
    )


def is_built_in(name: str) -> bool:
    """Whether a model that comes with the program has this name."""
    place = paths.resource("models")
    return any(folder.name.casefold() == name.casefold() for folder in place.glob("*"))
