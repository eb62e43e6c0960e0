"""Questions and messages. Tests and other callers reach them through one object."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QWidget

_OPEN_FILTER = "Scans (*.nii *.nii.gz *.dcm);;All files (*)"
_MASK_FILTER = "Masks (*.nii.gz *.nii)"
_REPORT_FILTER = "JSON report (*.json);;CSV table (*.csv)"


class Dialogs:
    """The modal dialogs of the window `parent`."""

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent

    def problem(self, message: str, details: str = "") -> None:
        """Show what went wrong; `details` can be copied for a report to the makers."""
        box = QMessageBox(self._parent)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle("LiverSeg")
        box.setText(message)
        copy = None
        if details:
            box.setInformativeText("The open study is unharmed.")
            box.setDetailedText(details)
            copy = box.addButton("Copy details", QMessageBox.ButtonRole.ActionRole)
        box.addButton(QMessageBox.StandardButton.Ok)
        box.exec()
        if copy is not None and box.clickedButton() is copy:
            QGuiApplication.clipboard().setText(f"{message}\n\n{details}")

    def save_first(self, question: str) -> bool | None:
        """Ask about an unsaved mask: True to save it, False to discard it, None to stay."""
        buttons = QMessageBox.StandardButton
        answer = QMessageBox.question(
            self._parent,
            "LiverSeg",
            question,
            buttons.Save | buttons.Discard | buttons.Cancel,
            buttons.Save,
        )
        return {buttons.Save: True, buttons.Discard: False}.get(answer)

    def confirm(self, question: str, yes: str) -> bool:
        """Ask whether to go on; `yes` names what would be done."""
        box = QMessageBox(QMessageBox.Icon.Question, "LiverSeg", question, parent=self._parent)
        accept = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        return box.clickedButton() is accept

    def choose(self, question: str, rows: list[str]) -> int | None:
        """Let the reader choose one of `rows`; returns its index."""
        row, accepted = QInputDialog.getItem(self._parent, "LiverSeg", question, rows, 0, False)
        return rows.index(row) if accepted else None

    def scan_file(self) -> Path | None:
        """Ask for a scan file."""
        name, _ = QFileDialog.getOpenFileName(self._parent, "Open scan", "", _OPEN_FILTER)
        return Path(name) if name else None

    def scan_folder(self) -> Path | None:
        """Ask for a DICOM folder."""
        name = QFileDialog.getExistingDirectory(self._parent, "Open DICOM folder")
        return Path(name) if name else None

    def mask_file(self) -> Path | None:
        """Ask for a mask to open."""
        name, _ = QFileDialog.getOpenFileName(self._parent, "Open mask", "", _MASK_FILTER)
        return Path(name) if name else None

    def save_mask_as(self, proposal: Path) -> Path | None:
        """Ask where to save the mask."""
        name, _ = QFileDialog.getSaveFileName(
            self._parent, "Save mask", str(proposal), _MASK_FILTER
        )
        return Path(name) if name else None

    def save_report_as(self, proposal: Path) -> Path | None:
        """Ask where to save the report."""
        name, _ = QFileDialog.getSaveFileName(
            self._parent, "Save report", str(proposal), _REPORT_FILTER
        )
        return Path(name) if name else None
