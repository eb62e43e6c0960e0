"""A cohort on this computer: one case after the other, the next one read ahead."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait

from liverseg_gui.cohort.find_scans import Cohort
from liverseg_gui.cohort.result import CaseResult, CohortCase
from liverseg_gui.cohort.run_case import CaseOptions, Prepared, read_case, segment_case
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.segmentation.segmenter import Segmenter

_GRACE_S = 0.4


def make_segmenter(model: str, device: str, quality: str) -> Segmenter:
    """The segmenter that all cases share; the model is read at its first use.

    Raises:
        LiverSegError: there is no such model or no such device.
    """
    from liverseg_gui.segmentation.inference import NetworkSegmenter
    from liverseg_gui.segmentation.runtime.base import pick_device

    pick_device(device)
    return NetworkSegmenter(model, device, quality)


def run_here(
    cohort: Cohort,
    options: CaseOptions,
    progress: Progress,
    make: Callable[[str, str, str], Segmenter] = make_segmenter,
) -> Iterator[CaseResult]:
    """The result of each case, as soon as it is there.

    No more than two scans are in memory: the one that is segmented and the next. The segmenter is
    made for the first case that needs it.

    Raises:
        LiverSegError: no case can be segmented: there is no such device, the model is damaged.
        Cancelled: `progress` was cancelled.
    """
    kept: list[Segmenter] = []

    def segment(n: int, case: CohortCase, volume: Volume) -> CaseResult:
        if not kept:
            kept.append(make(options.model, options.device, options.quality))
        shown = _shown(progress, n, len(cohort.cases), case)
        return segment_case(case, kept[0], options, shown, volume)

    # This thread only waits, so that Ctrl+C reaches it whatever a library is busy with.
    worker = ThreadPoolExecutor(1, "segment")
    try:
        for n, (case, prepared) in enumerate(_read_ahead(cohort, options, progress)):
            if isinstance(prepared, CaseResult):
                yield prepared
            else:
                future = worker.submit(segment, n, case, prepared)
                del prepared  # else a third scan would be in memory
                yield _waited_for(future)
                del future
    finally:
        worker.shutdown(wait=False, cancel_futures=True)


def _waited_for(future: Future[CaseResult]) -> CaseResult:
    """What `future` gives; interrupted, it is given a moment to put its files in order."""
    try:
        return future.result()
    except KeyboardInterrupt:
        wait([future], _GRACE_S)
        raise


def _read_ahead(
    cohort: Cohort, options: CaseOptions, progress: Progress
) -> Iterator[tuple[CohortCase, Prepared]]:
    """Each case with its volume; the next is read while the present one is being used."""
    waited_for = threading.Event()

    def start(n: int) -> Future[Prepared]:
        case = cohort.cases[n]
        shown = _shown(progress, n, len(cohort.cases), case)
        part = Progress(lambda f, phase: _update(shown, f * 0.1, phase))
        return _in_thread(lambda: read_case(case, options, part, cohort.entries.get(case.name)))

    def _update(shown: Progress, fraction: float, phase: str) -> None:
        """Draw only what is waited for; look for a cancellation always."""
        if waited_for.is_set():
            shown.update(fraction, phase)
        elif progress.cancelled:
            progress.update(0.0, "")

    following = start(0) if cohort.cases else None
    for n, case in enumerate(cohort.cases):
        assert following is not None  # there is one for each case
        waited_for.set()
        prepared = following.result()
        waited_for.clear()
        following = start(n + 1) if n + 1 < len(cohort.cases) else None
        yield case, prepared
        del prepared


def _shown(progress: Progress, n: int, total: int, case: CohortCase) -> Progress:
    """The part of `progress` that is case `n`, with its number and name before each phase."""
    return Progress(
        lambda fraction, phase: progress.update(
            (n + fraction) / total, f"{n + 1} of {total}, {case.name}: {phase}"
        )
    )


def _in_thread(work: Callable[[], Prepared]) -> Future[Prepared]:
    """Do `work` in a thread that does not keep the program from ending."""
    future: Future[Prepared] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as problem:
            future.set_exception(problem)

    threading.Thread(target=run, name="read ahead", daemon=True).start()
    return future
