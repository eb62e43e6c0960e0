"""The training window by keyboard: where Tab goes, and what Enter does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLineEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from liverseg_gui.ui.training_window.config.page import ConfigPage
from liverseg_gui.ui.training_window.pages import Pages, Step
from liverseg_gui.ui.training_window.window import TrainingWindow
from tests.ui.training_window import test_window
from tests.ui.training_window.conftest import look
from tests.ui.training_window.test_window import FakeConfig

trainings, pages = test_window.trainings, test_window.pages


class BoxConfig(FakeConfig):
    """A recipe with a box to write in."""

    def __init__(self) -> None:
        super().__init__()
        self.box = QLineEdit(self)


@pytest.fixture
def room(qtbot: QtBot, pages: Pages) -> Iterator[TrainingWindow]:
    room = TrainingWindow(None, replace(pages, config=BoxConfig))
    qtbot.addWidget(room)
    room.show()
    yield room
    room.reject()


def tabbed(room: TrainingWindow) -> list[QWidget]:
    """All that takes the focus, as Tab goes through it."""
    ring, widget = [], room.nextInFocusChain()
    while widget is not room:
        ring += [widget] if widget.focusPolicy() is not Qt.FocusPolicy.NoFocus else []
        widget = widget.nextInFocusChain()
    return ring


def test_tab_goes_from_the_side_through_the_page_to_the_buttons_below(room: TrainingWindow) -> None:
    box = room.page(Step.RECIPE).box
    wanted = [room.steps, room.runs.list, room.data.folders.add_button, room.data.table, box]
    wanted += [room.name, room.back_button, room.next_button, room.close_button]
    ring = tabbed(room)
    assert [ring.index(widget) for widget in wanted] == sorted(map(ring.index, wanted))
    assert ring[-1] is room.close_button


def test_enter_goes_on_from_the_data_and_starts_no_training_from_a_box_of_the_recipe(
    qtbot: QtBot, room: TrainingWindow, seven: Path
) -> None:
    look(qtbot, room.data, seven)
    qtbot.keyClick(room, Qt.Key.Key_Return)
    assert room.step is Step.RECIPE
    qtbot.keyClick(room.page(Step.RECIPE).box, Qt.Key.Key_Return)
    assert room.step is Step.RECIPE
    assert room.page(Step.RUN).started == []


def test_enter_in_a_box_of_the_recipe_presses_no_button_of_the_page(
    qtbot: QtBot, config_page: ConfigPage
) -> None:
    dialog = QDialog()
    qtbot.addWidget(dialog)
    QVBoxLayout(dialog).addWidget(config_page)
    pressed = [b.text() for b in config_page.findChildren(QPushButton) if b.autoDefault()]
    config_page.setParent(None)
    assert pressed == []
