from __future__ import annotations

from collections import Counter

import pytest
from PySide6.QtGui import QKeySequence

from liverseg_gui.ui.main_window import refresh
from liverseg_gui.ui.main_window.actions import ROWS
from tests.ui.conftest import Desk


def test_no_shortcut_and_no_key_is_used_twice() -> None:
    shortcuts = Counter(QKeySequence(s).toString() for row in ROWS for s in row.shortcuts)
    assert max(shortcuts.values()) == 1
    assert "" not in shortcuts
    assert max(Counter(row.key for row in ROWS).values()) == 1


def test_every_command_stands_in_a_menu(desk: Desk) -> None:
    def commands(menu: object) -> set[object]:
        found = set()
        for action in menu.actions():
            found |= commands(action.menu()) if action.menu() else {action}
        return found

    in_menus = commands(desk.window.menuBar())
    assert set(desk.window.actions_by_key.values()) <= in_menus


def test_names_in_a_menu_are_told_apart(desk: Desk) -> None:
    texts = Counter((row.menu, row.submenu, row.text) for row in ROWS)
    assert max(texts.values()) == 1


def test_training_is_offered(desk: Desk) -> None:
    assert desk.window.actions_by_key["train"].isVisible()


@pytest.fixture
def without_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "has_training", lambda: False)


def test_a_package_without_training_does_not_offer_it(without_training: None, desk: Desk) -> None:
    assert not desk.window.actions_by_key["train"].isVisible()
    assert desk.window.actions_by_key["models"].isVisible()
