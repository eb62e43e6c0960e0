"""The dialog for what went wrong, with details that can be copied without the patient in them."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMessageBox, QPushButton, QWidget

from liverseg_gui.core.privacy import scrub


class ProblemBox(QMessageBox):
    """Says `message`; where there are `details` they are shown and copied scrubbed."""

    def __init__(self, parent: QWidget | None, message: str, details: str = "") -> None:
        super().__init__(parent)
        self.setIcon(QMessageBox.Icon.Warning)
        self.setWindowTitle("LiverSeg")
        self.setText(message)
        self._copied = scrub(f"{message}\n\n{details}")
        self.copy_button: QPushButton | None = None
        if details:
            self.setInformativeText("The open study is unharmed.")
            self.setDetailedText(scrub(details))
            self.copy_button = QPushButton("Copy details")
            self.copy_button.setToolTip("For a report to the makers. Names and paths are left out.")
            self.addButton(self.copy_button, QMessageBox.ButtonRole.ActionRole)
            self.copy_button.clicked.disconnect()  # copying keeps the dialog open
            self.copy_button.clicked.connect(self.copy)
        self.addButton(QMessageBox.StandardButton.Ok)

    def copy(self) -> None:
        """Put message and details, scrubbed, on the clipboard."""
        QGuiApplication.clipboard().setText(self._copied)
