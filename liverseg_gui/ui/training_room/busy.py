"""Which trainings go on on this computer, and what a second one is told. Free of Qt."""

from __future__ import annotations

from liverseg_gui.core.errors import LiverSegError
from training.run_folder import RunRecord
from training.runs import known_runs


class BusyError(LiverSegError):
    """Another training runs: it is `run`."""

    def __init__(self, run: RunRecord) -> None:
        super().__init__(
            f'The training "{run.name}" is {run.state} on this computer. Two at once would be '
            "slower than one after the other and may run out of memory: wait for it, or end it."
        )
        self.run = run


def active_run() -> RunRecord | None:
    """A training that runs or is paused, whoever started it."""
    return next((run for run in known_runs() if run.active), None)


def refuse_second() -> None:
    """Refuse to start a training beside another one.

    Raises:
        BusyError: one runs already.
    """
    run = active_run()
    if run is not None:
        raise BusyError(run)
