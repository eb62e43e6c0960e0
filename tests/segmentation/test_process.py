from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from liverseg_gui.core.errors import Cancelled, SegmentationError
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.inference import NetworkSegmenter
from liverseg_gui.segmentation.process import ProcessSegmenter


@pytest.fixture
def segmenter(untrained_model: Path) -> Iterator[ProcessSegmenter]:
    segmenter = ProcessSegmenter(str(untrained_model), "cpu")
    yield segmenter
    segmenter.close()


def test_the_process_gives_what_the_network_gives_here(
    segmenter: ProcessSegmenter, phantom: Phantom, untrained_model: Path
) -> None:
    there = segmenter.segment(phantom.volume, Progress())
    here = NetworkSegmenter(str(untrained_model), "cpu").segment(phantom.volume, Progress())
    np.testing.assert_array_equal(there.labels.labels, here.labels.labels)
    assert there.labels.grid == phantom.volume.grid
    assert there.model == "untrained"


def test_cancel_acts_within_a_second_and_the_process_serves_again(
    segmenter: ProcessSegmenter, phantom: Phantom
) -> None:
    asked: list[float] = []

    def report(_: float, phase: str) -> None:
        if phase.startswith("Segmenting: slice") and not asked:
            asked.append(time.monotonic())
            progress.cancel()

    progress = Progress(report)
    with pytest.raises(Cancelled):
        segmenter.segment(phantom.volume, progress)
    assert time.monotonic() - asked[0] < 1.0
    assert segmenter.segment(phantom.volume, Progress()).model == "untrained"


def test_a_process_that_dies_is_an_error_and_the_next_request_works(
    segmenter: ProcessSegmenter, phantom: Phantom
) -> None:
    killed: list[int] = []

    def report(_: float, phase: str) -> None:
        if phase.startswith("Segmenting: slice") and not killed:
            process = segmenter._process
            assert process is not None
            assert process.pid is not None
            killed.append(process.pid)
            os.kill(process.pid, signal.SIGTERM)

    with pytest.raises(SegmentationError, match="ended unexpectedly"):
        segmenter.segment(phantom.volume, Progress(report))
    assert segmenter.segment(phantom.volume, Progress()).model == "untrained"


def test_a_missing_model_is_reported_from_the_process(phantom: Phantom) -> None:
    segmenter = ProcessSegmenter("nothing", "cpu")
    with pytest.raises(SegmentationError, match="no model 'nothing'"):
        segmenter.segment(phantom.volume, Progress())
    segmenter.close()


def test_another_device_is_taken_with_the_next_request_and_not_before(
    segmenter: ProcessSegmenter, phantom: Phantom
) -> None:
    segmenter.segment(phantom.volume, Progress())
    first = segmenter._process
    segmenter.device = "nonsense"
    segmenter.warm_up()
    assert segmenter._process is first
    with pytest.raises(SegmentationError, match="no device 'nonsense'"):
        segmenter.segment(phantom.volume, Progress())
    segmenter.device = "cpu"
    assert segmenter.segment(phantom.volume, Progress()).device == "cpu"
