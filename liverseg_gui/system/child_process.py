"""Child processes of this program, and the pipes to them."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.progress import Progress
from liverseg_gui.system.crash_report import crash_file, take_crash_report

POLL_S = 0.05
_LOG = logging.getLogger("liverseg.process")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Child:
    """A process that runs, and this end of the pipe to it."""

    process: BaseProcess
    pipe: Connection

    def end(self) -> str:
        """Kill it, if it still runs, and close the pipe; what it wrote if it crashed, or ""."""
        self.process.kill()
        self.process.join()
        report = take_crash_report(self.process.pid or 0)
        self.process.close()
        self.pipe.close()
        return report


def start_child(serve: Callable[..., None], *arguments: object, name: str) -> Child:
    """Start a fresh process that calls `serve(pipe, *arguments)`; it ends with this one.

    Nothing is waited for. `serve` is a function of a module, and `arguments` are pickled.
    """
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, *arguments), name=name, daemon=True)
    process.start()
    theirs.close()
    return Child(process, pipe)


class KeptChild:
    """A process that does one thing after another, and keeps what it has loaded meanwhile.

    It is started by the first call, and anew after one that was cancelled or came to nothing.
    """

    def __init__(self) -> None:
        self._child: Child | None = None

    def call(
        self,
        work: Callable[[Progress], Result],
        progress: Progress,
        phase: str,
        died: LiverSegError,
    ) -> Result:
        """What `work` returns or raises there. One call at a time.

        `work` and its result are pickled: it is a function of a module, or a `partial` of one.
        `progress` is in `phase` until `work` reports another; where it is cancelled, the process
        is killed.

        Raises:
            LiverSegError: `work` raised it; the class is kept. Or `died`, with what is known in a
                note, where the process ended or `work` failed in a way that nobody foresaw.
            Cancelled: `progress` was cancelled.
        """
        if self._child is None or not self._child.process.is_alive():
            self.close()
            self._child = start_child(_serve, name="liverseg-call")
        try:
            kind, value = _answer(self._child.pipe, work, progress, phase)
        except BaseException:
            self.close()
            raise
        if kind == "done":
            return value
        if kind == "failed":
            raise value
        report = self.close() or value
        _LOG.error("%s\n%s", died, report)
        died.add_note(report)
        raise died

    def close(self) -> str:
        """End the process, from any thread; what it wrote if it crashed, or nothing."""
        child, self._child = self._child, None
        return child.end() if child is not None else ""


def call_in_child(
    work: Callable[[Progress], Result], progress: Progress, phase: str, died: LiverSegError
) -> Result:
    """As `KeptChild.call`, in a process for this alone; with torch it takes seconds to start."""
    with contextlib.closing(KeptChild()) as child:
        return child.call(work, progress, phase, died)


def _answer(pipe: Connection, work: object, progress: Progress, phase: str) -> tuple[str, Any]:
    """What the process says in the end: "done", "failed" or "broken", and the value of it."""
    fraction = 0.0
    try:
        pipe.send(work)
        while True:
            progress.update(fraction, phase)
            if not pipe.poll(POLL_S):
                continue
            kind, value = pipe.recv()
            if kind != "progress":
                return kind, value
            fraction, phase = value
    except (EOFError, OSError):
        return "broken", "It ended without a word."


@crash_file()
def _serve(pipe: Connection) -> None:
    """The child: do what comes through the pipe, until it is closed."""
    while True:
        try:
            work = pipe.recv()
        except EOFError:
            return
        _do(work, pipe)


def _do(work: Callable[[Progress], object], pipe: Connection) -> None:
    """Tell how far it is, then what came out or what went wrong."""
    progress = Progress(lambda fraction, phase: pipe.send(("progress", (fraction, phase))))
    try:
        pipe.send(("done", work(progress)))
    except LiverSegError as error:
        pipe.send(("failed", error))
    except Exception:
        pipe.send(("broken", traceback.format_exc()))
