"""Short work that must be finished before anything else: the window waits, but stays painted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QEventLoop, QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication

Result = TypeVar("Result")


class _Bell(QObject):
    rung = Signal()


def run_blocking(work: Callable[[], Result]) -> Result:
    """What `work` returns or raises. It runs in a thread; keys and clicks wait until it is done.

    The thread is no daemon: even a program that is closed finishes it.
    """
    results: list[Result] = []
    errors: list[BaseException] = []
    bell, loop = _Bell(), QEventLoop()
    bell.rung.connect(loop.quit, Qt.ConnectionType.QueuedConnection)

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)
        finally:
            bell.rung.emit()

    thread = threading.Thread(target=run, name="liverseg-save")
    QGuiApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
    try:
        thread.start()
        loop.exec(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
        thread.join()
    finally:
        QGuiApplication.restoreOverrideCursor()
    if errors:
        raise errors[0]
    return results[0]
