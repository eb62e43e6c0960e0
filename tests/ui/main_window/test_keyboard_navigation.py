from __future__ import annotations

from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractButton,
    QLineEdit,
    QMenu,
    QMessageBox,
    QSlider,
    QTableWidget,
    QToolBar,
    QTreeWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from liverseg_gui.core.planes import Plane
from liverseg_gui.core.window_level import PRESETS
from liverseg_gui.state.view import Layout, Pane, Tool
from liverseg_gui.ui.main_window.focus_ring import FocusRing, FocusWatch
from liverseg_gui.ui.widgets.mnemonics import plain, with_mnemonic
from liverseg_gui.ui.widgets.number_box import NumberBox
from liverseg_gui.ui.widgets.theme import PLANE_COLORS, tone_color
from tests.ui.conftest import Desk


@pytest.fixture
def at_work(desk: Desk, files: Path) -> Desk:
    """A scan with its mask, the card of gestures read."""
    desk.settings.change(welcomed=True)
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    desk.qtbot.waitUntil(desk.window.isActiveWindow)
    return desk


def press(desk: Desk, key: Qt.Key, *modifiers: Qt.KeyboardModifier) -> None:
    """On whatever has the focus, as the keyboard does."""
    held = Qt.KeyboardModifier.NoModifier
    for modifier in modifiers:
        held |= modifier
    target = desk.window.focusWidget() or desk.window
    desk.qtbot.keyClick(target, key, held)


SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


def test_with_a_scan_the_keyboard_is_on_the_axial_pane(at_work: Desk) -> None:
    assert at_work.window.views[Plane.AXIAL].hasFocus()


def test_keys_go_round_the_panes_and_act_on_the_one_they_reach(at_work: Desk) -> None:
    state, views = at_work.window.view_state, at_work.window.views
    press(at_work, Qt.Key.Key_Tab, CTRL)
    assert state.active is Pane.CORONAL
    assert views[Plane.CORONAL].hasFocus()
    press(at_work, Qt.Key.Key_Up)
    assert state.crosshair_ijk == (64, 65, 24)
    press(at_work, Qt.Key.Key_Tab, CTRL, SHIFT)
    assert views[Plane.AXIAL].hasFocus()
    press(at_work, Qt.Key.Key_PageUp)
    assert state.crosshair_ijk == (64, 65, 34)


def test_tab_makes_the_pane_it_reaches_the_active_one(at_work: Desk) -> None:
    reached = set()
    for _ in range(8):
        press(at_work, Qt.Key.Key_Tab)
        reached.add(at_work.window.view_state.active)
    assert {Pane.CORONAL, Pane.SAGITTAL} <= reached


def test_the_keyboard_follows_when_another_pane_becomes_active(at_work: Desk) -> None:
    at_work.window.view_state.active = Pane.SAGITTAL
    assert at_work.window.views[Plane.SAGITTAL].hasFocus()


