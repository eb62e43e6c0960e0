"""Supervision of a training: folder lock, run record, events and commands.

`training.pipeline.train` trains; this is what lets a window, or a person who comes back the
next day, know how it is, and go on with it whatever happened.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from liverseg_gui.core.errors import Cancelled, LiverSegError, SaveError
from liverseg_gui.core.progress import Progress
from liverseg_gui.evaluation.case_metrics import CaseMetrics
from training.learner.distributed import processes
from training.pipeline.train import train
from training.runs.control import SentCommand, Stopped, clear_commands, last_command
from training.runs.event_reporter import EventReporter
from training.runs.events import EventFile, NextStep, Tell, end_event, read_events
from training.runs.files import CHECKPOINT, EVENTS
from training.runs.folder import RunState, held, make_folder, refuse_earlier
from training.runs.monitor import RunMonitor
from training.runs.observer import ObserverList, TrainingObserver
from training.runs.registry import register_run
from training.runs.state_file import RunStateFile
from training.runs.training_job import TrainingJob


def run_supervised(
    job: TrainingJob, command: str, progress: Progress, tell: Tell, resume: bool = False
) -> list[CaseMetrics]:
    """Carry out `job` in its folder, and return the metrics of the held-out patients.

    `tell` gets every event, as does events.jsonl in the folder. Of several processes the first does
    so alone; the others only train.

    Raises:
        LiverSegError: the data cannot be used, another process trains into the folder, or the
            training failed.
        Stopped: asked for in the folder (`training.runs.control`).
        Cancelled: asked for there, or through `progress`.
    """
    if not processes().leads:
        return train(job, progress, command=command, resume=resume)
    with supervised(job, command, progress, tell, resume) as run:
        return train(job, run.progress, command=command, resume=resume, observer=run.observer)


@dataclass(frozen=True)
class SupervisedRun:
    """What a training that is supervised reports to; `emit` takes events of another kind."""

    progress: Progress
    observer: TrainingObserver
    emit: Callable[..., None]


@contextlib.contextmanager
def supervised(
    job: TrainingJob, command: str, progress: Progress, tell: Tell, resume: bool = False
) -> Iterator[SupervisedRun]:
    """Lock the folder of `job` and record what is done in it.

    Raises:
        LiverSegError: the folder cannot be used; nothing in it was touched.
        Stopped: what is done was stopped, as asked for.
    """
    with contextlib.ExitStack() as stack:
        try:
            make_folder(job.out)
            # Before the lock: whoever sees the folder locked may send a command at once.
            earlier = last_command(job.out)
            stack.enter_context(held(job.out))
            refuse_earlier(job.out, resume)
            reporter, monitor = _begin(job, command, progress, tell, resume, earlier)
        except LiverSegError as error:
            tell(end_event("failed", error.message, error.remedy, error.action))
            raise
        stack.enter_context(_ending(monitor, job.out))
        observer = ObserverList(reporter, monitor)
        yield SupervisedRun(monitor.progress, observer, reporter.emit)


def _begin(
    job: TrainingJob,
    command: str,
    progress: Progress,
    tell: Tell,
    resume: bool,
    earlier: SentCommand | None,
) -> tuple[EventReporter, RunMonitor]:
    try:
        clear_commands(job.out, earlier)
    except OSError as error:
        raise SaveError(
            f"{job.out} could not be written: {error.strerror}. Choose another folder."
        ) from error
    record = RunStateFile(job, command)
    path = job.out / EVENTS
    before = read_events(path) if resume else []
    reporter = EventReporter(job.out, (EventFile(path, append=resume), tell))
    pauses = processes().count == 1
    monitor = RunMonitor(job.out, reporter.emit, record, progress, pauses)
    if before:
        reporter.mark_reported((e["stage"], e["epoch"]) for e in before if e["event"] == "epoch")
        reporter.emit("resumed")
    with contextlib.suppress(SaveError):  # a list that cannot be written is no reason to stop
        register_run(job.out)
    return reporter, monitor


@contextlib.contextmanager
def _ending(monitor: RunMonitor, out: Path) -> Iterator[None]:
    """Report and record how it ends, whatever the end is; only a kill leaves no record."""
    try:
        yield
    except (Cancelled, KeyboardInterrupt) as error:
        kept, action = _kept(out)
        if not monitor.stopping:
            monitor.end(RunState.CANCELLED, "Cancelled.", kept, action)
            raise
        monitor.end(RunState.STOPPED, "Stopped as asked.", kept, action)
        raise Stopped(f"Stopped as asked. {kept}") from error
    except LiverSegError as error:
        monitor.end(RunState.FAILED, error.message, error.remedy, error.action)
        raise
    except Exception as error:
        monitor.end(RunState.FAILED, f"Unexpected: {type(error).__name__}: {error}")
        raise
    monitor.end(RunState.FINISHED)


def _kept(out: Path) -> tuple[str, NextStep]:
    if (out / CHECKPOINT).exists():
        kept = "What was trained up to the last whole epoch is kept; go on with --resume."
        return kept, NextStep.RESUME
    return "No epoch was done yet; begin again with --resume.", NextStep.RESTART
