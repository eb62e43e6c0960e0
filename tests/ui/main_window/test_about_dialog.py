"""The licenses of what the program is made of can be read in the program."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from liverseg_gui.ui.main_window.about_dialog import AboutDialog, LicensesDialog


@pytest.fixture
def dialog(qtbot: QtBot) -> Iterator[LicensesDialog]:
    made = LicensesDialog(None)
    qtbot.addWidget(made)
    with qtbot.waitActive(made):
        made.show()
    yield made
    made.close()


def row_of(dialog: LicensesDialog, name: str) -> int:
    (item,) = dialog.list.findItems(f"{name} ", Qt.MatchFlag.MatchStartsWith)
    return dialog.list.row(item)


def test_the_table_of_all_comes_first(dialog: LicensesDialog) -> None:
    shown = dialog.text.toPlainText()
    assert dialog.list.currentRow() == 0
    assert len(shown.splitlines()) >= dialog.list.count() > 40
    assert "liverseg" in shown
    assert "PySide6_Essentials" in shown


def test_qts_terms_are_there_with_how_to_replace_it(dialog: LicensesDialog) -> None:
    dialog.list.setCurrentRow(row_of(dialog, "PySide6_Essentials"))
    shown = dialog.text.toPlainText()
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in shown
    assert "_internal/PySide6/Qt/lib" in shown


def test_keys_alone_are_enough(dialog: LicensesDialog, qtbot: QtBot) -> None:
    assert dialog.list.hasFocus()
    first = dialog.text.toPlainText()
    qtbot.keyClick(dialog.list, Qt.Key.Key_Down)
    assert dialog.text.toPlainText() != first
    qtbot.keyClicks(dialog.list, "numpy")
    assert dialog.list.currentItem().text().startswith("numpy ")
    qtbot.keyClick(dialog.list, Qt.Key.Key_Tab)
    assert dialog.text.hasFocus()
    before = dialog.text.verticalScrollBar().value()
    qtbot.keyClick(dialog.text, Qt.Key.Key_PageDown)
    assert dialog.text.verticalScrollBar().value() > before
    qtbot.keyClick(dialog.text, Qt.Key.Key_Tab)
    assert not dialog.text.hasFocus()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_the_about_box_leads_there_and_stays_open(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[LicensesDialog] = []
    monkeypatch.setattr(LicensesDialog, "exec", lambda dialog: shown.append(dialog))
    box = AboutDialog(None)
    qtbot.addWidget(box)
    with qtbot.waitActive(box):
        box.show()
    qtbot.keyClick(box, Qt.Key.Key_L, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: [dialog.parent() for dialog in shown] == [box])
    assert box.isVisible()
