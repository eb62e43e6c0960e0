"""run.json: request and state of a training, kept by its process."""

from __future__ import annotations

import contextlib
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from liverseg_gui.core.errors import LiverSegError, SaveError, UnreadableFileError
from liverseg_gui.system.atomic_write import write_read_text
from training.config.config_file import write_config_file
from training.runs.files import CHECKPOINT, RECIPE, RUN
from training.runs.folder import RunState, read_record
from training.runs.training_job import TrainingJob


class RunStateFile:
    """Writes run.json and recipe.toml of a training that begins, and its states.

    Where a checkpoint is gone on with, the job stays the one that made it.
    """

    def __init__(self, job: TrainingJob, command: str) -> None:
        """Begin.

        Raises:
            LiverSegError: the checkpoint there is of another configuration.
            SaveError: the folder cannot be written.
        """
        before = _job_before(job.out)
        _refuse_other_config(job, before)
        self._path = job.out / RUN
        self._values: dict[str, Any] = {
            "job": before or job.to_json(),
            "command": command,
            "pid": os.getpid(),
            "started": datetime.now().astimezone().isoformat(timespec="seconds"),
            "state": RunState.RUNNING,
            "message": "",
            "model": None,
        }
        self._write()  # first: without it, what else is there is taken for another's
        if not ((job.out / CHECKPOINT).exists() and (job.out / RECIPE).exists()):
            write_config_file(job.config, job.out / RECIPE)

    def enter(self, state: RunState, message: str = "", model: str | None = None) -> None:
        """The training is in `state` now, its `model` there; a full disk is no reason to stop."""
        self._values |= {"state": state, "message": message, "model": model}
        with contextlib.suppress(SaveError):
            self._write()

    def _write(self) -> None:
        write_read_text(self._path, json.dumps(self._values, indent=1) + "\n")


def _refuse_other_config(job: TrainingJob, before: dict[str, Any] | None) -> None:
    """`training.learner.checkpoint` refuses it, too, but only once all cases are read."""
    config = before and before.get("recipe")
    if config and config != json.loads(json.dumps(job.config.to_json())):
        raise LiverSegError(
            f"{job.out / CHECKPOINT} belongs to a training with other settings. Resume it with "
            f"those in {job.out / RECIPE}, or train into another folder."
        )


def _job_before(out: Path) -> dict[str, Any] | None:
    """The job whose checkpoint is there."""
    if not (out / CHECKPOINT).exists():
        return None
    try:
        job = read_record(out)["job"]
    except (UnreadableFileError, LookupError, TypeError):
        return None
    return job if isinstance(job, dict) else None
