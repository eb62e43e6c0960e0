"""The Preferences dialog, made from a table; every change takes effect at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from liverseg_gui.core.window_level import PRESETS
from liverseg_gui.state.preferences import MouseProfile, Theme
from liverseg_gui.state.settings import Settings
from liverseg_gui.state.settings_values import SettingsValues
from liverseg_gui.system.devices import DEVICES
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.theme import QUALITY_TIP, set_tone

_AUTOMATIC = "The graphics card where there is one it can use."


@dataclass(frozen=True)
class PreferenceValue:
    """A value, what it is called, and a sentence on what it does where that is not plain."""

    value: Any
    text: str
    explained: str = ""


@dataclass(frozen=True)
class PreferenceRow:
    """A field of `SettingsValues`; without `choices` it is on or off."""

    key: str
    label: str
    tip: str
    choices: tuple[PreferenceValue, ...] = ()


ROWS: tuple[PreferenceRow, ...] = (
    PreferenceRow(
        "mouse_profile",
        "Mouse profile",
        "What dragging with the left button does",
        (
            PreferenceValue(
                MouseProfile.DEFAULT,
                "Default",
                "Left-drag moves the crosshair, or does what the chosen tool does.",
            ),
            PreferenceValue(
                MouseProfile.PACS,
                "PACS",
                "Left-drag changes window/level; a click moves the crosshair.",
            ),
        ),
    ),
    PreferenceRow(
        "window_up",
        "Vertical window/level drag",
        "Programs differ in this: choose what your hand is used to",
        (
            PreferenceValue(
                False, "Down raises the center", "Dragging down makes the picture darker."
            ),
            PreferenceValue(True, "Up raises the center", "Dragging up makes the picture darker."),
        ),
    ),
    PreferenceRow(
        "theme",
        "Theme",
        "The colors of the window; the slices are on black in both",
        (
            PreferenceValue(Theme.DARK, "Dark", "For a dark reading room."),
            PreferenceValue(Theme.LIGHT, "Light", "For a bright room."),
        ),
    ),
    PreferenceRow(
        "preset",
        "Default window",
        "The window/level a scan opens with",
        tuple(
            PreferenceValue(name, f"{name}  {window.width:g} / {window.center:g}")
            for name, window in PRESETS.items()
        ),
    ),
    PreferenceRow(
        "device",
        "Segment on",
        "Takes effect with the next segmentation",
        tuple(
            PreferenceValue(name, text, _AUTOMATIC if name == "auto" else "")
            for name, text in DEVICES.items()
        ),
    ),
    PreferenceRow(
        "quality",
        "Quality",
        QUALITY_TIP,
        (
            PreferenceValue("fast", "Fast", "One look at each slice."),
            PreferenceValue("best", "Best", "The mean of four looks: takes four times as long."),
        ),
    ),
    PreferenceRow("hide_patient", "Hide patient", "Show no name, id or date of the patient"),
    PreferenceRow("reopen_last", "Reopen the last study at start", "Open it again by itself"),
)


class PreferencesDialog(QDialog):
    """A line for each row; `boxes` has the widget of each key. Follows changes made elsewhere."""

    def __init__(self, parent: QWidget | None, settings: Settings) -> None:
        super().__init__(parent)
        self.setWindowTitle("Preferences")
        self._settings = settings
        self.boxes: dict[str, QComboBox | QCheckBox] = {}
        self._explained: dict[str, QLabel] = {}
        form = QFormLayout()
        form.setVerticalSpacing(6)
        for row in ROWS:
            self._add(form, row)
        standard = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(standard.Close | standard.RestoreDefaults)
        self.buttons.button(standard.RestoreDefaults).setText("Defaults")
        self.buttons.button(standard.RestoreDefaults).setAutoDefault(False)
        self.buttons.button(standard.RestoreDefaults).clicked.connect(self.restore_defaults)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addStretch(1)
        layout.addWidget(self.buttons)
        settings.changed.connect(self._refresh)
        self._refresh()

    def restore_defaults(self) -> None:
        """Everything as in a new installation."""
        default = SettingsValues()
        self._settings.change(**{row.key: getattr(default, row.key) for row in ROWS})

    def done(self, result: int) -> None:
        """Listen no more once it is closed."""
        self._settings.changed.disconnect(self._refresh)
        super().done(result)

    def _add(self, form: QFormLayout, row: PreferenceRow) -> None:
        box = self._combo(row) if row.choices else self._check(row)
        box.setToolTip(row.tip)
        box.setAccessibleName(row.label)
        box.setAccessibleDescription(row.tip)
        self.boxes[row.key] = box
        form.addRow(f"{row.label}" if row.choices else "", box)
        if any(choice.explained for choice in row.choices):
            self._explained[row.key] = label = PlainLabel()
            set_tone(label, "muted")
            form.addRow("", label)

    def _combo(self, row: PreferenceRow) -> QComboBox:
        box = QComboBox()
        for choice in row.choices:
            box.addItem(choice.text)
        box.activated.connect(lambda at: self._choose(row, row.choices[at].value))
        return box

    def _check(self, row: PreferenceRow) -> QCheckBox:
        box = QCheckBox(row.label)
        box.clicked.connect(lambda checked: self._choose(row, checked))
        return box

    def _choose(self, row: PreferenceRow, value: Any) -> None:
        if getattr(self._settings.values, row.key) != value:
            self._settings.change(**{row.key: value})

    def _refresh(self) -> None:
        """Show what holds now."""
        for row in ROWS:
            value = getattr(self._settings.values, row.key)
            box = self.boxes[row.key]
            if isinstance(box, QCheckBox):
                box.setChecked(value)
                continue
            at = [choice.value for choice in row.choices].index(value)
            box.setCurrentIndex(at)
            if row.key in self._explained:
                self._explained[row.key].setText(row.choices[at].explained)
