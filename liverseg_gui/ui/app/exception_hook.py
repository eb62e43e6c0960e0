"""Uncaught exceptions: logged, and shown in one dialog at a time.

An error in what draws the window comes again with every picture, and so does the picture when the
dialog about it closes: what comes again within seconds is counted, and shown in the status bar.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import TracebackType

from PySide6.QtCore import QTimer

_LOG = logging.getLogger("liverseg")
_SOON_S = 10.0


def _later(do: Callable[[], None]) -> None:
    """Once the event is over in which the error was: a dialog cannot be shown while drawing."""
    QTimer.singleShot(0, do)


class ExceptionHook:
    """Tells of exceptions: `show` waits until its message and details are read, `say` does not."""

    def __init__(
        self,
        show: Callable[[str, str], None],
        say: Callable[[str], None],
        later: Callable[[Callable[[], None]], None] = _later,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._show, self._say, self._later, self._clock = show, say, later, clock
        self._open = False
        self._times: dict[str, int] = {}
        self._last: dict[str, float] = {}

    def catch(self) -> None:
        """Take the exceptions of the window's thread from now on, and log those of any other."""
        sys.excepthook = self.caught
        threading.excepthook = _caught_in_thread

    def caught(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Log and tell an exception, as `sys.excepthook`."""
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        text = f"Something unexpected happened ({kind.__name__}: {error})."
        times = self._count(_place(kind, trace))
        if times & (times - 1):  # but for 1, 2, 4, 8, ...: neither log nor status bar is flooded
            return
        if times > 1:
            _LOG.critical("Unexpected %s, %d times so far", kind.__name__, times)
            self._later(lambda: self._say(f"{text} {times} times so far."))
            return
        _LOG.critical("Unexpected", exc_info=(kind, error, trace))
        if self._open:
            self._later(lambda: self._say(text))
            return
        self._open = True
        details = logging.Formatter().formatException((kind, error, trace))
        self._later(lambda: self._tell(text, details))

    def _count(self, place: str) -> int:
        """How often an error was here, with less than a moment between one and the next."""
        now = self._clock()
        again = now - self._last.get(place, -_SOON_S) < _SOON_S
        self._last[place] = now
        self._times[place] = self._times[place] + 1 if again else 1
        return self._times[place]

    def _tell(self, text: str, details: str) -> None:
        try:
            self._show(text, details)
        finally:
            self._open = False
            self._last = dict.fromkeys(self._last, self._clock())


def _place(kind: type[BaseException], trace: TracebackType | None) -> str:
    """Where an exception is from: its message may differ each time."""
    place = kind.__name__
    for frame, line in traceback.walk_tb(trace):
        place = f"{kind.__name__} {frame.f_code.co_filename}:{line}"
    return place


def _caught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        trace = (args.exc_type, args.exc_value, args.exc_traceback)
        _LOG.critical("Unexpected in a thread", exc_info=trace)
