"""Notices about a training in the main window, and the question when that closes."""

from __future__ import annotations

import subprocess
import sys

import pytest
from PySide6.QtGui import QCloseEvent

from liverseg_gui.ui.training_window import run_watcher
from liverseg_gui.ui.training_window.pages import Step
from liverseg_gui.ui.training_window.window import TrainingWindow
from tests.ui.conftest import Desk
from tests.ui.training_window.stage import PLAYER, Stage
from training.runs.control import RunCommand, read_command, send_command
from training.runs.folder import RunRecord, RunState


@pytest.fixture
def room(desk: Desk, stage: Stage) -> TrainingWindow:
    """The room of a window, beside the page of `stage`."""
    desk.trigger("train")
    (room,) = desk.window.findChildren(TrainingWindow)
    return room


def closes(desk: Desk) -> bool:
    event = QCloseEvent()
    desk.window.closeEvent(event)
    return event.isAccepted()


def test_a_training_that_runs_is_told_quietly_and_shown(desk: Desk, stage: Stage) -> None:
    out = stage.start()
    watch = desk.window.trainings
    assert not watch.notice.isVisible()
    watch.look()
    stage.until(lambda: "17%" in (watch.look() or watch.notice.label.text()))
    assert watch.notice.label.text() == 'The training "clinic" is running, 17%.'
    watch.notice.show_button.click()
    (room,) = desk.window.findChildren(TrainingWindow)
    assert room.step is Step.RUN
    assert room.page(Step.RUN).out == out
    assert not watch.notice.isVisible()
    desk.dialogs.leave_answer = True


def test_the_end_of_a_training_that_was_told_of_is_told_too(desk: Desk, stage: Stage) -> None:
    stage.start()
    watch = desk.window.trainings
    watch.look()
    stage.act("finish")
    stage.state("Finished")
    watch.look()
    assert watch.notice.label.text() == 'The training "clinic" is finished.'
    watch.notice.close_button.click()
    assert not watch.notice.isVisible()


def test_an_interrupted_one_is_told_at_the_next_start_until_dismissed(
    desk: Desk, stage: Stage
) -> None:
    stage.start()
    stage.kill()
    watch = desk.window.trainings
    watch.look()
    assert watch.notice.label.text() == 'The training "clinic" was interrupted.'
    watch.notice.close_button.click()
    assert not watch.notice.isVisible()
    watch.look()
    assert not watch.notice.isVisible()


def test_a_finished_training_of_another_day_is_not_told(desk: Desk, stage: Stage) -> None:
    stage.start()
    stage.act("finish")
    stage.state("Finished")
    desk.window.trainings.look()
    assert not desk.window.trainings.notice.isVisible()


def test_a_package_without_training_looks_for_none(
    desk: Desk, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_watcher, "has_training", lambda: False)
    stage.start()
    desk.window.trainings.look()
    assert not desk.window.trainings.notice.isVisible()


def test_the_window_asks_once_what_becomes_of_a_training(
    desk: Desk, room: TrainingWindow, stage: Stage
) -> None:
    out = stage.start()
    room.open_folder(out)
    desk.dialogs.leave_answer = None
    assert not closes(desk)
    assert room.isVisible()
    desk.dialogs.questions.clear()
    desk.dialogs.leave_answer = True
    assert closes(desk)
    assert len(desk.dialogs.questions) == 1
    assert '"clinic" is running' in desk.dialogs.questions[0]
    assert stage.record().active
    assert read_command(out) == "go"


def test_a_paused_training_is_said_to_stay_paused(
    desk: Desk, room: TrainingWindow, stage: Stage
) -> None:
    out = stage.start()
    room.open_folder(out)
    send_command(out, RunCommand.PAUSE)
    stage.until(lambda: stage.record().state is RunState.PAUSED)
    desk.dialogs.leave_answer = None
    assert not closes(desk)
    assert '"clinic" is paused. It stays so' in desk.dialogs.questions[-1]
    assert desk.dialogs.leave_choices[-1] == "Leave it paused"


def test_closing_the_room_asks_and_can_cancel(
    desk: Desk, room: TrainingWindow, stage: Stage
) -> None:
    out = stage.start()
    room.open_folder(out)
    desk.dialogs.leave_answer = None
    room.close_button.click()
    assert room.isVisible()
    desk.dialogs.leave_answer = False
    room.close_button.click()
    assert not room.isVisible()
    stage.state("Cancelled")


def test_a_training_that_was_never_shown_here_is_not_asked_about(desk: Desk, stage: Stage) -> None:
    stage.start()
    assert closes(desk)
    assert desk.dialogs.questions == []


def test_a_training_that_has_ended_is_not_asked_about(
    desk: Desk, room: TrainingWindow, stage: Stage
) -> None:
    room.open_folder(stage.start())
    stage.act("finish, and stay")
    stage.state("Finished")
    assert closes(desk)
    assert desk.dialogs.questions == []


def test_one_that_only_starts_yet_is_ended_where_it_is_cancelled(desk: Desk, stage: Stage) -> None:
    stage.page.command = (sys.executable, "-c", "import time; time.sleep(1500)")
    job = stage.job()
    stage.page.start(job)
    desk.window.trainings.concern(job.out)
    desk.dialogs.leave_answer = False
    assert closes(desk)
    stage.state("Failed")


def test_the_room_refuses_a_second_training_and_shows_the_first(
    desk: Desk, room: TrainingWindow, stage: Stage
) -> None:
    out = stage.start()
    stage.folder.joinpath("second").mkdir()
    page = room.page(Step.RUN)
    page.command = PLAYER
    room.runs.resumed.emit(_other(stage))
    assert '"clinic" is running on this computer' in room.note.text()
    room.show_it.click()
    assert page.out == out
    assert room.step is Step.RUN
    assert not room.note.isVisible()
    desk.dialogs.leave_answer = True


def test_the_room_shows_a_training_that_only_starts_where_it_is_in_the_way(
    desk: Desk, room: TrainingWindow, stage: Stage
) -> None:
    stage.page.command = (sys.executable, "-c", "import time; time.sleep(1500)")
    job = stage.job()
    stage.page.start(job)
    stage.folder.joinpath("second").mkdir()
    room.runs.resumed.emit(_other(stage))
    assert '"clinic" is starting on this computer' in room.note.text()
    room.show_it.click()
    page = room.page(Step.RUN)
    assert page.out == job.out
    assert page.head.title.text() == "clinic: Starting ..."
    desk.dialogs.leave_answer = True


def _other(stage: Stage) -> RunRecord:
    job = stage.job("second")
    return RunRecord(job.out, job.name, RunState.INTERRUPTED, "2026-05-03T14:20:00", job)


def test_looking_loads_neither_torch_nor_what_reads_scans(stage: Stage) -> None:
    stage.start()
    program = (
        "import sys\n"
        "from PySide6.QtWidgets import QApplication\n"
        "app = QApplication([])\n"
        "from liverseg_gui.ui.training_window.run_watcher import RunWatcher\n"
        "assert 'training' not in sys.modules\n"
        "watch = RunWatcher(None)\n"
        "watch.look()\n"
        "assert 'clinic' in watch.notice.label.text()\n"
        "print([name for name in ('torch', 'fastai', 'SimpleITK') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
