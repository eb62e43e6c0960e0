"""Qt's application, and what Windows and macOS ask of it besides."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication

_TASKBAR_ID = "LiverSeg.LiverSeg"
"""The window's place in Windows' taskbar; the installer gives its shortcuts the same."""


class Application(QApplication):
    """The application. macOS hands over a document by an event and not on the command line, at the
    start and later: `handed_over` is the last one, and the signal tells of each."""

    document_handed_over = Signal(object)

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__(list(words))
        self.handed_over: Path | None = None

    def event(self, event: QEvent) -> bool:
        """Take a document of the Finder; anything else is Qt's."""
        if isinstance(event, QFileOpenEvent) and event.file():
            self.handed_over = Path(event.file())
            self.document_handed_over.emit(self.handed_over)
            return True
        return super().event(event)


def own_taskbar_place() -> None:
    """Windows: show the program's icon in the taskbar and not that of Python, from source, too."""
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.shell32.SetCurrentProcessExplicitAppUserModelID(_TASKBAR_ID)
