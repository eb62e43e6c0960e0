from __future__ import annotations

import threading
import weakref
from dataclasses import replace
from pathlib import Path

import pytest

from liverseg_gui.cohort.find_scans import Cohort, find_cases
from liverseg_gui.cohort.result import ALREADY, Status
from liverseg_gui.cohort.run_case import CaseOptions
from liverseg_gui.cohort.run_local import run_here
from liverseg_gui.core.errors import Cancelled, SegmentationError
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.entries import ShowPreview, VolumeEntry
from liverseg_gui.segmentation.segmenter import Segmentation, Segmenter
from tests.cohort.conftest import Threshold
from tests.conftest import WAIT_S


class Readers:
    """Watches what is read: which cases were begun, and how many volumes are in memory."""

    def __init__(self, cohort: Cohort) -> None:
        self.begun: list[str] = []
        self.was_read = {case.name: threading.Event() for case in cohort.cases}
        self.volumes: list[weakref.ref[Volume]] = []
        entries = {name: self._watched(name, e) for name, e in cohort.entries.items()}
        self.cohort = replace(cohort, entries=entries)

    def _watched(self, name: str, entry: VolumeEntry) -> VolumeEntry:
        def read(progress: Progress, preview: ShowPreview | None = None) -> Volume:
            self.begun.append(name)
            volume = entry.read(progress, preview)
            self.volumes.append(weakref.ref(volume))
            self.was_read[name].set()
            return volume

        return replace(entry, reader=read)

    def alive(self) -> int:
        return sum(volume() is not None for volume in self.volumes)


@pytest.fixture
def cohort(scans: Path, options: CaseOptions) -> Cohort:
    return find_cases(scans, options.output, Progress())


def test_the_next_scan_is_read_while_one_is_segmented_and_no_further(
    cohort: Cohort, options: CaseOptions
) -> None:
    readers = Readers(cohort)
    names = [case.name for case in cohort.cases]

    class Waits(Threshold):
        def segment(self, volume: Volume, progress: Progress) -> Segmentation:
            following = names[len(self.seen) + 1 :][:1]
            for name in following:
                assert readers.was_read[name].wait(WAIT_S)
            assert readers.begun == names[: len(self.seen) + 2]
            assert readers.alive() == 1 + len(following)
            return super().segment(volume, progress)

    results = list(run_here(readers.cohort, options, Progress(), lambda *_: Waits()))
    assert [(r.name, r.status, r.reason) for r in results] == [(n, Status.DONE, "") for n in names]


def test_one_that_fails_does_not_stop_the_others(cohort: Cohort, options: CaseOptions) -> None:
    path = cohort.cases[1].path
    path.write_bytes(path.read_bytes()[:-300])
    results = list(run_here(cohort, options, Progress(), lambda *_: Threshold()))
    assert [r.status for r in results] == [Status.DONE, Status.FAILED, Status.DONE]
    assert str(path) in results[1].reason


def test_one_segmenter_does_all_and_none_is_made_for_what_is_done(
    cohort: Cohort, options: CaseOptions
) -> None:
    made: list[tuple[str, ...]] = []

    def make(*words: str) -> Segmenter:
        made.append(words)
        return Threshold()

    list(run_here(cohort, options, Progress(), make))
    assert made == [("threshold", "auto", "fast")]
    results = list(run_here(cohort, options, Progress(), make))
    assert [r.reason for r in results] == [ALREADY] * 3
    assert len(made) == 1


def test_a_segmenter_that_cannot_be_made_stops_the_cohort(
    cohort: Cohort, options: CaseOptions
) -> None:
    with pytest.raises(SegmentationError, match="no device 'quantum'"):
        list(run_here(cohort, replace(options, device="quantum"), Progress()))


def test_progress_names_case_and_phase_and_never_goes_back(
    cohort: Cohort, options: CaseOptions
) -> None:
    seen: list[tuple[float, str]] = []
    progress = Progress(lambda fraction, phase: seen.append((fraction, phase)))
    list(run_here(cohort, options, progress, lambda *_: Threshold()))
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert [p for _, p in seen if p.endswith(": Segmenting")] == [
        "1 of 3, a: Segmenting",
        "2 of 3, one__scan: Segmenting",
        "3 of 3, two__scan: Segmenting",
    ]


def test_cancelling_keeps_what_is_finished(cohort: Cohort, options: CaseOptions) -> None:
    progress = Progress()
    results = run_here(cohort, options, progress, lambda *_: Threshold())
    first = next(results)
    progress.cancel()
    with pytest.raises(Cancelled):
        next(results)
    assert first.status is Status.DONE
    assert sorted(p.name for p in options.output.iterdir()) == ["a.json", "a.nii.gz"]
