"""The file's window, presets of the reader's own, and what a study was last seen with."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialogButtonBox
from pytestqt.qtbot import QtBot

from liverseg_gui.core.window_level import PRESETS, Window
from liverseg_gui.state.user_presets import MOST_USER_PRESETS
from liverseg_gui.ui.dialogs.geometry_dialog import GeometryChoice
from liverseg_gui.ui.dialogs.preset_dialog import PresetDialog
from tests.conftest import WAIT_S
from tests.ui.conftest import Desk
from tests.ui.gestures import at_hu, drag, now, panel


def stating(path: Path, low: float, high: float) -> Path:
    image = nib.Nifti1Image(np.zeros((8, 8, 6), np.int16), np.diag([2.0, 2.0, 2.0, 1.0]))
    image.header["cal_min"], image.header["cal_max"] = low, high
    nib.save(image, path)
    return path


def test_7_takes_the_window_of_the_file_which_is_not_taken_by_itself(
    reading: Desk, tmp_path: Path
) -> None:
    reading.open(stating(tmp_path / "scan.nii", -100, 200))
    assert now(reading) == PRESETS["Abdomen"]
    reading.qtbot.keyClick(reading.window, "7")
    assert now(reading) == Window(300, 50)
    assert panel(reading)._presets.currentText() == "File  300 / 50"


def test_7_again_takes_the_next_window_of_the_file(reading: Desk, real_data: Path) -> None:
    reading.open(real_data / "dicom" / "jpeg2000")
    for expected in (Window(300, 40), Window(1500, 300), Window(300, 40)):
        reading.qtbot.keyClick(reading.window, "7")
        assert now(reading) == expected


def test_where_the_file_states_none_its_command_says_so(reading: Desk) -> None:
    action = reading.window.actions_by_key["file_window"]
    assert not action.isEnabled()
    assert action.toolTip() == "The file states no window of its own"
    reading.qtbot.keyClick(reading.window, "7")
    assert now(reading) == PRESETS["Abdomen"]


def save_preset(desk: Desk, name: str, window: Window) -> None:
    desk.window.view_state.window = window
    desk.dialogs.preset = name
    desk.trigger("save_preset")


def test_a_preset_of_ones_own_is_in_menu_and_panel_and_at_the_next_start(reading: Desk) -> None:
    save_preset(reading, "HCC & late", Window(250, 110))
    action = reading.window.actions_by_key["user preset 1"]
    assert action.isVisible()
    assert action.text() == "HCC && late  250 / 110"
    assert not reading.window.actions_by_key["user preset 2"].isVisible()
    assert panel(reading)._presets.currentText() == "HCC & late  250 / 110"
    reading.qtbot.keyClick(reading.window, "1")
    action.trigger()
    assert now(reading) == Window(250, 110)
    kept = json.loads(reading.settings._file.read_text())["user_presets"]
    assert kept == {"HCC & late": [250.0, 110.0]}


def test_a_preset_of_ones_own_can_be_renamed_and_deleted(reading: Desk) -> None:
    save_preset(reading, "Fat", Window(300, -80))
    save_preset(reading, "Late", Window(250, 110))
    reading.window.actions_by_key["user preset 1"].trigger()
    reading.dialogs.preset = "Belly"
    reading.trigger("rename_preset")
    assert list(reading.settings.values.user_presets) == ["Belly", "Late"]
    reading.trigger("delete_preset")
    assert list(reading.settings.values.user_presets) == ["Belly", "Late"]
    reading.dialogs.yes = True
    reading.trigger("delete_preset")
    assert list(reading.settings.values.user_presets) == ["Late"]
    assert now(reading) == Window(300, -80)
    assert not reading.window.actions_by_key["delete_preset"].isEnabled()
    assert "own presets" in reading.window.actions_by_key["delete_preset"].toolTip()


def test_a_dialog_given_up_changes_no_preset(reading: Desk) -> None:
    reading.dialogs.preset = None
    reading.trigger("save_preset")
    assert reading.settings.values.user_presets == {}


def asked(qtbot: QtBot, typed: str, taken: tuple[str, ...], replace: bool) -> PresetDialog:
    dialog = PresetDialog(None, "Save as preset", "", taken, replace)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.keyClicks(dialog._name, typed)
    return dialog


@pytest.mark.parametrize(
    ("typed", "replace", "button", "note"),
    [
        ("", True, "", "Type a name."),
        ("   ", True, "", "Type a name."),
        ("LIVER", True, "", "A preset of the program has this name. Choose another one."),
        ("HCC late", True, "Save", ""),
        ("fat", True, "Replace", 'Replaces "Fat".'),
        ("fat", False, "", "Another preset of yours has this name."),
    ],
)
def test_the_dialog_takes_only_names_that_can_be_used(
    qtbot: QtBot, typed: str, replace: bool, button: str, note: str
) -> None:
    dialog = asked(qtbot, typed, ("Fat",), replace)
    save = dialog._buttons.button(QDialogButtonBox.StandardButton.Save)
    assert save.isEnabled() == bool(button)
    assert not button or save.text() == button
    assert dialog._note.text() == note
    qtbot.keyClick(dialog._name, Qt.Key.Key_Return)
    assert bool(dialog.result()) == bool(button)


def test_a_replaced_preset_keeps_its_spelling(qtbot: QtBot) -> None:
    assert asked(qtbot, " hcc  LATE ", ("HCC late",), True).name == "HCC late"


def test_a_thirteenth_preset_must_replace_one(qtbot: QtBot) -> None:
    taken = tuple(f"Own {n}" for n in range(MOST_USER_PRESETS))
    for typed, can in (("One more", False), ("Own 3", True)):
        dialog = asked(qtbot, typed, taken, True)
        save = dialog._buttons.button(QDialogButtonBox.StandardButton.Save)
        assert save.isEnabled() is can


def test_a_study_comes_back_with_the_window_it_was_last_seen_with(
    reading: Desk, files: Path, tmp_path: Path
) -> None:
    other = stating(tmp_path / "other.nii", 0, 0)
    reading.qtbot.keyClick(reading.window, "5")
    reading.open(other)
    assert now(reading) == PRESETS["Abdomen"]
    reading.open(files / "scan.nii.gz")
    assert now(reading) == PRESETS["Bone"]
    stored = json.loads(reading.settings._file.read_text())["study_windows"]
    assert list(stored.values()) == [[2000.0, 400.0]]
    assert not any("scan" in key for key in stored)


def test_two_volumes_of_a_file_have_a_window_each(reading: Desk, tmp_path: Path) -> None:
    data = np.stack([np.full((8, 8, 4), n, np.int16) for n in (10, 20)], axis=3)
    nib.save(nib.Nifti1Image(data, np.diag([2.0, 2, 2, 1])), tmp_path / "two.nii")
    for choice, key in ((0, "4"), (1, "6")):
        reading.dialogs.choice = choice
        reading.open(tmp_path / "two.nii")
        reading.qtbot.waitUntil(
            lambda choice=choice: reading.window.study.volume.hu[0, 0, 0] == (10, 20)[choice]
        )
        reading.qtbot.keyClick(reading.window, key)
    reading.dialogs.choice = 0
    reading.open(tmp_path / "two.nii")
    reading.qtbot.waitUntil(lambda: reading.window.study.volume.hu[0, 0, 0] == 10)
    assert now(reading) == PRESETS["Lung"]


def test_the_window_is_kept_after_a_pause_and_not_while_it_is_dragged(reading: Desk) -> None:
    pause = reading.window.windows._keep_later
    pause.setInterval(int(WAIT_S * 1000))
    written: list[None] = []
    reading.settings.changed.connect(lambda: written.append(None))
    plot, key = panel(reading).plot, reading.window.study.key
    drag(plot, at_hu(plot, 40), 60, moves=60)
    assert not written
    assert pause.isActive()
    pause.setInterval(0)  # which starts it anew
    reading.qtbot.waitUntil(lambda: bool(written))
    assert len(written) == 1
    assert reading.settings.values.study_windows.get(key) == now(reading)


def test_closing_the_window_keeps_it_at_once(reading: Desk) -> None:
    reading.qtbot.keyClick(reading.window, "4")
    key = reading.window.study.key
    assert reading.settings.values.study_windows.get(key) is None
    assert reading.window.close()
    assert reading.settings.values.study_windows.get(key) == PRESETS["Lung"]


@pytest.mark.parametrize("command", ["clear_recent", "clear_traces"])
def test_clearing_forgets_the_windows_of_studies(reading: Desk, command: str) -> None:
    reading.qtbot.keyClick(reading.window, "4")
    reading.window.windows.keep()
    reading.qtbot.keyClick(reading.window, "5")
    key = reading.window.study.key
    reading.trigger(command)
    reading.idle()
    assert reading.window.close()
    assert reading.settings.values.study_windows.get(key) is None


def test_stating_the_geometry_keeps_the_window_and_the_histogram(reading: Desk) -> None:
    reading.qtbot.keyClick(reading.window, "4")
    volume, histogram = reading.window.study.volume, reading.window.study.histogram
    reading.dialogs.geometry_choice = GeometryChoice((1.0, 1.0, 2.0), None)
    reading.trigger("state_geometry")
    reading.idle()
    assert reading.window.study.volume is not volume
    assert now(reading) == PRESETS["Lung"]
    assert reading.window.study.histogram is histogram


def test_another_scan_brings_its_own_histogram(reading: Desk, tmp_path: Path) -> None:
    before = panel(reading).plot._histogram
    reading.open(stating(tmp_path / "other.nii", 0, 0))
    after = panel(reading).plot._histogram
    assert after is reading.window.study.histogram
    assert after is not before
    assert after.counts[1024] == 8 * 8 * 6
