"""A comparison in a process of its own: a window never loads torch."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.progress import Progress
from training.evaluation.model_comparison import Comparison, compare_run

_POLL_S = 0.1


def compare_run_apart(out: Path, other_model: str, progress: Progress) -> Comparison:
    """As `comparison.compare_run`, in a process that is ended when `progress` is cancelled.

    Raises:
        LiverSegError: as `compare_run`, or that process came to nothing.
        Cancelled: `progress` was cancelled; nothing was written.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_serve, args=(theirs, out, other_model), daemon=True)
    child.start()
    theirs.close()
    try:
        return _follow(ours, progress)
    except (EOFError, OSError) as error:
        raise LiverSegError(
            "The comparison ended unexpectedly, often for lack of memory. Close other programs "
            "and compare again."
        ) from error
    finally:
        child.kill()
        child.join()
        ours.close()


def _follow(pipe: Any, progress: Progress) -> Comparison:
    """What the process comes to; how far it is goes to `progress` meanwhile."""
    fraction, phase = 0.0, "Reading the held-out patients"
    while True:
        progress.update(fraction, phase)
        said = pipe.recv() if pipe.poll(_POLL_S) else None
        if isinstance(said, Comparison):
            return said
        if isinstance(said, str):
            raise LiverSegError(said)
        if said is not None:
            fraction, phase = said


def _serve(pipe: Any, out: Path, other_model: str) -> None:
    """In the process of its own: tell how far it is, then what came out or what went wrong."""
    told = Progress(lambda fraction, phase: pipe.send((fraction, phase)))
    try:
        pipe.send(compare_run(out, other_model, told))
    except LiverSegError as error:
        pipe.send(str(error))
