"""Start the window."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from liverseg_gui.core import resources
from liverseg_gui.segmentation.process import ProcessSegmenter
from liverseg_gui.ui.main_window import MainWindow
from liverseg_gui.ui.theme import apply_theme

_WARM_UP_MS = 500


def run_window(
    path: Path | None = None,
    mask: Path | None = None,
    model: str = "default",
    device: str = "auto",
) -> int:
    """Show the window, open `path` and `mask` in the background, and return Qt's exit code."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("LiverSeg")
    app.setWindowIcon(QIcon(str(resources.path("icons/liverseg.svg"))))
    apply_theme(app)
    segmenter = ProcessSegmenter(model, device)
    window = MainWindow(segmenter)
    window.show()

    window.study.volume_changed.connect(lambda: QTimer.singleShot(_WARM_UP_MS, segmenter.warm_up))
    if path is not None:
        QTimer.singleShot(0, lambda: window.controller.open(path, mask))
    try:
        return app.exec()
    finally:
        segmenter.close()
