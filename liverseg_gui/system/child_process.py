"""Processes of this program that do one thing apart, and the pipe to them."""

from __future__ import annotations

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
from liverseg_gui.system.crash_report import crash_file, last_words

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
        words = last_words(self.process.pid or 0)
        self.process.close()
        self.pipe.close()
        return words


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


def call_in_child(
    work: Callable[[Progress], Result], progress: Progress, phase: str, died: LiverSegError
) -> Result:
    """What `work` returns or raises in a fresh process; starting one takes seconds with torch.

    `work` and its result are pickled: it is a function of a module, or a `partial` of one.
    `progress` is in `phase` until `work` tells of another; where it is cancelled, the process is
    killed.

    Raises:
        LiverSegError: `work` raised it; the class is kept. Or `died`, with what is known in a note,
            where the process ended or `work` failed in a way that nobody foresaw.
        Cancelled: `progress` was cancelled.
    """
    child = start_child(_serve, work, name="liverseg-call")
    try:
        kind, value = _answer(child.pipe, progress, phase)
    finally:
        words = child.end()
    if kind == "done":
        return value
    if kind == "failed":
        raise value
    _LOG.error("%s\n%s", died, words or value)
    died.add_note(words or value)
    raise died


def _answer(pipe: Connection, progress: Progress, phase: str) -> tuple[str, Any]:
    """What the process says in the end: "done", "failed" or "broken", and the value of it."""
    fraction = 0.0
    while True:
        progress.update(fraction, phase)
        try:
            if not pipe.poll(POLL_S):
                continue
            kind, value = pipe.recv()
        except (EOFError, OSError):
            return "broken", "It ended without a word."
        if kind != "progress":
            return kind, value
        fraction, phase = value


@crash_file()
def _serve(pipe: Connection, work: Callable[[Progress], object]) -> None:
    """The child: tell how far it is, then what came out or what went wrong."""
    progress = Progress(lambda fraction, phase: pipe.send(("progress", (fraction, phase))))
    try:
        pipe.send(("done", work(progress)))
    except LiverSegError as error:
        pipe.send(("failed", error))
    except Exception:
        pipe.send(("broken", traceback.format_exc()))
