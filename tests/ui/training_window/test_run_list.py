"""The list of trainings where there are none, and where there are some."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from liverseg_gui.ui.training_window.run_list import RunList
from tests.ui.training_window.test_window import run
from training.runs.folder import RunState


def test_it_says_that_there_are_no_trainings_yet(qtbot: QtBot) -> None:
    runs = RunList()
    qtbot.addWidget(runs)
    runs.show()
    assert runs.none.text() == "None yet."
    assert runs.none.isVisible()
    runs.show_runs([run("/a", "one", RunState.FINISHED)])
    assert not runs.none.isVisible()
    assert runs.list.isVisible()
    runs.show_runs([])
    assert runs.none.isVisible()
    assert not runs.list.isVisible()
