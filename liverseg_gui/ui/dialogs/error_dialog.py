"""Dialog about an error, with a report that can be read, copied and saved."""

from __future__ import annotations

import importlib.metadata
import os
import platform

from PySide6.QtCore import qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMessageBox, QPushButton, QTextEdit, QWidget

from liverseg_gui import __version__
from liverseg_gui.core.errors import SaveError
from liverseg_gui.segmentation.runtime.choice_cache import known_gpus
from liverseg_gui.system.atomic_write import write_text
from liverseg_gui.system.logging_setup import LOG_NAME
from liverseg_gui.system.paths import log_folder
from liverseg_gui.system.plain_text import printable
from liverseg_gui.system.privacy import scrub
from liverseg_gui.system.relaunch import is_packaged
from liverseg_gui.ui.widgets.file_dialogs import ask_new_file
from liverseg_gui.ui.widgets.labels import MessageBox

_HEAD = "Error report of LiverSeg. Nothing was sent: read it, and pass it on if you want to."
_LIBRARIES = ("PySide6-Essentials", "torch", "numpy", "SimpleITK")
_LINES, _BYTES = 80, 65_536
UNHARMED = "The open study is unharmed."
_NOTHING_SENT = "Nothing is sent to anybody: the details are the whole report."
_DETAILS_PX = (620, 320)
"""A report can be read there without scrolling sideways."""


def error_report(message: str, details: str) -> str:
    """The report about an error that `message` tells in a line and `details` as a traceback."""
    parts = (
        _HEAD,
        "\n".join(_surroundings()),
        f"What happened:\n{message}\n\n{details.strip()}",
        f"The last lines of the log:\n{_end_of_log()}",
    )
    return scrub(printable("\n\n".join(parts))) + "\n"


def _surroundings() -> list[str]:
    """The program, the system and the libraries in words."""
    kind = "packaged" if is_packaged() else "from source"
    return [
        f"LiverSeg {__version__}, {kind}",
        f"System: {platform.platform()}, {os.cpu_count()} processors",
        f"Python {platform.python_version()}, Qt {qVersion()}",
        ", ".join(f"{name} {_version(name)}" for name in _LIBRARIES),
        f"GPU: {', '.join(known_gpus()) or 'none used so far'}",
    ]


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _end_of_log() -> str:
    """The last lines of the log, which were scrubbed when they were written."""
    try:
        with (log_folder() / LOG_NAME).open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - _BYTES, 0))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return "There is no log."
    return "\n".join(lines[-_LINES:])


class ErrorDialog(MessageBox):
    """Says `message`, and what is left in a `comfort`.

    Where there are `details`, the details of the dialog are the report about them: what is
    copied and saved is what can be read there, without patients and paths.
    """

    def __init__(
        self, parent: QWidget | None, message: str, details: str = "", comfort: str = UNHARMED
    ) -> None:
        super().__init__(parent, message, QMessageBox.Icon.Warning)
        self.copy_button: QPushButton | None = None
        self.save_button: QPushButton | None = None
        if details:
            self.report = error_report(message, details)
            self.setInformativeText(f"{comfort} {_NOTHING_SENT}")
            self.setDetailedText(self.report)
            shown = self.findChild(QTextEdit)
            assert isinstance(shown, QTextEdit)  # what the line before has made
            shown.setFixedSize(*_DETAILS_PX)
            self.copy_button = self._button("Copy details")
            self.copy_button.clicked.connect(self.copy)
            self.save_button = self._button("Save report ...")
            self.save_button.clicked.connect(self.save)
        ok = self.addButton(QMessageBox.StandardButton.Ok)
        self.setDefaultButton(ok)
        self.setEscapeButton(ok)

    def _button(self, text: str) -> QPushButton:
        """A button that keeps the dialog open."""
        button = QPushButton(text)
        button.setToolTip("For a report to the makers. Names and paths are left out.")
        self.addButton(button, QMessageBox.ButtonRole.ActionRole)
        button.clicked.disconnect()  # QMessageBox closes at a click on any of its buttons
        return button

    def copy(self) -> None:
        """Put the report on the clipboard."""
        QGuiApplication.clipboard().setText(self.report)

    def save(self) -> None:
        """Ask where, and write the report there."""
        path = ask_new_file(self, "Save error report", "liverseg-error.txt", "Text (*.txt)")
        if path is None:
            return
        try:
            write_text(path, self.report)
        except SaveError as error:
            self.setInformativeText(str(error))
        else:
            self.setInformativeText("The report is written.")
