"""Enter and Esc lose nothing, whatever is asked, and buttons say what they do."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

import liverseg_gui
from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.dialogs.prompts import Dialogs

_LOSING = re.compile(
    r"delete|discard|remove|cancel the|stop|take (it )?off|segment$|overwrite|replace", re.I
)
ASKED: dict[str, tuple[str, ...]] = {
    "save_first": ("The mask is not saved.",),
    "confirm": ("Remove the model?", "Remove it", "Keep it"),
    "leave_training": ("It is running.", "Go on in the background"),
    "restore_mask": ("The mask was not saved.",),
}


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[QMessageBox]:
    boxes: list[QMessageBox] = []

    monkeypatch.setattr(QMessageBox, "exec", lambda box: boxes.append(box))
    return boxes


@pytest.fixture
def dialogs(qtbot: QtBot, tmp_path: Path) -> Dialogs:
    parent = QWidget()
    qtbot.addWidget(parent)
    return Dialogs(parent, Settings(tmp_path / "settings.json"))


def texts(box: QMessageBox) -> list[str]:
    return [button.text().replace("&", "") for button in box.buttons()]


def test_every_question_is_among_these() -> None:
    source = inspect.getsource(Dialogs)
    methods = re.split(r"\n    def ", source)
    assert {method.split("(")[0] for method in methods if "self._ask(" in method} == set(ASKED)


@pytest.mark.parametrize("name", ASKED)
def test_the_buttons_of_enter_and_esc_lose_nothing(
    dialogs: Dialogs, shown: list[QMessageBox], name: str
) -> None:
    getattr(dialogs, name)(*ASKED[name])
    (box,) = shown
    for button in (box.defaultButton(), box.escapeButton()):
        assert button is not None
        assert not _LOSING.search(button.text())
    assert sum(isinstance(b, QPushButton) and b.isDefault() for b in box.buttons()) == 1
    lines = [text.lower() for text in texts(box)]
    assert "cancel" not in lines or not any("cancel " in line for line in lines)
    assert not {"yes", "no", "ok"} & set(lines)


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Escape])
@pytest.mark.parametrize("name", ASKED)
def test_enter_and_esc_choose_no_loss(
    dialogs: Dialogs,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    key: Qt.Key,
) -> None:
    def press(box: QMessageBox) -> int:
        box.show()
        qtbot.keyClick(box, key)
        return 0

    monkeypatch.setattr(QMessageBox, "exec", press)
    answer = getattr(dialogs, name)(*ASKED[name])
    if name == "confirm":
        assert answer is False
    else:
        assert answer is (None if key == Qt.Key.Key_Escape else True)


def test_the_losing_button_can_be_chosen(dialogs: Dialogs, monkeypatch: pytest.MonkeyPatch) -> None:
    def press(box: QMessageBox) -> int:
        box.show()
        next(b for b in box.buttons() if _LOSING.search(b.text())).click()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", press)
    answers = {name: getattr(dialogs, name)(*words) for name, words in ASKED.items()}
    assert answers == {
        "save_first": False,
        "confirm": True,
        "leave_training": False,
        "restore_mask": False,
    }


def test_no_question_is_asked_past_these() -> None:
    static = re.compile(r"QMessageBox\.(question|warning|information|critical)\(")
    root = Path(liverseg_gui.__file__).parent
    assert not [path for path in root.rglob("*.py") if static.search(path.read_text("utf-8"))]


def test_what_remains_is_named_wherever_something_is_confirmed() -> None:
    root = Path(liverseg_gui.__file__).parent
    last_words = re.compile(r'confirm\((?:[^()]|\([^()]*\))*"([^"]+)",?\s*\)')
    calls = [
        (path.name, call)
        for path in root.rglob("*.py")
        for call in last_words.findall(path.read_text("utf-8"))
    ]
    assert len(calls) >= 4
    assert [call for call in calls if _LOSING.search(call[1]) or call[1] == "Cancel"] == []
