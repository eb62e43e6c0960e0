"""A cohort on a Dask cluster: a task for each case, the model loaded once per worker process."""

from __future__ import annotations

import logging
import queue
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from liverseg_gui.cohort.result import CaseResult, CohortCase, failed
from liverseg_gui.cohort.run_case import CaseOptions, read_case, segment_case
from liverseg_gui.cohort.run_local import make_segmenter
from liverseg_gui.core.errors import LiverSegError, ModelError
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.models.registry import find_model
from liverseg_gui.segmentation.segmenter import Segmenter

_RETRIES = 2
_LOOK_EVERY_S = 0.2
_CONNECT_S = 10
_ONE_AT_A_TIME = threading.Lock()
"""The threads of a worker read cases at the same time; one segments, with the one model."""


def run_on_cluster(
    cases: tuple[CohortCase, ...], options: CaseOptions, address: str, progress: Progress
) -> Iterator[CaseResult]:
    """The results of `cases` as they come from the cluster whose scheduler is at `address`.

    A case whose worker dies is given to another one, as often as the scheduler allows.

    Raises:
        LiverSegError: Dask is not installed, or no scheduler answers.
        Cancelled: `progress` was cancelled; the workers finish the cases that they have begun.
    """
    total = len(cases)
    with _connected(address) as client:
        completed: queue.SimpleQueue[Any] = queue.SimpleQueue()
        waiting = {}
        run = f"liverseg-{uuid.uuid4().hex[:8]}"
        for case in cases:
            key = f"{run}-{case.name}"
            future = client.submit(run_case, case, options, key=key, pure=False, retries=_RETRIES)
            waiting[key] = (case, future)
            future.add_done_callback(completed.put)
        workers = 0
        try:
            while waiting:
                workers = workers or len(client.nthreads())
                where = "on the cluster" if workers else "waiting for workers"
                finished = total - len(waiting)
                progress.update(finished / total, f"{finished} of {total}, {where}")
                try:
                    future = completed.get(timeout=_LOOK_EVERY_S)
                except queue.Empty:
                    _require_connection(client, address)
                    continue
                case, _ = waiting.pop(future.key)
                yield result_of(case, future)
        finally:
            client.cancel([future for _, future in waiting.values()])


def run_case(case: CohortCase, options: CaseOptions) -> CaseResult:
    """The task: `case` done on this worker. Several threads of it read, one segments.

    Raises:
        ModelError: the model is missing here, or another one has its name.
    """
    prepared = read_case(case, options, Progress())
    if isinstance(prepared, CaseResult):
        return prepared
    with _ONE_AT_A_TIME:
        segmenter = _kept_segmenter(
            options.model, options.model_sha256, options.device, options.quality
        )
        return segment_case(case, segmenter, options, prepared=prepared)


@lru_cache(maxsize=1)
def _kept_segmenter(model: str, sha256: str, device: str, quality: str) -> Segmenter:
    """The segmenter of this process: the model is loaded for its first case alone."""
    if find_model(model).sha256 != sha256:
        raise ModelError(
            f"The model {model!r} on this worker is another one than where the cohort was "
            "started. Install the same version on all computers, or name the model by a folder "
            "that they share."
        )
    return make_segmenter(model, device, quality)


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    try:
        from distributed import Client
    except ImportError as problem:
        raise LiverSegError(
            "--scheduler needs Dask, which is not installed here. Install the program with its "
            "extra: pip install 'liverseg[dask]' (from a checkout: pip install -e '.[dask]')."
        ) from problem
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what it says is told here
    try:
        client = Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as problem:
        raise LiverSegError(
            f"No Dask scheduler answers at {address}. Start one with `dask scheduler` and give "
            "the address that it prints, e.g. tcp://10.0.0.1:8786."
        ) from problem
    with client:
        yield client


def _require_connection(client: Any, address: str) -> None:
    if client.status not in ("running", "connecting"):
        raise LiverSegError(
            f"The connection to the Dask scheduler at {address} is lost. What was finished is "
            "kept; start again to go on."
        )


def result_of(case: CohortCase, future: Any) -> CaseResult:
    """What the task gave; where it gave nothing, why."""
    from distributed import KilledWorker

    try:
        result: CaseResult = future.result()
    except KilledWorker:
        return failed(case, "Each worker that computed this case died, for want of memory perhaps.")
    except LiverSegError as problem:
        return failed(case, str(problem))
    except CancelledError:
        return failed(case, "The cluster gave the case up: does its scheduler still run?")
    except Exception as problem:
        return failed(case, f"The worker failed: {type(problem).__name__}: {problem}")
    return result
