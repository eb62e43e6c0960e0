from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QDialogButtonBox

from liverseg_gui.core.window_level import PRESETS
from liverseg_gui.segmentation.segmenter_process import ProcessSegmenter
from liverseg_gui.state.preferences import QUALITIES, MouseProfile, Theme
from liverseg_gui.state.settings import Settings
from liverseg_gui.state.settings_values import SettingsValues
from liverseg_gui.system.devices import DEVICES
from liverseg_gui.ui.app.app import follow_choices
from liverseg_gui.ui.dialogs.preferences_dialog import ROWS, PreferencesDialog
from liverseg_gui.ui.widgets.theme import apply_theme, current_theme
from tests.ui.conftest import Desk
from tests.ui.test_window import drag


@pytest.fixture
def dialog(desk: Desk, qapp: QApplication) -> Iterator[PreferencesDialog]:
    desk.trigger("preferences")
    (dialog,) = desk.window.findChildren(PreferencesDialog)
    yield dialog
    dialog.reject()
    apply_theme(qapp, Theme.DARK)


def choose(dialog: PreferencesDialog, key: str, text: str) -> None:
    """As with the keyboard."""
    box = dialog.boxes[key]
    assert isinstance(box, QComboBox)
    box.setCurrentIndex(box.findText(text, Qt.MatchFlag.MatchStartsWith))
    box.activated.emit(box.currentIndex())


def test_there_is_a_row_for_every_preference_and_for_every_value() -> None:
    names = [field.name for field in fields(SettingsValues)]
    assert [row.key for row in ROWS] == names[: names.index("overlay")]
    values = {row.key: [choice.value for choice in row.choices] for row in ROWS}
    assert values["mouse_profile"] == list(MouseProfile)
    assert values["theme"] == list(Theme)
    assert values["preset"] == list(PRESETS)
    assert values["device"] == list(DEVICES)
    assert values["quality"] == list(QUALITIES)
    assert all(row.tip for row in ROWS)


def test_the_mouse_profile_takes_effect_at_once(
    desk: Desk, files: Path, dialog: PreferencesDialog
) -> None:
    desk.open(files / "scan.nii.gz")
    choose(dialog, "mouse_profile", "PACS")
    assert desk.window.actions_by_key["pacs"].isChecked()
    before = desk.window.view_state.window
    drag(desk, QPoint(60, 0))
    assert desk.window.view_state.window.width > before.width


def test_the_direction_of_the_vertical_drag_takes_effect_at_once(
    desk: Desk, files: Path, dialog: PreferencesDialog
) -> None:
    desk.open(files / "scan.nii.gz")
    desk.trigger("window_tool")
    choose(dialog, "window_up", "Up raises")
    before = desk.window.view_state.window
    drag(desk, QPoint(0, -40))
    assert desk.window.view_state.window.center > before.center


def test_theme_and_default_window_take_effect_at_once(
    desk: Desk, dialog: PreferencesDialog
) -> None:
    choose(dialog, "theme", "Light")
    assert current_theme() is Theme.LIGHT
    choose(dialog, "preset", "Lung")
    assert desk.window.view_state.window == PRESETS["Lung"]


def test_a_window_that_was_set_by_hand_outlives_other_preferences(desk: Desk) -> None:
    desk.window.view_state.window = PRESETS["Bone"]
    desk.settings.change(hide_patient=True)
    assert desk.window.view_state.window == PRESETS["Bone"]


def test_hiding_the_patient_takes_effect_at_once(
    desk: Desk, files: Path, dialog: PreferencesDialog
) -> None:
    desk.open(files / "scan.nii.gz")
    box = dialog.boxes["hide_patient"]
    assert isinstance(box, QCheckBox)
    box.click()
    assert desk.window.windowTitle() == "Patient hidden - LiverSeg"
    assert desk.window.actions_by_key["hide_patient"].isChecked()


def test_the_dialog_follows_what_is_changed_in_the_menu(
    desk: Desk, dialog: PreferencesDialog
) -> None:
    desk.trigger("pacs")
    box = dialog.boxes["mouse_profile"]
    assert isinstance(box, QComboBox)
    assert box.currentText() == "PACS"


def test_defaults_undoes_everything_at_once(desk: Desk, dialog: PreferencesDialog) -> None:
    before = desk.settings.values
    desk.settings.change(
        mouse_profile=MouseProfile.PACS, theme=Theme.LIGHT, preset="Bone", device="cpu"
    )
    dialog.buttons.button(QDialogButtonBox.StandardButton.RestoreDefaults).click()
    assert desk.settings.values == before
    assert current_theme() is Theme.DARK
    assert not dialog.isHidden()


def test_everything_preferred_is_there_at_the_next_start(tmp_path: Path) -> None:
    chosen = SettingsValues(MouseProfile.PACS, True, Theme.LIGHT, "Bone", "cpu", "best", True, True)
    settings = Settings(tmp_path / "settings.json")
    settings.change(**vars(chosen))
    assert Settings(tmp_path / "settings.json").values == chosen


def test_a_choice_that_is_not_known_keeps_its_default_and_nothing_else_does(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text(
        '{"theme": "Sepia", "device": "tpu", "preset": 7, "quality": "x", "mouse_profile": "PACS"}'
    )
    settings = Settings(file)
    assert settings.values == SettingsValues(mouse_profile=MouseProfile.PACS)
    assert settings.note == ""


def test_the_next_segmentation_runs_on_the_device_that_is_preferred(tmp_path: Path) -> None:
    settings, segmenter = Settings(tmp_path / "settings.json"), ProcessSegmenter(device="cuda")
    follow_choices(segmenter, settings)
    settings.change(theme=Theme.LIGHT)
    assert segmenter.device == "cuda"
    settings.change(device="cpu")
    assert segmenter.device == "cpu"


def test_the_next_segmentation_is_done_as_is_chosen(tmp_path: Path) -> None:
    settings, segmenter = Settings(tmp_path / "settings.json"), ProcessSegmenter()
    settings.use_model_for_now("a/folder")
    follow_choices(segmenter, settings)
    settings.change(quality="best")
    assert (segmenter.model, segmenter.quality) == ("a/folder", "best")
    settings.choose_model("mine")
    assert (segmenter.model, segmenter.quality) == ("mine", "best")
