from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, QPoint, QSettings, Qt
from PySide6.QtWidgets import QDockWidget
from pytestqt.qtbot import QtBot

from liverseg_gui.state.view import Layout
from liverseg_gui.ui.app.app import keep_geometry, restore_geometry
from liverseg_gui.ui.main_window.actions import PANELS_MENU, menu_named
from tests.ui.conftest import Desk

LEFT, RIGHT = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea


@pytest.fixture
def stored(tmp_path: Path) -> QSettings:
    return QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def other(desk: Desk, qtbot: QtBot) -> Iterator[Desk]:
    """The window of the next start."""
    other = Desk(qtbot, desk.settings)
    yield other
    other.dialogs.save_answer = False
    other.window.close()


def dock(desk: Desk, name: str) -> QDockWidget:
    found = desk.window.findChild(QDockWidget, name)
    assert isinstance(found, QDockWidget)
    return found


def read_back(stored: QSettings) -> QSettings:
    stored.sync()
    return QSettings(stored.fileName(), QSettings.Format.IniFormat)


def test_panels_are_where_they_were_left_at_the_next_start(
    desk: Desk, other: Desk, stored: QSettings
) -> None:
    desk.window.addDockWidget(LEFT, dock(desk, "results"))
    dock(desk, "display").setFloating(True)
    dock(desk, "display").move(200, 150)
    keep_geometry(desk.window, stored)
    restore_geometry(other.window, read_back(stored))
    assert other.window.dockWidgetArea(dock(other, "results")) == LEFT
    assert dock(other, "display").isFloating()
    assert dock(other, "display").isVisible()


def test_a_closed_panel_stays_closed_and_the_menu_brings_it_back(
    desk: Desk, other: Desk, stored: QSettings
) -> None:
    dock(desk, "display").close()
    keep_geometry(desk.window, stored)
    restore_geometry(other.window, read_back(stored))
    assert dock(other, "display").isHidden()
    toggles = {action.text(): action for action in menu_named(other.window, PANELS_MENU).actions()}
    toggles["Display"].trigger()
    assert not dock(other, "display").isHidden()


def test_what_the_window_looked_like_is_told_before_it_closes(
    desk: Desk, other: Desk, stored: QSettings
) -> None:
    dock(desk, "display").setFloating(True)
    desk.window.closing.connect(lambda: keep_geometry(desk.window, stored))
    assert desk.window.close()
    restore_geometry(other.window, read_back(stored))
    assert dock(other, "display").isFloating()
    assert not dock(other, "display").isHidden()


def test_a_closed_scan_check_stays_closed_when_a_scan_is_opened(
    desk: Desk, other: Desk, stored: QSettings, files: Path
) -> None:
    desk.open(files / "scan.nii.gz")
    assert desk.window.card_dock.isVisible()
    desk.window.card_dock.close()
    desk.open(files / "scan.nii.gz")
    assert not desk.window.card_dock.isVisible()
    keep_geometry(desk.window, stored)
    restore_geometry(other.window, read_back(stored))
    other.open(files / "scan.nii.gz")
    assert not other.window.card_dock.isVisible()
    other.trigger("reset_panels")
    assert other.window.card_dock.isVisible()


def test_an_open_scan_check_waits_for_its_scan_at_the_next_start(
    desk: Desk, other: Desk, stored: QSettings, files: Path
) -> None:
    desk.open(files / "scan.nii.gz")
    keep_geometry(desk.window, stored)
    restore_geometry(other.window, read_back(stored))
    assert not other.window.card_dock.isVisible()
    other.open(files / "scan.nii.gz")
    assert other.window.card_dock.isVisible()


@pytest.mark.parametrize("damaged", [QByteArray(b"\x00\xffnothing"), "text", 7, QByteArray()])
def test_a_damaged_state_leaves_the_panels_as_at_the_first_start(
    desk: Desk, stored: QSettings, damaged: object
) -> None:
    stored.setValue("panels", damaged)
    restore_geometry(desk.window, read_back(stored))
    for name in ("results", "display"):
        assert not dock(desk, name).isHidden()
        assert desk.window.dockWidgetArea(dock(desk, name)) == RIGHT


def test_a_panel_on_a_screen_that_is_gone_comes_back(
    desk: Desk, other: Desk, stored: QSettings
) -> None:
    dock(desk, "display").setFloating(True)
    dock(desk, "display").move(QPoint(-9000, -9000))
    keep_geometry(desk.window, stored)
    restore_geometry(other.window, read_back(stored))
    found = dock(other, "display")
    screen = other.window.screen().availableGeometry()
    assert not found.isFloating() or screen.contains(found.frameGeometry().topLeft())


def test_resetting_brings_every_panel_back(desk: Desk) -> None:
    desk.window.addDockWidget(LEFT, dock(desk, "results"))
    dock(desk, "display").setFloating(True)
    dock(desk, "display").close()
    desk.trigger("reset_panels")
    for name in ("results", "display"):
        assert not dock(desk, name).isHidden()
        assert not dock(desk, name).isFloating()
        assert desk.window.dockWidgetArea(dock(desk, name)) == RIGHT


def test_full_screen_and_back(desk: Desk) -> None:
    action = desk.window.actions_by_key["full_screen"]
    action.trigger()
    assert desk.window.isFullScreen()
    action.trigger()
    assert not desk.window.isFullScreen()


def test_the_layout_of_the_panes_is_remembered_and_a_strange_one_is_not_taken(
    desk: Desk, other: Desk, stored: QSettings
) -> None:
    desk.window.view_state.layout = Layout.TWO_BY_TWO
    keep_geometry(desk.window, stored)
    restore_geometry(other.window, read_back(stored))
    assert other.window.view_state.layout is Layout.TWO_BY_TWO
    stored.setValue("layout", "SIDEWAYS")
    stored.sync()
    restore_geometry(other.window, read_back(stored))
    assert other.window.view_state.layout is Layout.TWO_BY_TWO
