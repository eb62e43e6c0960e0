"""What the recipe page has done elsewhere: in a thread, or by the `liverseg` command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from liverseg_gui.core.progress import Progress
from training.config.config_file import write_config_file
from training.config.train_config import TrainConfig
from training.planning.devices import device_problems, imagenet_problem, usual_device
from training.runs.files import RECIPE

CommandOf = Callable[[TrainConfig, Path], Sequence[str]]
"""What follows `liverseg` for a recipe and a run folder; the recipe is FOLDER/recipe.toml."""


def offers_here(_: Progress) -> tuple[str, dict[str, str]]:
    """The device that is taken by itself, and why others are not there."""
    return usual_device(), device_problems()


def check_weights(path: Path, _: Progress) -> None:
    """Read the encoder weights in `path`.

    Raises:
        ModelError: there are none; says why.
    """
    from training.learner.pretrained_weights import read_encoder_weights

    read_encoder_weights(path)


def imagenet_here(architecture: str, _: Progress) -> str:
    """Why ImageNet's weights are not to be had here, or nothing."""
    return imagenet_problem(architecture)


def with_config_file(command: CommandOf, config: TrainConfig, folder: Path) -> Sequence[str]:
    """The command for a run in `folder`, with the recipe written where it looks for it."""
    write_config_file(config, folder / RECIPE)
    return command(config, folder)
