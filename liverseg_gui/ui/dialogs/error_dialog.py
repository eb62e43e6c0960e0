"""The dialog for what went wrong, with a report that can be read, copied and saved."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMessageBox, QPushButton, QTextEdit, QWidget

from liverseg_gui.core.errors import SaveError
from liverseg_gui.system.atomic_write import write_text
from liverseg_gui.ui.dialogs.error_report import error_report

UNHARMED = "The open study is unharmed."
_NOTHING_SENT = "Nothing is sent to anybody: the details are the whole report."
_DETAILS_PX = (620, 320)
"""A report can be read there without scrolling sideways."""


class ProblemBox(QMessageBox):
    """Says `message`, and what is left in a `comfort`.

    Where there are `details`, the details of the dialog are the report about them: what is
    copied and saved is what can be read there, without patients and paths.
    """

    def __init__(
        self, parent: QWidget | None, message: str, details: str = "", comfort: str = UNHARMED
    ) -> None:
        super().__init__(parent)
        self.setIcon(QMessageBox.Icon.Warning)
        self.setWindowTitle("LiverSeg")
        self.setText(message)
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
        self.addButton(QMessageBox.StandardButton.Ok)

    def _button(self, text: str) -> QPushButton:
        """A button that keeps the dialog open."""
        button = QPushButton(text)
        button.setToolTip("For a report to the makers. Names and paths are left out.")
        self.addButton(button, QMessageBox.ButtonRole.ActionRole)
        button.clicked.disconnect()
        return button

    def copy(self) -> None:
        """Put the report on the clipboard."""
        QGuiApplication.clipboard().setText(self.report)

    def save(self) -> None:
        """Ask where, and write the report there."""
        name, _ = QFileDialog.getSaveFileName(
            self, "Save error report", "liverseg-error.txt", "Text (*.txt)"
        )
        if not name:
            return
        try:
            write_text(Path(name), self.report)
        except SaveError as error:
            self.setInformativeText(str(error))
        else:
            self.setInformativeText("The report is written.")
