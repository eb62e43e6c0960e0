from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QLabel

from liverseg_gui.state.preferences import MouseProfile
from liverseg_gui.system import paths
from liverseg_gui.ui.main_window.actions import ROWS
from liverseg_gui.ui.main_window.mouse_help import GESTURES, first_gestures, gestures_of
from liverseg_gui.ui.main_window.shortcuts_dialog import ShortcutsDialog
from liverseg_gui.ui.main_window.welcome_card import WelcomeCard
from tests.ui.conftest import Desk


def card_of(desk: Desk) -> WelcomeCard:
    card = desk.window.guide.card
    assert card is not None
    return card


@pytest.mark.parametrize("profile", MouseProfile)
def test_five_gestures_are_enough_to_begin_with(profile: MouseProfile) -> None:
    first = first_gestures(profile)
    assert len(first) == 5
    assert {gesture.how for gesture in first} >= {"Wheel", "Left-drag", "Right-drag", "F5"}
    assert all(paths.resource(f"icons/{g.picture}.svg").is_file() for g in GESTURES)


def test_each_profile_says_once_what_its_left_drag_does() -> None:
    for profile, does in ((MouseProfile.DEFAULT, "crosshair"), (MouseProfile.PACS, "window/level")):
        (left,) = [gesture for gesture in gestures_of(profile) if gesture.how == "Left-drag"]
        assert does in left.does


def test_the_card_comes_with_the_first_scan_and_never_again(desk: Desk, files: Path) -> None:
    assert desk.window.guide.card is None
    desk.open(files / "scan.nii.gz")
    card = card_of(desk)
    assert card.isVisible()
    shown = {label.text() for label in card.findChildren(QLabel)}
    assert {gesture.does for gesture in first_gestures(MouseProfile.DEFAULT)} <= shown
    card.accept_button.click()
    assert not card.isVisible()
    assert desk.settings.values.welcomed
    desk.open(files / "scan.nii.gz")
    assert desk.window.guide.card is None


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_a_key_closes_the_card_and_the_keyboard_goes_to_the_pane(
    desk: Desk, files: Path, key: Qt.Key
) -> None:
    desk.open(files / "scan.nii.gz")
    desk.qtbot.waitUntil(desk.window.isActiveWindow)
    card = card_of(desk)
    assert card.accept_button.hasFocus()
    desk.qtbot.keyClick(card.accept_button, key)
    assert desk.window.guide.card is None
    assert desk.window.panes.active_view.hasFocus()


def test_the_panes_can_be_used_beside_the_card(desk: Desk, files: Path) -> None:
    desk.open(files / "scan.nii.gz")
    card = card_of(desk)
    assert not card.isModal()
    window = desk.window
    assert window.childAt(card.mapTo(window, card.rect().center())) in card.findChildren(QLabel)
    view = window.panes.active_view
    beside = view.mapTo(window, QPoint(20, 60))
    assert not card.geometry().contains(view.mapTo(window.panes, QPoint(20, 60)))
    assert view.isAncestorOf(window.childAt(beside))
    desk.qtbot.keyClick(window, Qt.Key.Key_Up)
    assert window.view_state.crosshair_ijk[2] == 25


def test_the_card_stays_in_the_middle_and_leads_to_the_list_of_keys(
    desk: Desk, files: Path
) -> None:
    desk.open(files / "scan.nii.gz")
    card, panes = card_of(desk), desk.window.panes
    desk.window.resize(1500, 900)
    desk.qtbot.waitUntil(lambda: abs(card.geometry().center().x() - panes.rect().center().x()) <= 1)
    card.more_button.click()
    assert desk.window.guide.shortcuts is not None
    assert desk.settings.values.welcomed
    desk.window.guide.shortcuts.reject()


def test_help_shows_the_card_again(desk: Desk, files: Path) -> None:
    desk.settings.change(welcomed=True)
    desk.open(files / "scan.nii.gz")
    desk.trigger("gestures")
    assert card_of(desk).isVisible()


def test_help_without_a_scan_shows_the_card_where_it_can_be_seen(desk: Desk, files: Path) -> None:
    desk.trigger("gestures")
    card = card_of(desk)
    assert card.isVisible()
    desk.open(files / "scan.nii.gz")
    middle = card.mapTo(desk.window, card.rect().center())
    assert card.isAncestorOf(desk.window.childAt(middle))


def test_the_list_has_every_command_with_a_key_and_no_other(desk: Desk) -> None:
    desk.trigger("shortcuts")
    dialog = desk.window.guide.shortcuts
    assert dialog is not None
    mouse = len(gestures_of(MouseProfile.DEFAULT))
    commands = [keys for group, _, keys in dialog.listed if not group.startswith("Mouse")]
    native = QKeySequence.SequenceFormat.NativeText
    expected = [
        ", ".join(QKeySequence(keys).toString(native) for keys in row.shortcuts)
        for row in ROWS
        if row.shortcuts
    ]
    assert sorted(commands) == sorted(expected)
    assert len(dialog.listed) == len(expected) + mouse
    assert not any("&" in text for _, text, _ in dialog.listed)
    dialog.reject()
    assert desk.window.guide.shortcuts is None


def test_the_list_is_searched_by_words_of_commands_keys_and_menus(desk: Desk) -> None:
    dialog = ShortcutsDialog(desk.window, MouseProfile.DEFAULT)
    dialog.search.setText("save mask")
    assert [text for _, text, _ in dialog.listed] == ["Save mask"]
    dialog.search.setText("f5")
    assert ("Segmentation", "Segment", "F5") in dialog.listed
    dialog.search.setText("zoom mouse")
    assert {keys for _, _, keys in dialog.listed} == {"Right-drag", "Ctrl + wheel"}
    dialog.search.setText("")
    assert len(dialog.listed) > 30


def test_the_open_list_follows_the_mouse_profile(desk: Desk) -> None:
    desk.trigger("shortcuts")
    dialog = desk.window.guide.shortcuts
    assert dialog is not None
    desk.settings.change(mouse_profile=MouseProfile.PACS)
    lefts = [text for group, text, keys in dialog.listed if keys == "Left-drag"]
    assert lefts == ["Change window/level"]
    dialog.reject()


def test_no_dialog_is_loaded_before_it_is_asked_for() -> None:
    code = (
        "import sys; from PySide6.QtWidgets import QApplication; app = QApplication([]);"
        "from liverseg_gui.segmentation.segmenter_process import ProcessSegmenter;"
        "from liverseg_gui.ui.main_window.window import MainWindow;"
        "window = MainWindow(ProcessSegmenter()); window.show(); app.processEvents();"
        "late = ('preferences_dialog', 'shortcuts_dialog', 'welcome_card', 'picture_dialog',"
        "'preset_dialog', 'labels_dialog', 'geometry_dialog', 'study_browser', 'problem_box',"
        "'surface_renderer');"
        "print([m for m in late if 'liverseg_gui.ui.' + m in sys.modules]); window.close()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
