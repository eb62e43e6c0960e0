"""Processes that the window starts, and how they are cancelled."""

from __future__ import annotations

import sys

from liverseg_gui.ui.training_window.process.training_process import cancel_training, start_process
from tests.ui.training_window.stage import Stage
from training.runs.control import RunCommand, read_command
from training.runs.folder import held, read_run
from training.runs.state_file import RunStateFile

_WAITS = (sys.executable, "-c", "import time; time.sleep(1500)")


def test_one_that_goes_on_with_a_killed_training_is_cancelled_before_it_has_begun(
    stage: Stage,
) -> None:
    job = stage.job()
    RunStateFile(job, "liverseg train")  # says that it runs, as one that was killed does
    process = start_process(job, resume=True, command=_WAITS)
    with held(job.out):  # as it does itself once it is loaded
        assert read_run(job.out).active
        cancel_training(job.out)
    stage.until(lambda: not process.alive)
    assert read_command(job.out) is RunCommand.GO
