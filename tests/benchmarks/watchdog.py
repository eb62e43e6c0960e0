"""How long the window's thread is held while a job runs: `python -m tests.benchmarks.watchdog`.

A timer that should fire every 2 ms notes how late it is. Loading, segmenting, measuring and the 3D
surfaces run as in the program, with the window on the screen. torch loads in the process that
segments, never in the window's. Real CT (hcc_006) where there is some, else a phantom.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from liverseg_gui.cli.phantom import write_phantom
from liverseg_gui.core.phantom import PhantomSpec, make_phantom
from liverseg_gui.segmentation.segmenter_process import ProcessSegmenter
from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.app.gc_timer import GarbageTimer
from liverseg_gui.ui.main_window.window import MainWindow
from liverseg_gui.ui.widgets.theme import apply_theme
from tests.conftest import REAL_DATA

_TICK_MS = 2
_PATIENCE_SECONDS = 300.0


class Watchdog:
    """Notes the gaps between two ticks of a timer in the window's thread, in ms."""

    def __init__(self) -> None:
        self._gaps: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(_TICK_MS)

    def _tick(self) -> None:
        now = time.perf_counter()
        self._gaps.append((now - self._last) * 1000)
        self._last = now

    def take(self) -> list[float]:
        """The gaps since the last call, the longest first."""
        gaps, self._gaps = sorted(self._gaps, reverse=True), []
        return gaps


def main() -> None:
    """Print the longest time the window's thread was held, by what ran."""
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    with tempfile.TemporaryDirectory() as name:
        settings = Settings(Path(name) / "settings.json")
        apply_theme(app, settings.values.theme)
        segmenter = ProcessSegmenter()
        window = MainWindow(segmenter, settings=settings)
        window.resize(1280, 800)
        window.show()
        garbage = GarbageTimer()
        garbage.spare_all()
        window.study.volume_changed.connect(garbage.collect_soon)
        try:
            _measure(app, window, _scan(Path(name)))
        finally:
            if window.study.mask is not None:
                window.study.mark_saved(window.study.mask)
            window.close()
            segmenter.close()
            garbage.stop()


def _measure(app: QApplication, window: MainWindow, scan: Path) -> None:
    watchdog, study = Watchdog(), window.study
    _until(app, lambda: True, 0.3)
    watchdog.take()
    window.controller.open(scan)
    _until(app, lambda: study.volume is not None and not window.runner.busy)
    _print("load", watchdog)
    _until(app, lambda: True, 1.0)
    _print("after loading (checks, histogram)", watchdog)
    window.controller.segment()
    _until(app, lambda: study.mask is not None)
    _print("segment", watchdog)
    _until(app, lambda: study.measurements is not None)
    _print("measure", watchdog)
    _until(app, lambda: not window.runner.busy)
    _print("surface", watchdog)


def _print(what: str, watchdog: Watchdog) -> None:
    gaps = watchdog.take()
    if gaps:
        longest = ", ".join(f"{gap:.0f}" for gap in gaps[:3])
        print(f"window's thread held during {what}: at most {gaps[0]:.0f} ms (longest {longest})")


def _until(app: QApplication, done: Callable[[], bool], at_least: float = 0.05) -> None:
    began = time.perf_counter()
    while time.perf_counter() - began < at_least or not done():
        app.processEvents()
        time.sleep(0.0005)
        if time.perf_counter() - began > _PATIENCE_SECONDS:
            raise TimeoutError("the job did not end")


def _scan(folder: Path) -> Path:
    real = REAL_DATA / "dicom" / "hcc_006"
    if real.is_dir():
        return real
    write_phantom(make_phantom(PhantomSpec(0, (512, 512, 110), (0.75, 0.75, 2.0))), folder)
    return folder / "scan.nii.gz"


if __name__ == "__main__":
    main()
