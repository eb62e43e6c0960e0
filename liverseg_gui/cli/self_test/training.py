"""Self-test of a training: a tiny one, as a process of its own like from the window.

It trains fastai's own network, which needs the most of an installation: torchvision, too.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.phantom import PhantomSpec, make_phantom
from liverseg_gui.system.relaunch import own_command

if TYPE_CHECKING:
    from training.runs.training_job import TrainingJob

_CASES = 3


def train_tiny(folder: Path, longest_s: float) -> Path:
    """Train one epoch on small phantoms below `folder`: the folder of the model.

    Raises:
        LiverSegError: it failed, left something out, or took longer than `longest_s`.
    """
    from training.config.config_file import write_config_file
    from training.runs.files import EVENTS, HELD_OUT, RECIPE, REPORT
    from training.runs.folder import RunState, read_run

    left = (EVENTS, HELD_OUT, REPORT, RECIPE)  # as far as others read it
    job = _job(folder)
    job.out.mkdir()
    write_config_file(job.config, job.out / RECIPE)
    try:
        done = subprocess.run(
            own_command(*job.arguments(), "--json"),
            capture_output=True,
            text=True,
            timeout=longest_s,
        )
    except subprocess.TimeoutExpired:
        raise LiverSegError(f"The training was not done within {longest_s:.0f} s.") from None
    run = read_run(job.out)
    if done.returncode or run.state is not RunState.FINISHED or run.model is None:
        raise LiverSegError(f"The training ended as {run.state}: {run.message or done.stderr}")
    if missing := [name for name in left if not (job.out / name).is_file()]:
        raise LiverSegError(f"The training left no {', '.join(missing)}.")
    return run.model


def _job(folder: Path) -> TrainingJob:
    from training.config.field_of_view import FieldOfView
    from training.config.train_config import TrainConfig
    from training.data.selection import DataSelection
    from training.runs.training_job import TrainingJob

    config = TrainConfig(
        architecture="unet-resnet18",
        context=3,
        trunk=FieldOfView((64, 96), (64, 96)),
        liver=None,
        epochs=1,
        fine_tune_epochs=0,
        batch_size=4,
        precision="float32",
        device="cpu",
    )
    data = _write_cases(folder / "cases")
    selection = DataSelection(folders=(data,), folds=_CASES)
    return TrainingJob(
        out=folder / "training", data=selection, name="tiny", phantoms=0, config=config
    )


def _write_cases(folder: Path) -> Path:
    from liverseg_gui.cli.phantom import write_phantom

    for number in range(1, _CASES + 1):
        spec = PhantomSpec(number, (96, 96, 20), (4.0, 4.0, 10.0), (36.0,))
        write_phantom(make_phantom(spec), folder / f"p{number}")
    return folder
