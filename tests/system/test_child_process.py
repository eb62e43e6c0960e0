from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from liverseg_gui.core.errors import Cancelled, LiverSegError, ModelError
from liverseg_gui.core.progress import Progress
from liverseg_gui.system.child_process import KeptChild, call_in_child

DIED = "It ended unexpectedly. Close other programs."


def add(a: int, b: int, progress: Progress) -> tuple[int, int]:
    progress.update(0.5, "Adding")
    return a + b, os.getpid()


def refuse(_: Progress) -> None:
    raise ModelError("There is no such model. Choose another.")


def stumble(_: Progress) -> None:
    raise ZeroDivisionError("nobody foresaw it")


def leave(_: Progress) -> None:
    os._exit(0)


def crash(_: Progress) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def unpicklable(_: Progress) -> object:
    return lambda: None


def wait_forever(place: Path, _: Progress) -> None:
    place.with_suffix(".part").write_text(str(os.getpid()))
    place.with_suffix(".part").rename(place)
    threading.Event().wait()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path))
    return tmp_path


def call(work, progress: Progress | None = None):  # type: ignore[no-untyped-def]
    return call_in_child(work, progress or Progress(), "Starting", LiverSegError(DIED))


@pytest.fixture
def kept() -> Iterator[KeptChild]:
    with contextlib.closing(KeptChild()) as child:
        yield child


def ask(child: KeptChild, work, progress: Progress | None = None):  # type: ignore[no-untyped-def]
    return child.call(work, progress or Progress(), "Starting", LiverSegError(DIED))


def test_the_result_comes_from_another_process() -> None:
    total, pid = call(partial(add, 2, 3))
    assert total == 5
    assert pid != os.getpid()


def test_it_is_told_how_far_it_is() -> None:
    told: list[tuple[float, str]] = []
    call(partial(add, 2, 3), Progress(lambda fraction, phase: told.append((fraction, phase))))
    assert list(dict.fromkeys(told)) == [(0.0, "Starting"), (0.5, "Adding")]


def test_an_error_keeps_its_class_and_its_words() -> None:
    with pytest.raises(ModelError, match=r"^There is no such model\. Choose another\.$"):
        call(refuse)


@pytest.mark.parametrize(
    ("work", "words"), [(stumble, "nobody foresaw it"), (unpicklable, "pickle")]
)
def test_an_error_that_nobody_foresaw_is_told_in_the_callers_words(
    work: object, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(LiverSegError, match=DIED) as caught:
        call(work)
    assert words in "".join(caught.value.__notes__)
    assert words in caplog.text


def test_a_process_that_leaves_is_told_in_the_callers_words() -> None:
    with pytest.raises(LiverSegError, match=DIED):
        call(leave)


@pytest.mark.skipif(os.name != "posix", reason="a signal that crashes is POSIX's")
def test_a_process_that_crashes_says_where(home: Path) -> None:
    with pytest.raises(LiverSegError, match=DIED) as caught:
        call(crash)
    (words,) = caught.value.__notes__
    assert words.startswith("Fatal Python error: Segmentation fault")
    assert "in crash" in words
    assert list((home / "log").iterdir()) == []


def test_cancelling_kills_the_process(tmp_path: Path) -> None:
    place = tmp_path / "pid"
    progress = Progress(lambda *_: progress.cancel() if place.exists() else None)
    with pytest.raises(Cancelled):
        call(partial(wait_forever, place), progress)
    assert not psutil.pid_exists(int(place.read_text()))


def test_a_kept_process_answers_again_also_after_an_error(kept: KeptChild) -> None:
    first = ask(kept, partial(add, 2, 3))
    with pytest.raises(ModelError):
        ask(kept, refuse)
    assert ask(kept, partial(add, 2, 3)) == first


@pytest.mark.parametrize("work", [stumble, leave])
def test_after_one_that_came_to_nothing_another_process_answers(
    kept: KeptChild, work: object
) -> None:
    _, pid = ask(kept, partial(add, 2, 3))
    with pytest.raises(LiverSegError, match=DIED):
        ask(kept, work)
    total, other = ask(kept, partial(add, 2, 3))
    assert total == 5
    assert other != pid


def test_a_kept_process_that_died_meanwhile_is_started_anew(kept: KeptChild) -> None:
    ask(kept, partial(add, 2, 3))
    assert kept._child is not None
    kept._child.process.kill()
    kept._child.process.join()
    assert ask(kept, partial(add, 2, 3))[0] == 5


def test_a_kept_process_that_is_closed_is_gone(kept: KeptChild) -> None:
    _, pid = ask(kept, partial(add, 2, 3))
    kept.close()
    assert not psutil.pid_exists(pid)
