from __future__ import annotations

import itertools
import threading
from types import SimpleNamespace

import pytest
from pytestqt.qtbot import QtBot

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.core.progress import Progress
from liverseg_gui.ui.jobs import job_runner
from liverseg_gui.ui.jobs.job_bar import remaining
from liverseg_gui.ui.jobs.job_runner import JobRunner, JobState
from tests.conftest import WAIT_S


@pytest.fixture
def runner(qtbot: QtBot) -> JobRunner:
    runner = JobRunner()
    yield runner
    assert runner.shutdown(WAIT_S)


def until_cancelled(progress: Progress) -> None:
    pause = threading.Event()
    while True:
        progress.update(0.5, "waiting")
        pause.wait(0.01)


def test_a_result_arrives_in_the_windows_thread(qtbot: QtBot, runner: JobRunner) -> None:
    got: list[tuple[object, threading.Thread]] = []
    worker: list[threading.Thread] = []

    def work(_: Progress) -> int:
        worker.append(threading.current_thread())
        return 42

    job = runner.submit("work", work, lambda value: got.append((value, threading.current_thread())))
    qtbot.waitUntil(lambda: not runner.busy)
    assert got == [(42, threading.main_thread())]
    assert worker[0] is not threading.main_thread()
    assert job.state is JobState.DONE


def test_an_expected_failure_carries_its_message_alone(qtbot: QtBot, runner: JobRunner) -> None:
    def work(_: Progress) -> None:
        raise UnreadableFileError("scan.nii is damaged. Copy it again.")

    with qtbot.waitSignal(runner.submit("work", work, print).failed) as caught:
        pass
    assert caught.args == ["scan.nii is damaged. Copy it again.", ""]


def test_an_unforeseen_failure_carries_its_traceback(qtbot: QtBot, runner: JobRunner) -> None:
    job = runner.submit("work", lambda _: 1 / 0, print)
    with qtbot.waitSignal(job.failed) as caught:
        pass
    message, details = caught.args
    assert "ZeroDivisionError" in message
    assert "Traceback" in details
    assert job.state is JobState.FAILED


def test_cancel_ends_the_running_job_and_those_that_wait(qtbot: QtBot, runner: JobRunner) -> None:
    done: list[object] = []
    jobs = [runner.submit(str(n), until_cancelled, done.append) for n in range(3)]
    qtbot.waitUntil(lambda: jobs[0].state is JobState.RUNNING)
    runner.cancel_all()
    qtbot.waitUntil(lambda: not runner.busy)
    assert [job.state for job in jobs] == [JobState.CANCELLED] * 3
    assert done == []


def test_jobs_run_one_after_another_in_order(qtbot: QtBot, runner: JobRunner) -> None:
    order: list[int] = []
    for n in range(5):
        runner.submit(str(n), lambda _, n=n: order.append(n), lambda _: None)
    qtbot.waitUntil(lambda: not runner.busy)
    assert order == [0, 1, 2, 3, 4]


def test_a_job_after_a_failed_one_still_runs(qtbot: QtBot, runner: JobRunner) -> None:
    got: list[str] = []
    runner.submit("bad", lambda _: 1 / 0, print)
    runner.submit("good", lambda _: "fine", got.append)
    qtbot.waitUntil(lambda: not runner.busy)
    assert got == ["fine"]


def test_shutdown_while_running_cancels_and_ends_the_thread(qtbot: QtBot) -> None:
    runner = JobRunner()
    job = runner.submit("work", until_cancelled, print)
    qtbot.waitUntil(lambda: job.state is JobState.RUNNING)
    assert runner.shutdown(WAIT_S)
    with pytest.raises(RuntimeError, match="shut down"):
        runner.submit("late", until_cancelled, print)


def test_progress_is_reported_at_most_ten_times_a_second(
    qtbot: QtBot, runner: JobRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []
    milliseconds = itertools.count(1000)
    clock = SimpleNamespace(monotonic=lambda: next(milliseconds) / 1000)

    def work(progress: Progress) -> None:
        for n in range(10_000):
            progress.update(n / 10_000, "counting")

    monkeypatch.setattr(job_runner, "time", clock)
    job = runner.submit("work", work, lambda _: None)
    job.progressed.connect(lambda fraction, _: seen.append(fraction))
    qtbot.waitUntil(lambda: not runner.busy)
    assert 95 <= len(seen) <= 101  # in ten seconds of that clock


def test_remaining_time_is_estimated_only_with_something_to_go_by() -> None:
    assert remaining(0.01, 60) == ""
    assert remaining(0.5, 0.5) == ""
    assert remaining(0.25, 10) == ", about 30 s left"
    assert remaining(0.1, 60) == ", about 9 min left"
    assert remaining(1.0, 60) == ""
