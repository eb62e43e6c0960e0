"""Sliders for the augmentation settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLabel, QSlider, QVBoxLayout, QWidget

from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.theme import set_tone
from training.config.augmentation_config import Augmentation, SyntheticTumors


@dataclass(frozen=True)
class ChangeRow:
    """A field of `Augmentation` (or, `painted`, of `SyntheticTumors`), and for a pair `at` which of
    it; from `low` to `high` in `step`s, shown in `unit` after multiplication by `scale`."""

    key: str
    label: str
    tip: str
    high: float
    step: float = 0.01
    low: float = 0.0
    unit: str = " %"
    scale: float = 100.0
    at: int | None = None
    painted: bool = False

    def of(self, values: Augmentation | SyntheticTumors) -> float:
        """The number in `values`."""
        value = getattr(values, self.key)
        return float(value if self.at is None else value[self.at])

    def text(self, value: float) -> str:
        """A number as it is shown."""
        return f"{value * self.scale:.3g}{self.unit}"


def with_change(
    values: Augmentation | SyntheticTumors, row: ChangeRow, value: float
) -> Augmentation | SyntheticTumors:
    """`values` with another number in the place of `row`."""
    new: Any = value
    if row.at is not None:
        pair = list(getattr(values, row.key))
        pair[row.at] = value
        new = tuple(pair)
    changed = {**asdict(values), row.key: new}
    return type(values)(**changed)


def _radius(label: str, at: int, low: float, high: float, step: float) -> ChangeRow:
    tip = "Of painted tumors, in the patient"
    return ChangeRow("radius_mm", label, tip, high, step, low, " mm", 1, at, True)


CHANGES = (
    ChangeRow(
        "rotation_degrees",
        "Rotation",
        "Turned by up to so much, as patients lie",
        45,
        1,
        unit="°",
        scale=1,
    ),
    ChangeRow("scale", "Size", "Larger or smaller by up to so much, as patients are", 0.5),
    ChangeRow("shift", "Shift", "Moved by up to so much of the trunk", 0.3),
    ChangeRow("elastic", "Bending", "Bent softly, as organs differ in form", 0.1, 0.002),
    ChangeRow(
        "flip_probability",
        "Left and right changed",
        "How often mirrored. The liver's side is anatomy: leave it at 0 for CT of people",
        1,
    ),
    ChangeRow("brightness", "Brightness", "Darker or brighter by up to so much of the window", 0.5),
    ChangeRow("contrast", "Contrast", "Flatter or steeper, as contrast phases are", 1),
    ChangeRow("gamma", "Gamma", "Dark or bright tissue spread apart, as windows do", 1),
    ChangeRow("noise", "Noise", "As much noise as low doses have, of the window", 0.3),
    ChangeRow(
        "degrade", "Blur, JPEG, low resolution", "How often each of the three spoils a picture", 1
    ),
    ChangeRow("tone_chance", "Liver alone changed", "How often the liver alone is changed", 1),
    ChangeRow("tone", "Liver darker", "By up to so much, as fatty livers are", 0, low=-0.6, at=0),
    ChangeRow("tone", "Liver brighter", "By up to so much, as phases make it", 0.6, at=1),
)
PAINTED = (
    ChangeRow("chance", "Tumors", "How often tumors are painted into the liver", 1, painted=True),
    ChangeRow(
        "bright_chance",
        "Bright ones",
        "How many of them are brighter than the liver",
        1,
        painted=True,
    ),
    ChangeRow(
        "mass_chance",
        "Masses beside the liver",
        "How often one is painted that is no liver tumor, so that not every mass is taken for one",
        1,
        painted=True,
    ),
    _radius("Smallest radius", 0, 1, 20, 0.5),
    _radius("Largest radius", 1, 5, 80, 1),
)


class AugmentationBox(QWidget):
    """Sliders with `augmentation` and `synthetic` as their values; `changed` follows every move."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._augmentation, self._synthetic = Augmentation(), SyntheticTumors()
        self.sliders: dict[ChangeRow, QSlider] = {}
        self._numbers: dict[ChangeRow, QLabel] = {}
        self.paint = QCheckBox("Paint synthetic tumors")
        self.paint.setToolTip("Real tumors are few: the model learns from painted ones, too")
        self.paint.toggled.connect(self._painting)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 0, 0, 0)
        layout.addLayout(self._grid(CHANGES))
        layout.addWidget(self.paint)
        self._painted = QWidget()
        self._painted.setLayout(self._grid(PAINTED))
        layout.addWidget(self._painted)
        self.show_values(self._augmentation, self._synthetic)

    @property
    def augmentation(self) -> Augmentation:
        """The changes that are chosen."""
        return self._augmentation

    @property
    def synthetic(self) -> SyntheticTumors | None:
        """The tumors that are painted, or None."""
        return self._synthetic if self.paint.isChecked() else None

    def show_values(self, augmentation: Augmentation, synthetic: SyntheticTumors | None) -> None:
        """Show these, without a signal."""
        self._augmentation, self._synthetic = augmentation, synthetic or SyntheticTumors()
        self.paint.blockSignals(True)
        self.paint.setChecked(synthetic is not None)
        self.paint.blockSignals(False)
        self._painted.setEnabled(synthetic is not None)
        for row, slider in self.sliders.items():
            value = row.of(self._of(row))
            slider.blockSignals(True)
            slider.setValue(round((value - row.low) / row.step))
            slider.blockSignals(False)
            self._numbers[row].setText(row.text(value))

    def _of(self, row: ChangeRow) -> Augmentation | SyntheticTumors:
        return self._synthetic if row.painted else self._augmentation

    def _grid(self, rows: Sequence[ChangeRow]) -> QGridLayout:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(2, 52)
        for at, row in enumerate(rows):
            label, slider, number = PlainLabel(row.label), _slider(row), PlainLabel()
            label.setToolTip(row.tip)
            label.setBuddy(slider)
            set_tone(number, "muted")
            slider.valueChanged.connect(lambda n, of=row: self._move(of, n))
            self.sliders[row], self._numbers[row] = slider, number
            for column, widget in enumerate((label, slider, number)):
                grid.addWidget(widget, at, column)
        return grid

    def _move(self, row: ChangeRow, at: int) -> None:
        value = round(row.low + at * row.step, 6)
        changed = with_change(self._of(row), row, value)
        if row.painted:
            self._synthetic = cast(SyntheticTumors, changed)
        else:
            self._augmentation = cast(Augmentation, changed)
        self._numbers[row].setText(row.text(value))
        self.changed.emit()

    def _painting(self, on: bool) -> None:
        self._painted.setEnabled(on)
        self.changed.emit()


class _Slider(QSlider):
    """Turned by the wheel only while it has the keyboard: else the page scrolls."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """See above."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


def _slider(row: ChangeRow) -> QSlider:
    slider = _Slider()
    slider.setRange(0, round((row.high - row.low) / row.step))
    slider.setPageStep(max(slider.maximum() // 10, 1))
    slider.setToolTip(row.tip)
    slider.setAccessibleName(row.label)
    slider.setAccessibleDescription(row.tip)
    return slider
