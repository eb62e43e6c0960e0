"""Files of a training's configuration: TOML for people, JSON for programs."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import tomli_w

from liverseg_gui.core.errors import LiverSegError, UnreadableFileError
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.system.atomic_write import write_text
from liverseg_gui.system.regular_file import read_text
from training.config.train_config import TrainConfig

SUFFIXES = (".toml", ".json")


def read_config_file(path: Path) -> TrainConfig:
    """The configuration in `path`; what it does not name is default.

    Raises:
        UnreadableFileError: it cannot be read, or is neither TOML nor JSON.
        LiverSegError: a setting is unknown, of another type or out of its range.
    """
    _suffix(path)
    try:
        text = read_text(path)
        values = tomllib.loads(text) if path.suffix.lower() == ".toml" else parse_json(text)
    except OSError as error:
        raise UnreadableFileError(
            f"{path} could not be read: {error.strerror}. Check the path and its permissions."
        ) from error
    except (ValueError, RecursionError) as error:
        raise UnreadableFileError(
            f"{path} is no recipe: {error}. The recipe.toml beside any training is one."
        ) from error
    try:
        return TrainConfig.from_json(values)
    except LiverSegError as error:
        raise type(error)(f"{path}: {error}") from error


def write_config_file(config: TrainConfig, path: Path) -> None:
    """Write every setting of `config` to `path`, .toml or .json.

    Raises:
        LiverSegError: another suffix.
        SaveError: it could not be written; what was there is as it was.
    """
    _suffix(path)
    values = config.to_json()
    if path.suffix.lower() == ".json":
        text = json.dumps(values, indent=1) + "\n"
    else:
        text = tomli_w.dumps(_without_none(values, TrainConfig().to_json()))
    write_text(path, text)


def _without_none(values: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    """`values` as TOML can say them, which knows no null: left out where that is the default."""
    return {
        name: False if value is None else value
        for name, value in values.items()
        if value is not None or usual[name] is not None
    }


def _suffix(path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES:
        raise LiverSegError(f"{path} is no recipe. A recipe ends in .toml or .json.")
