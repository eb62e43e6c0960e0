"""Push buttons of dialogs."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLineEdit, QVBoxLayout
from pytestqt.qtbot import QtBot

from liverseg_gui.ui.widgets.buttons import push_button


def test_a_click_presses_it_and_enter_in_its_dialog_does_not(qtbot: QtBot) -> None:
    pressed: list[str] = []
    button = push_button("&Add", lambda: pressed.append("add"), "Adds it")
    dialog, box = QDialog(), QLineEdit()
    qtbot.addWidget(dialog)
    layout = QVBoxLayout(dialog)
    layout.addWidget(box)
    layout.addWidget(button)
    dialog.show()
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert pressed == []
    button.click()
    assert pressed == ["add"]
    assert button.toolTip() == "Adds it"
