"""Lines on a terminal, progress there, and Ctrl+C as cancellation."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TextIO

from liverseg_gui.core.progress import Progress
from liverseg_gui.system.plain_text import one_line


def say(*lines: str, stream: TextIO | None = None) -> None:
    """Print `lines` on stdout unless a `stream` is given.

    All that commands print goes through here: what files say of themselves ends no line and
    commands no terminal.
    """
    for line in lines:
        print(one_line(line), file=stream)
    flushed = sys.stdout if stream is None else stream
    if flushed is not None:
        flushed.flush()


def say_json(values: Any, *, indent: int | None = 2, allow_nan: bool = True) -> None:
    """Print `values` on stdout as JSON, which escapes all that is no plain character."""
    print(json.dumps(values, indent=indent, allow_nan=allow_nan), flush=True)


@contextmanager
def console_progress(quiet: bool = False, at_once: bool = False) -> Iterator[Progress]:
    """A Progress drawn on stderr when it is a terminal; the first Ctrl+C cancels it,
    a second one interrupts work that does not check for it. `at_once`, the first one does both.

    The handler is installed only in the main thread, where Python allows it.
    """
    draw = not quiet and sys.stderr is not None and sys.stderr.isatty()
    last = [0.0]

    def report(fraction: float, phase: str) -> None:
        now = time.monotonic()
        if draw and (now - last[0] >= 0.1 or fraction >= 1):
            last[0] = now
            bar = "#" * round(fraction * 30)
            room = max(_columns() - 39, 20)
            text = f"{one_line(phase):<{room}.{room}}"
            print(f"\r[{bar:<30}] {fraction:4.0%} {text}", end="", file=sys.stderr)

    progress = Progress(report)

    def cancel(_number: int, _frame: FrameType | None) -> None:
        interrupt = at_once or progress.cancelled
        progress.cancel()
        if interrupt:
            raise KeyboardInterrupt

    main_thread = threading.current_thread() is threading.main_thread()
    previous = signal.signal(signal.SIGINT, cancel) if main_thread else None
    try:
        yield progress
    finally:
        if main_thread:
            signal.signal(signal.SIGINT, previous)
        if draw:
            _clear()


def print_beside_bar(line: str, stream: TextIO | None = None) -> None:
    """Print `line` on its own, on stdout unless a `stream` is given; the bar comes back below."""
    if sys.stderr is not None and sys.stderr.isatty():
        _clear()
    say(line, stream=stream)


def _clear() -> None:
    print("\r" + " " * (_columns() - 1) + "\r", end="", file=sys.stderr, flush=True)


def _columns() -> int:
    return shutil.get_terminal_size().columns


def has_display() -> bool:
    """Whether a person could see a window here."""
    if os.environ.get("QT_QPA_PLATFORM") in ("offscreen", "minimal"):
        return False
    if platform.system() == "Linux":
        return any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    return True
