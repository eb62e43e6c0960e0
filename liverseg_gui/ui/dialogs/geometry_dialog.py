"""Spacing and orientation as the reader states them, for a scan whose file is wrong about them."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QVBoxLayout,
    QWidget,
)

from liverseg_gui.core.geometry import Affine, Float3
from liverseg_gui.core.geometry_override import ORIENTATIONS
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.number_box import NumberBox

_RANGE_MM = (0.05, 50.0)
_SHOWN_DIGITS = 14


@dataclass(frozen=True)
class GeometryChoice:
    """What the reader states; None is left as the file has it."""

    spacing_mm: Float3 | None
    orientation: str | None


class GeometryDialog(QDialog):
    """Prefilled with what the file of a scan says: `affine` of its stored axes."""

    def __init__(self, parent: QWidget | None, affine: Affine) -> None:
        super().__init__(parent)
        self.setWindowTitle("Spacing and orientation")
        self.spacing_box = QCheckBox("Spacing along the file's axes, mm")
        self.spacings = [
            _spin(mm, f"Spacing along {axis}, mm")
            for axis, mm in zip("ijk", affine.spacing_mm, strict=True)
        ]
        self.orientation_box = QCheckBox("The file's axes run towards")
        self.orientations = QComboBox()
        self.orientations.addItems(ORIENTATIONS)
        self.orientations.setCurrentText(affine.orientation)
        self.orientations.setAccessibleName("Orientation")
        self.orientations.setToolTip("R right, L left, A front, P back, S head, I feet")
        explanation = PlainLabel(
            "State only what you know from elsewhere, for example from the scanner's protocol. "
            "Every figure and every saved mask then rests on it, and says so."
        )
        explanation.setWordWrap(True)
        row = QHBoxLayout()
        for spin in self.spacings:
            row.addWidget(spin)
        form = QFormLayout()
        form.addRow(self.spacing_box, row)
        form.addRow(self.orientation_box, self.orientations)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(explanation)
        layout.addLayout(form)
        layout.addWidget(self.buttons)
        for box in (self.spacing_box, self.orientation_box):
            box.toggled.connect(self._refresh)
        for spin in self.spacings:
            spin.checked.connect(self._refresh)
        self._refresh()

    @property
    def choice(self) -> GeometryChoice:
        """What the reader states."""
        i, j, k = (spin.typed for spin in self.spacings)
        return GeometryChoice(
            (i, j, k) if self.spacing_box.isChecked() else None,
            self.orientations.currentText() if self.orientation_box.isChecked() else None,
        )

    def _refresh(self) -> None:
        for spin in self.spacings:
            spin.setEnabled(self.spacing_box.isChecked())
        self.orientations.setEnabled(self.orientation_box.isChecked())
        stated = self.spacing_box.isChecked() or self.orientation_box.isChecked()
        numbers = all(spin.hasAcceptableInput() for spin in self.spacings)
        can = stated and (numbers or not self.spacing_box.isChecked())
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(can)


def _spin(mm: float, name: str) -> NumberBox:
    spin = NumberBox(*_RANGE_MM)
    spin.setValue(mm)
    spin.setAccessibleName(name)
    spin.setToolTip("From {:g} to {:g} mm".format(*_RANGE_MM))
    spin.setMinimumWidth(spin.fontMetrics().horizontalAdvance("0" * _SHOWN_DIGITS))
    return spin
