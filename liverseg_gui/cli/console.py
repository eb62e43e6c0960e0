"""Progress on a terminal, and Ctrl+C as cancellation."""

from __future__ import annotations

import os
import platform
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from liverseg_gui.core.progress import Progress


@contextmanager
def console_progress(quiet: bool = False) -> Iterator[Progress]:
    """A Progress drawn on stderr when it is a terminal; the first Ctrl+C cancels it,
    a second one interrupts what does not look.

    The handler is installed only in the main thread, where Python allows it.
    """
    draw = not quiet and sys.stderr is not None and sys.stderr.isatty()
    last = [0.0]

    def report(fraction: float, phase: str) -> None:
        now = time.monotonic()
        if draw and (now - last[0] >= 0.1 or fraction >= 1):
            last[0] = now
            bar = "#" * round(fraction * 30)
            print(f"\r[{bar:<30}] {fraction:4.0%} {phase:<40.40}", end="", file=sys.stderr)

    progress = Progress(report)

    def cancel(_number: int, _frame: FrameType | None) -> None:
        if progress.cancelled:
            raise KeyboardInterrupt
        progress.cancel()

    main_thread = threading.current_thread() is threading.main_thread()
    previous = signal.signal(signal.SIGINT, cancel) if main_thread else None
    try:
        yield progress
    finally:
        if main_thread:
            signal.signal(signal.SIGINT, previous)
        if draw:
            print("\r" + " " * 78 + "\r", end="", file=sys.stderr)


def peak_memory_mb() -> float | None:
    """The most memory this process has held, in MB; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e6 if sys.platform == "darwin" else 1e3), 1)


def has_display() -> bool:
    """Whether a person could see a window here."""
    if os.environ.get("QT_QPA_PLATFORM") in ("offscreen", "minimal"):
        return False
    if platform.system() == "Linux":
        return any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    return True
