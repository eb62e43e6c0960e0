"""Follower of a training by the files in its folder."""

from __future__ import annotations

from pathlib import Path

from liverseg_gui.ui.training_window.process.run_progress import RunProgress
from liverseg_gui.ui.training_window.process.training_process import RunProcess
from training.runs.control import RunCommand, read_command
from training.runs.events import EventTail
from training.runs.files import EVENTS
from training.runs.folder import RunRecord, read_run


class RunFollower:
    """`read_state` is called again and again; it never waits.

    Where `process` was just started, what an earlier process left in the folder is not its state:
    it is starting until it wrote its own record, and died if it is gone before that.
    """

    def __init__(self, out: Path, process: RunProcess | None = None) -> None:
        self.out = out
        self.progress = RunProgress()
        self.record: RunRecord | None = None
        self.starting = process is not None
        self.died = ""
        """Why the process ended before it wrote its record."""
        self._process = process
        self._tail = EventTail(out / EVENTS)

    @property
    def command(self) -> RunCommand:
        """The command that the training has not carried out yet, or to go on."""
        return read_command(self.out)

    @property
    def behind(self) -> bool:
        """Whether there are more events than are read yet."""
        return self._tail.behind

    def read(self) -> bool:
        """Read the new events; whether there were any."""
        events = self._tail.read()
        if self._tail.begun_anew:
            self.progress = RunProgress()
        for event in events:
            self.progress.add(event)
        return bool(events) or self._tail.begun_anew

    def read_state(self) -> None:
        """Read the present state of the training.

        Raises:
            UnreadableFileError: the folder holds no training any more.
        """
        if self.starting:
            self._read_start()
        elif not self.died or self._restarted_elsewhere:
            self.died = ""
            self.record = read_run(self.out)

    @property
    def _restarted_elsewhere(self) -> bool:
        """Whether another process has recorded itself since the one that died."""
        return self._process is not None and self._process.recorded

    def _read_start(self) -> None:
        assert self._process is not None
        gone = not self._process.alive  # asked first: what it wrote last is there then
        if self._process.recorded:
            self.starting = False
            self.record = read_run(self.out)
        elif gone:
            self.starting = False
            self.died = self._process.exit_reason
