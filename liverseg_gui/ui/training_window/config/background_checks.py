"""Work of the configuration page in a child process."""

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
"""Arguments of `liverseg` for a configuration and a run folder, which holds it as recipe.toml."""


def run_in_child(
    child: KeptChild, work: Callable[[Progress], Result], progress: Progress
) -> Result:
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


def run_in_new_child(work: Callable[[Progress], Result], progress: Progress) -> Result:
    """The same in a process for this alone, which frees the GPU memory when it ends."""
    with contextlib.closing(KeptChild()) as child:
        return run_in_child(child, work, progress)


def with_config_file(command: CommandOf, config: TrainConfig, folder: Path) -> Sequence[str]:
    """The command for a run in `folder`, with the configuration written where it looks for it."""
    write_config_file(config, folder / RECIPE)
    return command(config, folder)
