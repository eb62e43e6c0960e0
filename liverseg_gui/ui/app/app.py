"""The Qt application and the start of the window."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, QSettings, QTimer, Signal
from PySide6.QtGui import QFileOpenEvent, QIcon
from PySide6.QtWidgets import QApplication

from liverseg_gui.segmentation.models.registry import chosen_model
from liverseg_gui.segmentation.segmenter_process import ProcessSegmenter
from liverseg_gui.state.settings import Settings
from liverseg_gui.state.view import Layout
from liverseg_gui.system import paths
from liverseg_gui.system.crash_report import crash_file, earlier_crash
from liverseg_gui.system.import_guard import without_networks
from liverseg_gui.system.logging_setup import start_logging
from liverseg_gui.ui.app.exception_hook import ExceptionHook
from liverseg_gui.ui.app.gc_timer import GarbageTimer
from liverseg_gui.ui.main_window.window import MainWindow
from liverseg_gui.ui.widgets.labels import PlainTextStyle
from liverseg_gui.ui.widgets.theme import apply_theme
from liverseg_gui.ui.widgets.window_settings import window_settings

_TASKBAR_ID = "LiverSeg.LiverSeg"
"""The window's place in Windows' taskbar; the installer gives its shortcuts the same."""
_WARM_UP_MS = 500
_TRAININGS_MS = 1500
"""The window is there first."""


class Application(QApplication):
    """The application. macOS hands over a document by an event and not on the command line, at the
    start and later: `handed_over` is the last one, and the signal tells of each."""

    document_handed_over = Signal(object)

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__(list(words))
        self.setStyle(PlainTextStyle())
        self.handed_over: Path | None = None

    def event(self, event: QEvent) -> bool:
        """Take a document of the Finder; anything else is Qt's."""
        if isinstance(event, QFileOpenEvent) and event.file():
            self.handed_over = Path(event.file())
            self.document_handed_over.emit(self.handed_over)
            return True
        return super().event(event)


def set_taskbar_id() -> None:
    """Windows: show the program's icon in the taskbar and not that of Python, from source, too."""
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.shell32.SetCurrentProcessExplicitAppUserModelID(_TASKBAR_ID)


@crash_file()
@without_networks()
def run_window(
    path: Path | None = None,
    mask: Path | None = None,
    model: str | None = None,
    device: str | None = None,
) -> int:
    """Show the window, open `path` and `mask` (or the last study, where that is wished) in the
    background, and return Qt's exit code. Without `model` and `device` those of the settings are
    used."""
    set_taskbar_id()
    app = Application.instance() or Application(sys.argv[:1])
    assert isinstance(app, Application)
    app.setApplicationName("LiverSeg")
    app.setWindowIcon(QIcon(str(paths.resource("icons/liverseg.svg"))))
    start_logging()
    settings, garbage = Settings(), GarbageTimer()
    if model:
        settings.use_model_for_now(model)
    chosen = settings.values
    segmenter = ProcessSegmenter(chosen_model(settings), device or chosen.device, chosen.quality)
    window = MainWindow(segmenter, settings=settings)
    apply_theme(app, settings.values.theme)  # once it is built: a style sheet slows that down
    follow_choices(segmenter, settings)
    ExceptionHook(window.context.tell, window.context.say).catch()
    geometry = window_settings()
    restore_geometry(window, geometry)
    window.closing.connect(lambda: keep_geometry(window, geometry))
    window.show()

    window.study.volume_changed.connect(lambda: QTimer.singleShot(_WARM_UP_MS, segmenter.warm_up))
    window.study.volume_changed.connect(garbage.collect_soon)
    QTimer.singleShot(_TRAININGS_MS, window.trainings.look)
    garbage.spare_all()
    QTimer.singleShot(0, lambda: open_documents(window, app, path, mask))
    try:
        return app.exec()
    finally:
        segmenter.close()


def open_documents(
    window: MainWindow, app: Application, path: Path | None, mask: Path | None = None
) -> None:
    """Open what was asked for or handed over at the start, and from now on what is handed over."""
    open_first(window, path or app.handed_over, mask)
    app.document_handed_over.connect(window.controller.open)


def open_first(window: MainWindow, path: Path | None, mask: Path | None = None) -> None:
    """Open what was asked for, else the last study where the settings say so; tell of a crash."""
    if window.settings.note:
        window.context.say(window.settings.note)
    if path is not None:
        window.controller.open(path, mask)
    elif window.settings.values.reopen_last:
        window.controller.opener.open_last()
    if words := earlier_crash():
        window.context.dialogs.crashed(words)
    if path is None and not window.settings.values.reopen_last:
        window.controller.recovery.offer_scan()


def follow_choices(segmenter: ProcessSegmenter, settings: Settings) -> None:
    """Segment with the model, the quality and on the device that the reader chooses, from the next
    time on; a device that the command line said holds until another one is chosen."""
    preferred = settings.values.device

    def follow() -> None:
        nonlocal preferred
        segmenter.model = chosen_model(settings)
        segmenter.quality = settings.values.quality
        if settings.values.device != preferred:
            preferred = segmenter.device = settings.values.device

    settings.changed.connect(follow)


def restore_geometry(window: MainWindow, stored: QSettings) -> None:
    """Put the window, its panels and panes where they were when it was closed."""
    geometry = stored.value("geometry")
    if isinstance(geometry, QByteArray):
        window.restoreGeometry(geometry)
    window.panels.restore(stored)
    name = stored.value("layout")
    if name in Layout.__members__:
        window.view_state.layout = Layout[name]


def keep_geometry(window: MainWindow, stored: QSettings) -> None:
    """Remember where the window, its panels and panes are."""
    stored.setValue("geometry", window.saveGeometry())
    stored.setValue("layout", window.view_state.layout.name)
    window.panels.keep(stored)
    stored.sync()