@pytest.mark.parametrize("layout", [Layout.ONE_THREE, Layout.SINGLE])
def test_the_pane_with_the_keyboard_has_a_frame_in_the_color_of_its_plane(
    at_work: Desk, layout: Layout
) -> None:
    at_work.window.view_state.layout = layout
    view = at_work.window.views[Plane.AXIAL]
    color = QColor(PLANE_COLORS[Plane.AXIAL])

    def framed() -> list[bool]:
        image = view.grab().toImage()
        rows = (0, 1, view.height() - 1)
        return [image.pixelColor(view.width() // 3, row) == color for row in rows]

    assert all(framed())
    at_work.window.panel.segment_button.setFocus()
    assert framed()[1] is False


def test_shift_and_arrows_move_the_crosshair_as_the_pane_shows_it(at_work: Desk) -> None:
    state = at_work.window.view_state
    press(at_work, Qt.Key.Key_Left, SHIFT)
    press(at_work, Qt.Key.Key_Up, SHIFT)
    assert state.crosshair_ijk == (65, 65, 24)
    press(at_work, Qt.Key.Key_Tab, CTRL)
    press(at_work, Qt.Key.Key_Down, SHIFT)
    press(at_work, Qt.Key.Key_Right, SHIFT)
    assert state.crosshair_ijk == (64, 65, 23)


def test_the_ring_is_around_what_has_the_keyboard_and_follows_it(at_work: Desk) -> None:
    window = at_work.window
    (watch,) = window.findChildren(FocusWatch)
    for widget in (window.panel.segment_button, window.panel._table, window.overlay_panel.opacity):
        if widget is window.overlay_panel.opacity:
            window.display_dock.raise_()
        widget.setFocus()
        assert watch.ring is not None
        assert watch.ring.isVisible()
        around = watch.ring.geometry().translated(
            watch.ring.parentWidget().mapTo(window, watch.ring.parentWidget().rect().topLeft())
        )
        inside = widget.rect().translated(widget.mapTo(window, widget.rect().topLeft()))
        assert around.contains(inside)
        ring = watch.ring.grab().toImage()
        assert ring.pixelColor(ring.width() // 2, 0) == tone_color("accent")
    window.views[Plane.AXIAL].setFocus()
    assert watch.ring is None


def test_the_ring_of_a_list_that_fills_its_panel_is_seen_on_every_side(at_work: Desk) -> None:
    window = at_work.window
    (watch,) = window.findChildren(FocusWatch)
    tree = QTreeWidget(window.panel)
    tree.setGeometry(window.panel.rect())
    tree.show()
    tree.raise_()
    tree.setFocus()
    assert watch.ring is not None
    image = window.panel.grab().toImage()
    right, bottom = window.panel.width() - 1, window.panel.height() - 1
    for x, y in ((right // 2, 0), (right // 2, bottom), (0, bottom // 2), (right, bottom // 2)):
        assert image.pixelColor(x, y) == tone_color("accent")


def test_every_button_and_slider_is_reached_by_tab_and_takes_no_focus_by_a_click(
    at_work: Desk,
) -> None:
    window = at_work.window
    tab, click = Qt.FocusPolicy.TabFocus, Qt.FocusPolicy.ClickFocus
    (bar,) = [bar for bar in window.findChildren(QToolBar) if bar.objectName()]
    tools = [bar.widgetForAction(action) for action in bar.actions()]
    widgets: list[QWidget] = [w for w in tools if isinstance(w, QAbstractButton)]
    assert len(widgets) > 5
    overlay = window.overlay_panel
    widgets.append(window.panel.segment_button)
    widgets += [overlay.visible, overlay.opacity, overlay.exact, overlay.defaults]
    widgets += [overlay.flickering, *overlay.shown.values(), *overlay.colors.values()]
    for widget in widgets:
        assert widget.focusPolicy() & tab
        assert not widget.focusPolicy() & click & ~tab
        assert widget.accessibleName() or widget.text()  # type: ignore[attr-defined]


def test_space_presses_a_button_and_swaps_tools_everywhere_else(at_work: Desk) -> None:
    state, box = at_work.window.view_state, at_work.window.overlay_panel.visible
    before = state.tool
    at_work.window.display_dock.raise_()
    box.setFocus()
    press(at_work, Qt.Key.Key_Space)
    assert not state.overlay_visible
    assert state.tool is before
    at_work.window.views[Plane.AXIAL].setFocus()
    press(at_work, Qt.Key.Key_Space)
    assert state.tool is not before


def test_enter_presses_a_button(at_work: Desk) -> None:
    with at_work.qtbot.waitSignal(at_work.window.panel.segment_requested):
        at_work.window.panel.segment_button.setFocus()
        press(at_work, Qt.Key.Key_Return)


def test_arrows_choose_lesions_in_their_table_and_step_in_a_pane(at_work: Desk) -> None:
    window, state = at_work.window, at_work.window.view_state
    table: QTableWidget = window.panel._table
    table.setFocus()
    press(at_work, Qt.Key.Key_Down)
    press(at_work, Qt.Key.Key_Down)
    assert table.currentRow() == 1
    lesion = window.study.measurements.lesions[1]
    assert state.crosshair_ijk[2] == lesion.slice_k


def test_arrows_move_a_slider_that_has_the_keyboard(at_work: Desk) -> None:
    window, state = at_work.window, at_work.window.view_state
    slider: QSlider = window.overlay_panel.opacity
    window.display_dock.raise_()
    slider.setFocus()
    before, slice_before = slider.value(), state.crosshair_ijk
    press(at_work, Qt.Key.Key_Up)
    assert slider.value() == before + 1
    assert state.crosshair_ijk == slice_before


@pytest.mark.parametrize("kind", [QLineEdit, NumberBox])
def test_what_is_typed_into_a_box_is_no_command(at_work: Desk, kind: type[QWidget]) -> None:
    window, state = at_work.window, at_work.window.view_state
    box = QLineEdit() if kind is QLineEdit else NumberBox(0, 9999, step=1)
    window.panel.layout().addWidget(box)
    box.show()
    box.setFocus()
    box.selectAll()
    before = (state.window, state.tool, state.overlay_visible, state.inverted, state.crosshair_ijk)
    keys = "1203wsni" if isinstance(box, QLineEdit) else "1203"
    for letter in keys:
        at_work.qtbot.keyClick(box, letter)
    now = (state.window, state.tool, state.overlay_visible, state.inverted, state.crosshair_ijk)
    assert now == before
    text = box.text()
    assert text.startswith("1203")
    if not isinstance(box, QLineEdit):
        value = box.typed
        at_work.qtbot.keyClick(box, Qt.Key.Key_Up)
        assert box.value() == value + 1
        assert state.crosshair_ijk == before[-1]
    window.views[Plane.AXIAL].setFocus()
    press(at_work, Qt.Key.Key_2)
    assert state.window == list(PRESETS.values())[1]
    press(at_work, Qt.Key.Key_W)
    assert state.tool is Tool.WINDOW


def test_every_entry_of_every_menu_has_a_letter(desk: Desk) -> None:
    for menu in desk.window.menuBar().findChildren(QMenu):
        for action in menu.actions():
            if not action.isSeparator() and action.text() and menu.title() != "&Panels":
                assert "&" in action.text().replace("&&", ""), action.text()


def test_letters_are_shared_only_when_there_is_no_other() -> None:
    taken: set[str] = set()
    assert with_mnemonic("Open scan ...", taken) == "&Open scan ..."
    assert with_mnemonic("Open folder", taken) == "Open &folder"
    assert with_mnemonic("&1  a && b", taken) == "&1  a && b"
    assert with_mnemonic("Of", taken) == "&Of"
    assert taken == {"o", "f", "1"}
    assert plain("Open && s&can ...") == "Open & scan"


def test_the_ring_of_a_widget_that_is_deleted_asks_nothing_of_it(qtbot: QtBot) -> None:
    box = QMessageBox()
    button = box.addButton("&Licenses", QMessageBox.ButtonRole.ActionRole)
    qtbot.addWidget(box)
    box.show()
    ring = FocusRing(button)
    with qtbot.captureExceptions() as raised:
        shiboken6.delete(box)
    assert raised == []
    assert not shiboken6.isValid(ring)
