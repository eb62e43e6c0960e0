from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from liverseg_gui.ui.app.gc_timer import GarbageTimer


class Ring:
    """Only the collector frees it."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def timer(qtbot: QtBot) -> Iterator[GarbageTimer]:
    timer = GarbageTimer()
    yield timer
    timer.stop()


def test_no_garbage_is_collected_in_the_middle_of_work(timer: GarbageTimer) -> None:
    ring = weakref.ref(Ring())
    kept = [[] for _ in range(200_000)]  # by now Python would have collected many times
    assert ring() is not None
    assert len(kept) == 200_000


def test_it_is_collected_by_the_timer_in_the_windows_thread(
    timer: GarbageTimer, qtbot: QtBot
) -> None:
    threads = []
    ring = Ring()
    weakref.finalize(ring, lambda: threads.append(threading.current_thread()))
    del ring
    kept = [[] for _ in range(2000)]
    qtbot.waitUntil(lambda: bool(threads))
    assert threads == [threading.main_thread()]
    assert len(kept) == 2000


def test_all_is_collected_soon_after_a_scan_was_closed(timer: GarbageTimer, qtbot: QtBot) -> None:
    ring = Ring()
    old = weakref.ref(ring)
    gc.collect()  # into the oldest generation
    del ring
    timer.collect_soon()
    assert old() is not None
    qtbot.waitUntil(lambda: old() is None)


def test_afterwards_python_collects_by_itself_again(qtbot: QtBot) -> None:
    GarbageTimer().stop()
    assert gc.isenabled()


def test_what_is_spared_is_looked_at_again_only_afterwards(qtbot: QtBot) -> None:
    timer = GarbageTimer()
    ring = Ring()
    old = weakref.ref(ring)
    del ring
    timer.spare_all()
    gc.collect()
    assert old() is not None
    timer.stop()
    gc.collect()
    assert old() is None
