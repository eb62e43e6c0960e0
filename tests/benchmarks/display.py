"""Display: time of a slice step and of a window/level drag, all three planes with overlay.

Offscreen, 512 x 512 in the axial plane; a step is from the key to the end of painting. `python -m
tests.benchmarks.display [PIXELS SLICES]`.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication

from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.segmentation.segmenter_process import ProcessSegmenter
from liverseg_gui.state.open_scan import MaskSource
from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.app.gc_timer import GarbageTimer
from liverseg_gui.ui.main_window.window import MainWindow
from liverseg_gui.ui.widgets.theme import apply_theme

_STEPS = 150


def main() -> None:
    """Print every figure."""
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    apply_theme(app)
    sizes = [(512, 100), (512, 800)]
    if len(sys.argv) == 3:
        sizes = [(int(sys.argv[1]), int(sys.argv[2]))]
    with tempfile.TemporaryDirectory() as name:
        settings = Settings(Path(name) / "settings.json")
        settings.change(welcomed=True)
        for size in sizes:
            _measure(app, settings, *size)


def _measure(app: QApplication, settings: Settings, pixels: int, slices: int) -> None:
    window = MainWindow(ProcessSegmenter(), settings=settings)
    window.resize(1280, 800)
    window.show()
    garbage = GarbageTimer()
    garbage.spare_all()
    _open(window, pixels, slices)
    up, down = (window.actions_by_key[key] for key in ("next_slice", "previous_slice"))
    window.view_state.move_crosshair((pixels // 2, pixels // 2, 5), (pixels, pixels, slices))
    app.processEvents()
    steps = _times(app, lambda n: (up if (n // 80) % 2 == 0 else down).trigger())
    print(f"slice step, {pixels} x {pixels} x {slices}: {_figures(steps)}")
    drags = _times(app, lambda n: window.view_state.drag_window(1 if n % 2 else -1, 1))
    print(f"window/level drag, {pixels} x {pixels} x {slices}: {_figures(drags)}")
    garbage.stop()
    window.close()


def _open(window: MainWindow, pixels: int, slices: int) -> None:
    rng = np.random.default_rng(0)
    hu = np.asfortranarray(rng.integers(-200, 300, (pixels, pixels, slices), np.int16))
    grid = StoredGrid(hu.shape, Affine(np.diag([0.8, 0.8, 2.0, 1.0])))
    labels = _ragged_mask(pixels, slices)
    window.study.open(Volume(hu, grid, Origin(Path("bench"))))
    window.study.set_mask(LabelMap(labels, grid), MaskSource(Path("bench.nii")))


def _ragged_mask(pixels: int, slices: int) -> NDArray[np.uint8]:
    """A liver and a tumor whose outlines are as long as real ones: about 1000 voxel sides."""
    labels = np.zeros((pixels, pixels, slices), np.uint8, order="F")
    i, j = (n * 512 / pixels for n in np.ogrid[:pixels, :pixels])
    for k in range(slices):
        waves = 0.08 * (np.sin(i / 5 + k / 9) + np.sin(j / 7) + np.sin((i + j + k) / 11))
        liver = ((i - 240) / 130) ** 2 + ((j - 280) / 110) ** 2 + waves
        tumor = ((i - 200) / 30) ** 2 + ((j - 260) / 25) ** 2 + waves
        labels[:, :, k] = (liver < 1).astype(np.uint8) + ((liver < 1) & (tumor < 1))
    return labels


def _times(app: QApplication, change: Callable[[int], object]) -> list[float]:
    times = []
    for n in range(_STEPS):
        began = time.perf_counter()
        change(n)
        app.processEvents()
        app.processEvents()
        times.append((time.perf_counter() - began) * 1000)
    return times[10:]


def _figures(times: list[float]) -> str:
    p99 = statistics.quantiles(times, n=100)[98]
    return f"median {statistics.median(times):.1f} ms, p99 {p99:.1f} ms"


if __name__ == "__main__":
    main()
