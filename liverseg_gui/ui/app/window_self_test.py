"""Self-test of the window: opened without a person before it, and its content checked."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.segmenter_process import ProcessSegmenter
from liverseg_gui.state.settings import Settings
from liverseg_gui.system.child_process import call_in_child
from liverseg_gui.system.import_guard import without_networks
from liverseg_gui.ui.main_window.status_bar import NOTICE
from liverseg_gui.ui.main_window.window import MainWindow
from liverseg_gui.ui.viewer.screenshot import ScreenshotOptions, save_screenshot, screenshot
from liverseg_gui.ui.widgets.theme import apply_theme

_LONGEST_WAIT_S = 120
_FEWEST_COLORS = 32
"""An empty pane has a few: its background and its words."""
_NO_HINTS = "This plugin does not support propagateSizeHints()"
"""What Qt says of every window that is drawn offscreen; it harms nothing."""
_LEAST_CHROMA, _LEAST_SHARE = 40, 0.01
"""The words and axes of a 3D pane are gray; of 255, and of all its pixels."""


@dataclass(frozen=True)
class Shown:
    """What the window shows: the liver that its panel tells, and whether the 3D pane is drawn.

    It is not where there is no OpenGL to draw it with.
    """

    liver_ml: float
    in_3d: bool


@contextmanager
def _without_hints() -> Iterator[None]:
    """Qt says meanwhile what it has to say, but for that."""

    def handle(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
        if message == _NO_HINTS:
            return
        if before is not None:
            before(kind, context, message)
        else:
            print(message, file=sys.stderr)

    before = qInstallMessageHandler(handle)
    try:
        yield
    finally:
        qInstallMessageHandler(before)


def check_window(scan: Path, mask: Path, target: Path) -> Shown:
    """Open the window on `scan` and `mask`, write what it shows to `target` (PNG), and close it.

    It has a process of its own, as ever: one that has segmented has loaded torch.

    Raises:
        LiverSegError: it did not show them, or its process ended.
    """
    died = LiverSegError("The window ended unexpectedly.")
    return call_in_child(partial(_show, scan, mask, target), Progress(), "Opening the window", died)


@_without_hints()
@without_networks()
def _show(scan: Path, mask: Path, target: Path, _: Progress) -> Shown:
    """As `check_window`, in this process."""
    app = QApplication.instance() or QApplication(["liverseg"])
    assert isinstance(app, QApplication)
    segmenter, settings = ProcessSegmenter(), Settings()
    window = MainWindow(segmenter, settings=settings)
    apply_theme(app, settings.values.theme)
    window.resize(1280, 800)
    window.show()
    try:
        window.controller.open(scan, mask)
        _until(lambda: window.study.measurements is not None and not window.runner.busy)
        app.processEvents()
        in_3d = _draws_in_3d(window)
        image = screenshot(window.panes, window.view_state, ScreenshotOptions(layout=True), NOTICE)
        save_screenshot(image, target)
        _require_picture(image)
        measurements = window.study.measurements
        assert measurements is not None  # waited for above
        return Shown(measurements.liver_ml or 0.0, in_3d)
    finally:
        window.close()
        window.deleteLater()
        segmenter.close()


def _until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + _LONGEST_WAIT_S
    while not done():
        QApplication.processEvents()
        if time.monotonic() > end:
            raise LiverSegError(f"The window did not show the scan within {_LONGEST_WAIT_S} s.")


def _draws_in_3d(window: MainWindow) -> bool:
    """Whether there is OpenGL to draw the 3D pane with; then it is drawn.

    Raises:
        LiverSegError: there is, and the pane stayed empty.
    """
    pane = window.surface
    if not pane.prepare():
        return False
    _until(lambda: bool(pane.drawing.surfaces or pane.unavailable))
    pane.drawing.draw_now(1.0)
    drawn = pane.drawing.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    colors = np.frombuffer(drawn.constBits(), np.uint8).reshape(-1, 4)[:, :3]
    chroma = colors.max(axis=1) - colors.min(axis=1)
    if pane.unavailable or np.mean(chroma > _LEAST_CHROMA) < _LEAST_SHARE:
        raise LiverSegError(f"The 3D pane stayed empty. {pane.text()}")
    return True


def _require_picture(image: QImage) -> None:
    plain = image.convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(plain.constBits(), np.uint32)
    if len(np.unique(pixels)) < _FEWEST_COLORS:
        raise LiverSegError("The panes of the window stayed empty.")
