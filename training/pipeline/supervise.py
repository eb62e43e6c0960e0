"""A training run as a process of its own: locked, recorded, told, controlled.

`training.pipeline.train` trains; this is what lets a window, or a person who comes back the
next day, know how it is, and go on with it whatever happened.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from liverseg_gui.core.errors import Cancelled, LiverSegError, SaveError
from liverseg_gui.core.progress import Progress
from liverseg_gui.evaluation.case_metrics import CaseMetrics
from training.learner.distributed import processes
from training.pipeline.train import TrainRun, make_folder, refuse_earlier, run_training
from training.runs.control import SentCommand, Stopped, clear_commands, last_command
from training.runs.events import EventFile, NextStep, Tell, end_event, read_events
from training.runs.files import CHECKPOINT, EVENTS
from training.runs.folder import RunState, held
from training.runs.monitor import RunMonitor
from training.runs.registry import register_run
from training.runs.state_file import RunStateFile
from training.runs.training_job import TrainingJob


def run_supervised(
    job: TrainingJob, command: str, progress: Progress, tell: Tell, resume: bool = False
) -> list[CaseMetrics]:
    """Carry out `job` in its folder, and return the figures of the held-out patients.

    `tell` is told every event, as is events.jsonl in the folder. Of several processes the first
    does so alone; the others only train.

    Raises:
        LiverSegError: the data cannot be used, another process trains into the folder, or the
            training failed.
        Stopped: asked for in the folder (`training.runs.control`).
        Cancelled: asked for there, or through `progress`.
    """
    run = TrainRun.of(job, command)
    if not processes().leads:
        return run_training(run, progress, resume=resume)
    with supervised(job, command, progress, tell, resume) as watch:
        return run_training(run, watch.progress, watch.epoch, resume, watch.note, watch)


@contextlib.contextmanager
def supervised(
    job: TrainingJob, command: str, progress: Progress, tell: Tell, resume: bool = False
) -> Iterator[RunMonitor]:
    """Lock the folder of `job` and record what is done in it: a `RunMonitor` to train with.

    Raises:
        LiverSegError: the folder cannot be used; nothing in it was touched.
        Stopped: what is done was stopped, as asked for.
    """
    with contextlib.ExitStack() as stack:
        try:
            make_folder(job.out)
            earlier = last_command(job.out)  # who sees it locked may ask before it has begun
            stack.enter_context(held(job.out))
            refuse_earlier(job.out, resume)
            watch = _begin(job, command, progress, tell, resume, earlier)
        except LiverSegError as error:
            tell(end_event("failed", error.message, error.remedy, error.action))
            raise
        stack.enter_context(_ending(watch, job.out))
        yield watch


def _begin(
    job: TrainingJob,
    command: str,
    progress: Progress,
    tell: Tell,
    resume: bool,
    earlier: SentCommand | None,
) -> RunMonitor:
    try:
        clear_commands(job.out, earlier)
    except OSError as error:
        raise SaveError(
            f"{job.out} could not be written: {error.strerror}. Choose another folder."
        ) from error
    record = RunStateFile(job, command)
    path = job.out / EVENTS
    before = read_events(path) if resume else []
    tells = (EventFile(path, append=resume), tell)
    watch = RunMonitor(job.out, tells, record, progress, pauses=processes().count == 1)
    if before:
        watch.told_before((e["stage"], e["epoch"]) for e in before if e["event"] == "epoch")
        watch.tell("resumed")
    with contextlib.suppress(SaveError):  # a list that cannot be written is no reason to stop
        register_run(job.out)
    return watch


@contextlib.contextmanager
def _ending(watch: RunMonitor, out: Path) -> Iterator[None]:
    """Tell and record how it ends, whatever the end is; only a kill leaves no word."""
    try:
        yield
    except (Cancelled, KeyboardInterrupt) as error:
        kept, action = _kept(out)
        if not watch.stopping:
            watch.end(RunState.CANCELLED, "Cancelled.", kept, action)
            raise
        watch.end(RunState.STOPPED, "Stopped as asked.", kept, action)
        raise Stopped(f"Stopped as asked. {kept}") from error
    except LiverSegError as error:
        watch.end(RunState.FAILED, error.message, error.remedy, error.action)
        raise
    except Exception as error:
        watch.end(RunState.FAILED, f"Unexpected: {type(error).__name__}: {error}")
        raise
    watch.end(RunState.FINISHED)


def _kept(out: Path) -> tuple[str, NextStep]:
    if (out / CHECKPOINT).exists():
        kept = "What was trained up to the last whole epoch is kept; go on with --resume."
        return kept, NextStep.RESUME
    return "No epoch was done yet; begin again with --resume.", NextStep.RESTART
