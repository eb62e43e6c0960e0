"""Delete acts on what has the keyboard, and says what it did."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDockWidget, QPushButton, QTableWidget, QWidget

from liverseg_gui.core.planes import Plane
from liverseg_gui.state.view import Pane, Tool
from tests.ui.conftest import Desk
from tests.ui.drawing import Hand

_DELETE = Qt.Key.Key_Delete


@pytest.fixture
def hand(desk: Desk, files: Path) -> Hand:
    """A ruler that is chosen on the slice shown, and lesions in their table."""
    desk.settings.change(welcomed=True)
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    desk.idle()
    hand = Hand(desk)
    desk.window.view_state.choose_tool(Tool.RULER)
    hand.drag((40, 60), (90, 60))
    desk.window.view_state.choose_tool(Tool.NAVIGATE)
    desk.qtbot.waitUntil(desk.window.isActiveWindow)
    return hand


def press(hand: Hand, widget: QWidget, key: Qt.Key = _DELETE, **held: Qt.KeyboardModifier) -> None:
    widget.setFocus()
    hand.desk.qtbot.waitUntil(widget.hasFocus)
    hand.desk.qtbot.keyClick(widget, key, **held)


def said(hand: Hand) -> str:
    return hand.desk.window.statusBar().currentMessage()


def lesions(hand: Hand) -> QTableWidget:
    window = hand.desk.window
    window._results_dock.raise_()
    return next(t for t in window.panel.findChildren(QTableWidget) if t.rowCount())


def test_delete_in_the_lesion_table_deletes_no_annotation(hand: Hand) -> None:
    table = lesions(hand)
    press(hand, table)
    assert len(hand.annotations) == 1
    hand.desk.window.controller.go_to_lesion(hand.desk.window.study.measurements.lesions[0])
    press(hand, table)
    assert len(hand.annotations) == 1


def test_an_annotation_out_of_sight_is_not_deleted(hand: Hand) -> None:
    window = hand.desk.window
    shown = hand.view.index
    window.step(3)
    press(hand, hand.view)
    assert len(hand.annotations) == 1
    assert f"axial slice {shown + 1}" in said(hand)
    assert "Nothing was deleted" in said(hand)
    window.step(-3)
    window.view_state.active = Pane.CORONAL
    press(hand, window.views[Plane.CORONAL])
    window.view_state.active = Pane.SURFACE
    hand.desk.trigger("delete_reading")
    assert len(hand.annotations) == 1


def test_what_was_deleted_is_named_and_comes_back(hand: Hand) -> None:
    (before,) = hand.annotations
    press(hand, hand.view)
    assert not hand.annotations
    assert said(hand).startswith("Ruler ")
    assert said(hand).endswith(f" mm on axial slice {before.index + 1} deleted. Undo: Ctrl+Z")
    hand.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert hand.annotations == [before]


def test_the_row_with_the_keyboard_is_deleted_wherever_its_slice_is(hand: Hand) -> None:
    window = hand.desk.window
    window.annotations_dock.raise_()
    window.step(3)
    press(hand, window.annotations_panel._table)
    assert not hand.annotations
    assert "deleted" in said(hand)


def test_the_button_beside_the_list_deletes_the_row_that_is_marked(hand: Hand) -> None:
    window = hand.desk.window
    window.annotations_dock.raise_()
    window.step(3)
    buttons = window.annotations_panel.findChildren(QPushButton)
    next(button for button in buttons if button.text() == "Delete reading").click()
    assert not hand.annotations


def test_deleting_all_says_how_many(hand: Hand) -> None:
    hand.desk.trigger("delete_readings")
    assert said(hand) == "1 reading deleted. Undo: Ctrl+Z"


@pytest.mark.parametrize("kind", ["button", "slider", "list"])
def test_delete_on_a_control_deletes_no_annotation(hand: Hand, kind: str) -> None:
    window = hand.desk.window
    window.display_dock.raise_()
    panel = window.overlay_panel
    press(hand, {"button": panel.visible, "slider": panel.opacity, "list": panel.mode}[kind])
    assert len(hand.annotations) == 1


def test_delete_beside_the_panes_deletes_no_annotation(hand: Hand) -> None:
    """Neither on a figure that can be copied, nor in what scrolls, nor on the histogram."""
    window = hand.desk.window
    for dock in window.findChildren(QDockWidget):
        dock.raise_()
        hand.desk.qtbot.waitUntil(dock.widget().isVisible)
        for widget in dock.findChildren(QWidget):
            reached = widget.isVisible() and widget.isEnabled()
            if reached and widget.focusPolicy() and widget is not window.annotations_panel._table:
                widget.setFocus()
                hand.desk.qtbot.keyClick(widget, _DELETE)
                assert len(hand.annotations) == 1, widget


def test_copy_in_a_table_copies_its_row_and_no_picture(hand: Hand) -> None:
    table = lesions(hand)
    table.selectRow(0)
    QApplication.clipboard().clear()
    control = Qt.KeyboardModifier.ControlModifier
    press(hand, table, Qt.Key.Key_C, modifier=control)
    cells = [table.item(0, column).text() for column in range(table.columnCount())]
    assert QApplication.clipboard().text() == "\t".join(cells)
    press(hand, hand.view, Qt.Key.Key_C, modifier=control)
    assert QApplication.clipboard().mimeData().hasImage()
