"""Which trainings go on on this computer, and what a second one is told."""

from __future__ import annotations

from pathlib import Path

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.ui.training_window.process.training_process import all_starting
from training.runs.registry import known_runs


class BusyError(LiverSegError):
    """Another training runs: the one in `out`."""

    def __init__(self, name: str, state: str, out: Path) -> None:
        super().__init__(
            f'The training "{name}" is {state} on this computer. Two at once would be slower than '
            "one after the other, and may run out of memory: wait for it, or end it first."
        )
        self.out = out


def refuse_second() -> None:
    """Refuse to start a training beside another one, whoever started that.

    Those that are only starting are asked first: they are known to run as soon as they are not.

    Raises:
        BusyError: one runs already, is paused, or was started here and is not known to run yet.
    """
    for process in all_starting():
        raise BusyError(process.job.name, "starting", process.out)
    for run in known_runs():
        if run.active:
            raise BusyError(run.name, run.state, run.out)
