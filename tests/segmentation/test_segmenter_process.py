from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from liverseg_gui.core.errors import Cancelled, SegmentationError
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.phantom import Phantom, PhantomSpec, make_phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation import segmenter_process
from liverseg_gui.segmentation.inference import NetworkSegmenter
from liverseg_gui.segmentation.segmenter import Segmentation
from liverseg_gui.segmentation.segmenter_process import (
    _PATIENCE_SECONDS,
    ProcessSegmenter,
    _receive_result,
    _send_result,
)
from liverseg_gui.system.child_process import POLL_S
from tests.conftest import WAIT_S


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    """Few and small slices, for what the process does with them is the same with more."""
    return make_phantom(PhantomSpec(1, (64, 64, 16), (6.0, 6.0, 13.5), (40.0,)))


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


def test_a_process_that_is_cancelled_gives_up_and_serves_again(
    segmenter: ProcessSegmenter, phantom: Phantom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segmenter_process, "_PATIENCE_SECONDS", WAIT_S)

    def report(_: float, phase: str) -> None:
        if phase.startswith("Segmenting: slice"):
            progress.cancel()

    progress = Progress(report)
    with pytest.raises(Cancelled):
        segmenter.segment(phantom.volume, progress)
    first = segmenter._child
    assert first is not None
    assert segmenter.segment(phantom.volume, Progress()).model == "untrained"
    assert segmenter._child is first


def test_a_process_that_does_not_give_up_within_a_second_is_ended(
    segmenter: ProcessSegmenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert POLL_S + _PATIENCE_SECONDS < 1.0
    monkeypatch.setattr(segmenter_process, "_PATIENCE_SECONDS", 0.0)
    segmenter.warm_up()
    ours, theirs = multiprocessing.Pipe()
    segmenter._stop(ours)
    assert theirs.recv() == "cancel"
    assert segmenter._child is None


@pytest.mark.skipif(os.name != "posix", reason="a signal that crashes is POSIX's")
def test_a_process_that_crashes_says_where_and_the_next_request_works(
    segmenter: ProcessSegmenter, phantom: Phantom, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path))
    crashed: list[int] = []

    def report(_: float, phase: str) -> None:
        if phase.startswith("Segmenting: slice") and not crashed:
            assert segmenter._child is not None
            process = segmenter._child.process
            assert process.pid is not None
            crashed.append(process.pid)
            os.kill(process.pid, signal.SIGSEGV)

    with pytest.raises(RuntimeError, match="crashed") as caught:
        segmenter.segment(phantom.volume, Progress(report))
    (words,) = caught.value.__notes__
    assert words.startswith("Fatal Python error: Segmentation fault")
    assert "process.py" in words
    assert segmenter.segment(phantom.volume, Progress()).model == "untrained"
    segmenter.close()
    assert list((tmp_path / "log").iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="a signal that crashes is POSIX's")
def test_a_process_that_crashes_while_it_is_idle_leaves_its_words_in_the_log(
    segmenter: ProcessSegmenter,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path))
    segmenter.warm_up()
    assert segmenter._child is not None
    process, pipe = segmenter._child.process, segmenter._child.pipe
    assert process.pid is not None
    assert pipe.recv() == ("ready", None)
    os.kill(process.pid, signal.SIGSEGV)
    process.join()
    segmenter.warm_up()
    assert "crashed while it was idle" in caplog.text
    assert "Fatal Python error: Segmentation fault" in caplog.text


def test_a_process_that_dies_is_an_error_and_the_next_request_works(
    segmenter: ProcessSegmenter, phantom: Phantom
) -> None:
    killed: list[int] = []

    def report(_: float, phase: str) -> None:
        if phase.startswith("Segmenting: slice") and not killed:
            assert segmenter._child is not None
            process = segmenter._child.process
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


def test_another_model_and_quality_are_taken_with_the_next_request_by_the_same_process(
    segmenter: ProcessSegmenter, phantom: Phantom, untrained_model: Path, tmp_path: Path
) -> None:
    fast = segmenter.segment(phantom.volume, Progress())
    first = segmenter._child
    other = Path(shutil.copytree(untrained_model, tmp_path / "other"))
    card = json.loads((other / "card.json").read_text())
    (other / "card.json").write_text(json.dumps(card | {"name": "other"}))
    segmenter.model, segmenter.quality = str(other), "best"
    best = segmenter.segment(phantom.volume, Progress())
    assert best.model == "other"
    there = NetworkSegmenter(str(other), "cpu", "best").segment(phantom.volume, Progress())
    np.testing.assert_array_equal(best.labels.labels, there.labels.labels)
    (other / "card.json").write_text(json.dumps(card | {"name": "replaced"}))
    assert segmenter.segment(phantom.volume, Progress()).model == "replaced"
    segmenter.model, segmenter.quality = str(untrained_model), "fast"
    again = segmenter.segment(phantom.volume, Progress())
    np.testing.assert_array_equal(again.labels.labels, fast.labels.labels)
    assert segmenter._child is first


def test_why_it_ran_there_comes_along(phantom: Phantom) -> None:
    ours, theirs = multiprocessing.Pipe()
    mask = LabelMap(phantom.truth.labels, phantom.volume.grid)
    found = Segmentation(mask, "m", "cpu", 1.5, ("doubt",), "The graphics card is too small.")
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(_send_result, theirs, found)
        kind, value = ours.recv()
        arrived = _receive_result(ours, *value)
        sent.result()
    assert kind == "done"
    assert arrived.why == "The graphics card is too small."
    assert (arrived.model, arrived.warnings) == ("m", ("doubt",))


def test_another_device_is_taken_with_the_next_request_and_not_before(
    segmenter: ProcessSegmenter, phantom: Phantom
) -> None:
    segmenter.segment(phantom.volume, Progress())
    first = segmenter._child
    segmenter.device = "nonsense"
    segmenter.warm_up()
    assert segmenter._child is first
    with pytest.raises(SegmentationError, match="no device 'nonsense'"):
        segmenter.segment(phantom.volume, Progress())
    segmenter.device = "cpu"
    assert segmenter.segment(phantom.volume, Progress()).device == "cpu"
