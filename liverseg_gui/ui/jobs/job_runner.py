"""Work in the background: one job at a time, with progress, cancellation and errors."""

from __future__ import annotations

import logging
import queue
import threading
import time
import traceback
from collections.abc import Callable
from enum import Enum
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from liverseg_gui.core.errors import Cancelled, LiverSegError
from liverseg_gui.core.progress import Progress

Work = Callable[[Progress], Any]
_REPORT_SECONDS = 0.1
_LOG = logging.getLogger("liverseg.jobs")
_LOG.addHandler(logging.NullHandler())


class JobState(Enum):
    """Where a job is in its life."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(QObject):
    """One piece of work. All signals are emitted, and `state` changes, in the window's thread.

    `failed` carries a message and, for errors nobody foresaw, a traceback. Once it has ended it
    lets go of the work and of what was to be done with its result: they hold whole scans.
    """

    progressed = Signal(float, str)
    failed = Signal(str, str)
    cancelled = Signal()
    ended = Signal()
    _happened = Signal(object, object)

    def __init__(self, name: str, work: Work, on_success: Callable[[Any], None]) -> None:
        super().__init__()
        self.name = name
        self.state = JobState.WAITING
        self.forget: Callable[[Job], None] | None = None
        self.announce: Callable[[Job], None] | None = None
        self.started_at = time.monotonic()
        self._work: Work | None = work
        self._on_success: Callable[[Any], None] | None = on_success
        self.stays = False
        self._last_report = 0.0
        self._progress = Progress(self._report)
        self._happened.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def cancel(self) -> None:
        """Stop at the next progress report, or never start."""
        self._progress.cancel()

    def run(self) -> None:
        """Do the work in the calling thread."""
        self._happened.emit(JobState.RUNNING, None)
        try:
            self._progress.update(0.0, self.name)
            assert self._work is not None
            result = self._work(self._progress)
            if self._progress.cancelled:
                raise Cancelled
        except Cancelled:
            self._happened.emit(JobState.CANCELLED, None)
        except LiverSegError as error:
            _LOG.warning("%s: %s", self.name, error)
            self._happened.emit(JobState.FAILED, (str(error), ""))
        except Exception as error:
            _LOG.exception("%s failed", self.name)
            message = f"{type(error).__name__}: {error}"
            self._happened.emit(JobState.FAILED, (message, traceback.format_exc()))
        else:
            self._happened.emit(JobState.DONE, result)

    def _report(self, fraction: float, phase: str) -> None:
        now = time.monotonic()
        if now - self._last_report >= _REPORT_SECONDS or fraction >= 1:
            self._last_report = now
            self._happened.emit(None, (fraction, phase))

    def abandon(self) -> None:
        """Deliver nothing more: the window is closing."""
        self._work = self._on_success = self.announce = self.forget = None
        self.blockSignals(True)

    @Slot(object, object)
    def _deliver(self, state: JobState | None, value: Any) -> None:
        if state is None:
            self.progressed.emit(*value)
            return
        self.state = state
        if state is JobState.RUNNING:
            self.started_at = time.monotonic()
            if self.announce is not None:
                self.announce(self)
            return
        if state is JobState.DONE:
            if self._on_success is not None:
                self._on_success(value)
        elif state is JobState.FAILED:
            self.failed.emit(*value)
        else:
            self.cancelled.emit()
        if self.forget is not None:
            self.forget(self)
        self.ended.emit()
        self._work = self._on_success = self.announce = self.forget = None


class JobRunner(QObject):
    """Runs jobs one after another in a worker thread of its own. Lives in the window's thread."""

    job_started = Signal(object)
    became_idle = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._pending: list[Job] = []
        self._closed = False
        self._thread = threading.Thread(target=self._serve, name="liverseg-jobs", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether a job runs or waits."""
        return bool(self._pending)

    def submit(
        self, name: str, work: Work, on_success: Callable[[Any], None], cancellable: bool = True
    ) -> Job:
        """Queue `work`; `on_success` gets its result in the window's thread.

        What is not `cancellable` by the reader ends only with the window.
        """
        if self._closed:
            raise RuntimeError("the job runner was shut down")
        job = Job(name, work, on_success)
        job.announce, job.forget = self.job_started.emit, self._forget
        job.stays = not cancellable
        self._pending.append(job)
        self._queue.put(job)
        return job

    def cancel_all(self) -> None:
        """Cancel the running job and all that wait, but for those that are not to be cancelled."""
        for job in self._pending:
            if not job.stays:
                job.cancel()

    def shutdown(self, timeout_s: float = 5.0) -> bool:
        """Cancel everything, take no more, and wait; whether the worker has ended."""
        self._closed = True
        for job in self._pending:
            job.cancel()
        self._queue.put(None)
        self._thread.join(timeout_s)
        while self._pending:
            self._pending.pop().abandon()
        return not self._thread.is_alive()

    def _serve(self) -> None:
        while (job := self._queue.get()) is not None:
            job.run()
            del job  # what listens to it may hold a mask, and the next one may never come

    def _forget(self, job: Job) -> None:
        self._pending.remove(job)
        if not self._pending:
            self.became_idle.emit()
