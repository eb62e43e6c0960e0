"""What the recipe page has others do: a process of its own, or the `liverseg` command."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.progress import Progress
from liverseg_gui.system.child_process import KeptChild
from training.config.config_file import write_config_file
from training.config.train_config import TrainConfig
from training.runs.files import RECIPE

Result = TypeVar("Result")
CommandOf = Callable[[TrainConfig, Path], Sequence[str]]
"""What follows `liverseg` for a recipe and a run folder; the recipe is FOLDER/recipe.toml."""


def apart(child: KeptChild, work: Callable[[Progress], Result], progress: Progress) -> Result:
    """What `work` returns or raises in `child`: torch is never loaded into the window's process,
    where on some systems it does not go together with OpenGL.

    Raises:
        LiverSegError: `work` raised it, or the process ended unexpectedly.
        Cancelled: `progress` was cancelled.
    """
    died = LiverSegError(
        "It could not be looked up: the process that does it ended unexpectedly, often for lack "
        "of memory. Close other programs and try again."
    )
    return child.call(work, progress, "Starting", died)


def apart_once(work: Callable[[Progress], Result], progress: Progress) -> Result:
    """The same in a process for this alone, which gives back what it took of a GPU."""
    with contextlib.closing(KeptChild()) as child:
        return apart(child, work, progress)


def with_config_file(command: CommandOf, config: TrainConfig, folder: Path) -> Sequence[str]:
    """The command for a run in `folder`, with the recipe written where it looks for it."""
    write_config_file(config, folder / RECIPE)
    return command(config, folder)
