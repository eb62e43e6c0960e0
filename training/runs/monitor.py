"""Progress, time left and commands of a training, from inside its process."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from liverseg_gui.core.progress import Progress
from training.runs.control import RunCommand, read_command
from training.runs.epoch_log import EpochResult
from training.runs.events import end_event
from training.runs.folder import RunState
from training.runs.observer import Plan, TrainingObserver
from training.runs.resource_usage import ResourceUsage
from training.runs.state_file import RunStateFile

PAUSED = "Paused"
_REPORT_S, _POLL_S = 1.0, 0.2


class EtaEstimator:
    """Counts epochs. A stage lasts as long as its own epochs did, else as those of the others."""

    def __init__(self) -> None:
        self._stages: tuple[tuple[str, int], ...] = ()
        self._seconds: dict[str, dict[int, float]] = defaultdict(dict)

    def plan(self, stages: Sequence[tuple[str, int]]) -> None:
        """The stages of the training: (name, epochs)."""
        self._stages = tuple(stages)

    def done(self, result: EpochResult) -> None:
        """An epoch is done; one that is done again counts once."""
        self._seconds[result.stage][result.epoch] = result.seconds

    def seconds(self, within: float) -> float | None:
        """Seconds from now to the end of the last epoch; None before the first one's end.

        `within` seconds were trained since the end of the last epoch. An epoch that takes longer
        than the ones before it is taken to end now.
        """
        every = [value for known in self._seconds.values() for value in known.values()]
        if not every:
            return None
        total, current = 0.0, True
        for name, epochs in self._stages:
            known = self._seconds.get(name) or {}
            own = list(known.values()) or every
            each = sum(own) / len(own)
            for _ in range(epochs - max(known, default=0) if not self._ended(name) else 0):
                total += max(each - within, 0.0) if current else each
                current = False
        return total

    def _ended(self, name: str) -> bool:
        """Whether a later stage has begun: early stopping leaves epochs out."""
        names = [stage for stage, _ in self._stages]
        return any(self._seconds.get(later) for later in names[names.index(name) + 1 :])


class RunMonitor(TrainingObserver):
    """Reports how far a training is, and obeys the commands in `out` at each batch.

    The training reports to `progress`, which passes it on to `outer`; `emit` takes the
    events. `stopping` is set where it is cancelled because a stop was asked for. Of several
    processes none can pause: `pauses` is False.
    """

    def __init__(
        self,
        out: Path,
        emit: Callable[..., None],
        record: RunStateFile,
        outer: Progress,
        pauses: bool = True,
    ) -> None:
        self._out, self._emit = out, emit
        self._record, self._pauses = record, pauses
        self.progress = outer.tee(self._report)
        self.stopping = False
        self._usage, self._eta = ResourceUsage(), EtaEstimator()
        self._in_epochs = False
        self._model: str | None = None
        self._case: str | None = None
        self._emitted_s, self._since_s = float("-inf"), time.monotonic()

    def start(self, plan: Plan) -> None:
        """See `TrainingObserver.start`."""
        self._eta.plan(plan.stages)
        self._in_epochs, self._since_s = True, time.monotonic()

    def resumed(self, epochs: Sequence[EpochResult]) -> None:
        """See `TrainingObserver.resumed`."""
        for result in epochs:
            self._eta.done(result)

    def epoch(self, result: EpochResult) -> None:
        """See `TrainingObserver.epoch`: the place to stop."""
        self._eta.done(result)
        self._since_s = time.monotonic()
        if read_command(self._out) is RunCommand.STOP:
            self._stop()

    def trained(self) -> None:
        """See `TrainingObserver.trained`."""
        self._in_epochs = False

    def model(self, folder: Path) -> None:
        """See `TrainingObserver.model`."""
        self._model = folder.relative_to(self._out).as_posix()

    def works_on(self, case: str | None) -> None:
        """See `TrainingObserver.works_on`: part of the events of progress."""
        self._case = case

    def end(self, state: RunState, reason: str = "", remedy: str = "", action: str = "") -> None:
        """Record and report how the training ended, and what may be done now."""
        event = end_event(state.value, reason, remedy, action, self._case, self._model)
        self._record.enter(state, event["message"], self._model)
        self._emit(**event)

    def _report(self, fraction: float, phase: str) -> None:
        if time.monotonic() - self._emitted_s >= _REPORT_S:
            self._emit_progress(fraction, phase)
        command = read_command(self._out)
        if command is RunCommand.PAUSE and self._pauses:
            command = self._pause(fraction)
        if command is RunCommand.CANCEL:
            self.progress.cancel()
        elif command is RunCommand.STOP and not self._in_epochs:
            self._stop()  # no epoch is under way that could be finished first

    def _stop(self) -> None:
        self.stopping = True
        self.progress.cancel()

    def _pause(self, fraction: float) -> RunCommand:
        """Wait until there is another command; returns that."""
        self._emit("paused")
        self._record.enter(RunState.PAUSED)
        self._emit_progress(fraction, PAUSED)
        began = time.monotonic()
        while (
            command := read_command(self._out)
        ) is RunCommand.PAUSE and not self.progress.cancelled:
            time.sleep(_POLL_S)
        self._since_s += time.monotonic() - began
        self._record.enter(RunState.RUNNING)
        self._emit("resumed")
        return command

    def _emit_progress(self, fraction: float, phase: str) -> None:
        self._emitted_s = time.monotonic()
        within = self._emitted_s - self._since_s
        eta_s = self._eta.seconds(within) if self._in_epochs else None
        self._emit(
            "progress",
            fraction=round(fraction, 4),
            phase=phase,
            case=self._case,
            eta_s=None if eta_s is None else round(eta_s, 1),
            **self._usage.read(),
        )
