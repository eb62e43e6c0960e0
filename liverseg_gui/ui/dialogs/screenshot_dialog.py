"""Dialog on what a saved picture shows."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QWidget,
)

from liverseg_gui.ui.viewer.screenshot import ScreenshotOptions

_SIZES = {"As on the screen": 1, "Twice as fine": 2, "Four times as fine": 4}


class ScreenshotDialog(QDialog):
    """Starts from `options`, which then gives what was chosen; no name where it is hidden."""

    def __init__(
        self, parent: QWidget | None, options: ScreenshotOptions, patient_hidden: bool
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Save picture")
        self._what = QComboBox()
        self._what.addItems(["The active pane", "All panes"])
        self._what.setCurrentIndex(int(options.layout))
        self._annotations = QCheckBox("Texts, crosshair, scale and readings")
        self._annotations.setChecked(options.annotations)
        self._patient = QCheckBox("Name of the patient")
        self._patient.setChecked(options.patient and not patient_hidden)
        self._patient.setEnabled(not patient_hidden and options.annotations)
        if patient_hidden:
            self._patient.setToolTip("The patient is hidden (Ctrl+H)")
        else:
            self._annotations.toggled.connect(self._patient.setEnabled)
        self._size = QComboBox()
        self._size.addItems(list(_SIZES))
        self._size.setCurrentIndex(list(_SIZES.values()).index(options.scale))
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form = QFormLayout(self)
        form.addRow("&Picture of", self._what)
        form.addRow("With", self._annotations)
        form.addRow("", self._patient)
        form.addRow("&Size", self._size)
        form.addRow(buttons)

    @property
    def options(self) -> ScreenshotOptions:
        """What is chosen."""
        return ScreenshotOptions(
            self._what.currentIndex() == 1,
            self._annotations.isChecked(),
            self._patient.isChecked() and self._patient.isEnabled(),
            _SIZES[self._size.currentText()],
        )
