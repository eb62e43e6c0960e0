"""The training window: its steps, the trainings it knows, and how it opens and closes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.training_window import window
from liverseg_gui.ui.training_window.config.page import ConfigPage
from liverseg_gui.ui.training_window.pages import Pages, Step, standard_pages
from liverseg_gui.ui.training_window.window import TrainingWindow
from liverseg_gui.ui.widgets.severity import TONE_ROLE
from tests.training.layouts import pair, small
from tests.ui.conftest import Desk, FakeDialogs
from tests.ui.training_window.conftest import look
from training.config.train_config import TrainConfig
from training.data.selection import DataSelection
from training.runs.folder import RunRecord, RunState
from training.runs.training_job import TrainingJob


def run(
    out: str, name: str, state: RunState, fraction: float = 0.0, message: str = ""
) -> RunRecord:
    job = TrainingJob(out=Path(out), name=name)
    return RunRecord(job.out, name, state, "2026-05-03T14:20:00", job, message, fraction)


class FakeConfig(QWidget):
    changed = Signal()
    wrong = ""
    start_from: str | None = None

    def config(self) -> TrainConfig:
        return TrainConfig(seed=7)

    def problem(self) -> str:
        return self.wrong

    def set_cases(self, sources: Sequence[object], slices: int, validation_slices: int) -> None:
        self.cases = len(sources), slices, validation_slices

    def set_command(self, command) -> None:
        self.command = command

    def shutdown(self) -> None:
        pass


class FakeRun(QWidget):
    finished = Signal(Path)
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.started: list[tuple[TrainingJob, bool]] = []
        self.attached: list[Path] = []
        self.failure = ""
        self.closed = False

    def start(self, job: TrainingJob, resume: bool = False) -> None:
        if self.failure:
            raise LiverSegError(self.failure)
        self.started.append((job, resume))

    def attach(self, out: Path) -> None:
        if self.failure:
            raise LiverSegError(self.failure)
        self.attached.append(out)

    def shutdown(self) -> None:
        self.closed = True


class FakeResult(QWidget):
    discarded = Signal(object)
    shown: Path | None = None

    def show_run(self, out: Path) -> None:
        self.shown = out

    def shutdown(self) -> None:
        pass


class Trainings:
    """What is known, and what was forgotten."""

    def __init__(self) -> None:
        self.runs: list[RunRecord] = []

    def known(self) -> list[RunRecord]:
        return list(self.runs)

    def forget(self, out: Path) -> None:
        self.runs = [run for run in self.runs if run.out != out]


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> Trainings:
    made = Trainings()
    monkeypatch.setattr(window, "known_runs", made.known)
    monkeypatch.setattr(window, "unregister_run", made.forget)
    return made


@pytest.fixture
def pages(settings: Settings, dialogs: FakeDialogs, trainings: Trainings) -> Pages:
    made = standard_pages(settings, dialogs)  # type: ignore[arg-type]
    return replace(made, config=FakeConfig, run=FakeRun, result=FakeResult)


@pytest.fixture
def room(qtbot: QtBot, pages: Pages) -> Iterator[TrainingWindow]:
    room = TrainingWindow(None, pages)
    qtbot.addWidget(room)
    room.show()
    yield room
    room.reject()


def test_it_begins_with_the_data_and_goes_on_only_with_cases(
    qtbot: QtBot, room: TrainingWindow, seven: Path
) -> None:
    assert room.step is Step.DATA
    assert not room.next_button.isEnabled()
    assert room.next_button.toolTip() == "No case is included."
    assert not room.back_button.isVisible()
    room.go_to(Step.RECIPE)
    assert room.step is Step.DATA
    look(qtbot, room.data, seven)
    room.next_button.click()
    assert room.step is Step.RECIPE
    assert room.page(Step.RECIPE).cases == (7, 5 * 20, 2 * 20)
    room.back_button.click()
    assert room.step is Step.DATA


def test_a_training_is_started_with_what_was_chosen(
    qtbot: QtBot, room: TrainingWindow, pages: Pages, seven: Path, tmp_path: Path
) -> None:
    look(qtbot, room.data, seven)
    room.next_button.click()
    assert room.next_button.text() == "&Start training"
    room.name.setText("  ")
    assert not room.next_button.isEnabled()
    assert room.next_button.toolTip() == "Give the model a name."
    room.name.setText("clinic 1")
    room.next_button.click()
    assert room.step is Step.RUN
    out = tmp_path / "home" / "data" / "trainings" / "clinic-1"
    job = pages.job(room.data.selection(), TrainConfig(seed=7), "clinic 1", out)
    assert job.name == "clinic 1"
    assert room.page(Step.RUN).started == [(job, False)]
    room.next_button.click()
    assert room.step is Step.RESULT
    assert room.page(Step.RESULT).shown == out
    assert not room.next_button.isVisible()


def test_the_recipe_learns_the_command_and_a_wrong_one_does_not_start(
    qtbot: QtBot, room: TrainingWindow, seven: Path
) -> None:
    look(qtbot, room.data, seven)
    room.next_button.click()
    config = room.page(Step.RECIPE)
    room.name.setText("mine")
    words = config.command(TrainConfig(), Path("/o"))
    assert words[:3] == ["train", "--data", str(seven)]
    assert "--name=mine" in words
    assert words[words.index("--out") + 1] == "/o"
    config.wrong = "The batch is too large."
    config.changed.emit()
    assert not room.next_button.isEnabled()
    assert room.next_button.toolTip() == "The batch is too large."


def test_a_training_that_cannot_start_says_why_and_stays_at_the_recipe(
    qtbot: QtBot, room: TrainingWindow, seven: Path
) -> None:
    look(qtbot, room.data, seven)
    room.next_button.click()
    room.page(Step.RUN).failure = "The disk is full."
    room.next_button.click()
    assert room.step is Step.RECIPE
    assert room.note.text() == "The disk is full."
    room.back_button.click()
    assert not room.note.isVisible()


def test_known_trainings_are_listed_in_words(room: TrainingWindow, trainings: Trainings) -> None:
    trainings.runs = [
        run("/a", "one", RunState.RUNNING, fraction=0.4),
        run("/b", "two", RunState.FAILED, message="Memory ran out."),
    ]
    room.refresh_runs()
    items = [room.runs.list.item(n) for n in range(2)]
    assert [item.text() for item in items] == [
        "one\nrunning, 40%",
        "two\nfailed, begun 3 May 14:20",
    ]
    assert [item.data(TONE_ROLE) for item in items] == ["accent", "error"]
    assert "Memory ran out." in items[1].toolTip()


def test_what_is_selected_stays_so_while_a_training_goes_on(
    room: TrainingWindow, trainings: Trainings
) -> None:
    one, two = run("/a", "one", RunState.RUNNING), run("/b", "two", RunState.FINISHED)
    trainings.runs = [one, two]
    room.refresh_runs()
    room.runs.list.setCurrentRow(1)
    trainings.runs = [replace(one, fraction=0.5), two]
    room.refresh_runs()
    assert room.runs.chosen == two
    trainings.runs = [run("/c", "new", RunState.RUNNING), one, two]
    room.refresh_runs()
    assert room.runs.chosen == two


def test_an_interrupted_training_goes_on(room: TrainingWindow, trainings: Trainings) -> None:
    killed = run("/a", "one", RunState.INTERRUPTED)
    trainings.runs = [killed, run("/b", "two", RunState.RUNNING)]
    room.refresh_runs()
    assert not room.runs.resume_button.isEnabled()
    room.runs.list.setCurrentRow(1)
    assert not room.runs.resume_button.isEnabled()
    assert not room.runs.forget_button.isEnabled()
    room.runs.list.setCurrentRow(0)
    room.runs.resume_button.click()
    assert room.step is Step.RUN
    assert room.page(Step.RUN).started == [(killed.job, True)]


def test_a_finished_training_shows_its_result_and_a_running_one_itself(
    qtbot: QtBot, room: TrainingWindow, trainings: Trainings
) -> None:
    trainings.runs = [run("/a", "one", RunState.FINISHED), run("/b", "two", RunState.RUNNING)]
    room.refresh_runs()
    room.runs.list.setCurrentRow(0)
    qtbot.keyClick(room.runs.list, Qt.Key.Key_Return)
    assert room.step is Step.RESULT
    assert room.page(Step.RESULT).shown == Path("/a")
    room.runs.list.setCurrentRow(1)
    room.runs.open_button.click()
    assert room.step is Step.RUN
    assert room.page(Step.RUN).attached == [Path("/a"), Path("/b")]


def test_another_result_is_shown_without_leaving_the_step(
    room: TrainingWindow, trainings: Trainings
) -> None:
    trainings.runs = [run("/a", "one", RunState.FINISHED), run("/b", "two", RunState.FINISHED)]
    room.refresh_runs()
    for n, out in enumerate((Path("/a"), Path("/b"))):
        room.runs.list.setCurrentRow(n)
        room.runs.open_button.click()
        assert room.page(Step.RESULT).shown == out


def test_a_training_is_taken_off_the_list(room: TrainingWindow, trainings: Trainings) -> None:
    trainings.runs = [run("/a", "one", RunState.FAILED), run("/b", "two", RunState.FAILED)]
    room.refresh_runs()
    room.runs.list.setCurrentRow(0)
    room.runs.forget_button.click()
    assert [known.name for known in trainings.runs] == ["two"]
    assert room.runs.list.count() == 1


def test_one_that_cannot_be_shown_leaves_the_one_that_is(room: TrainingWindow) -> None:
    room.open_run(run("/a", "one", RunState.RUNNING))
    room.page(Step.RUN).failure = "It is gone."
    room.open_run(run("/b", "two", RunState.FINISHED))
    assert room.note.text() == "It is gone."
    room.next_button.click()
    assert room.page(Step.RESULT).shown == Path("/a")


def test_pages_are_made_when_they_are_gone_to(qtbot: QtBot, pages: Pages) -> None:
    made: list[str] = []
    slow = replace(pages, run=lambda: made.append("run") or FakeRun())
    room = TrainingWindow(None, slow)
    qtbot.addWidget(room)
    assert made == []
    room.open_run(run("/a", "one", RunState.RUNNING))
    assert made == ["run"]
    room.reject()


def test_its_size_is_remembered_and_what_runs_is_given_up(qtbot: QtBot, pages: Pages) -> None:
    sizes = []
    for size in (QSize(700, 480), None):
        room = TrainingWindow(None, pages)
        qtbot.addWidget(room)
        room.show()
        if size is not None:
            room.resize(size)
        run = room.page(Step.RUN)
        room.reject()
        assert run.closed
        sizes.append(room.size())
    assert sizes[0] == sizes[1]


def test_the_menu_opens_one_room_beside_the_window(desk: Desk) -> None:
    desk.trigger("train")
    (room,) = desk.window.findChildren(TrainingWindow)
    assert room.isVisible()
    assert not room.isModal()
    desk.trigger("train")
    assert desk.window.findChildren(TrainingWindow) == [room]
    with desk.qtbot.waitSignal(room.destroyed):
        room.close_button.click()
    desk.trigger("train")
    assert len(desk.window.findChildren(TrainingWindow)) == 1


def test_the_room_closes_with_the_window(desk: Desk) -> None:
    desk.trigger("train")
    (room,) = desk.window.findChildren(TrainingWindow)
    with desk.qtbot.waitSignal(room.destroyed):
        desk.window.close()


def test_a_mask_that_was_saved_in_the_window_meanwhile_is_offered(
    desk: Desk, tmp_path: Path
) -> None:
    desk.trigger("train")
    (room,) = desk.window.findChildren(TrainingWindow)
    assert room.data.folders.corrected.text() == "Studies &corrected here (0)"
    desk.window.activateWindow()
    desk.qtbot.waitUntil(desk.window.isActiveWindow)
    pair(small(1), tmp_path / "a.nii.gz", tmp_path / "drawn.nii.gz")
    desk.open(tmp_path / "a.nii.gz", tmp_path / "drawn.nii.gz")
    desk.trigger("reviewed")
    desk.dialogs.path = tmp_path / "a_mask.nii.gz"
    assert desk.window.controller.save_mask()
    room.activateWindow()
    offered = room.data.folders.corrected
    desk.qtbot.waitUntil(lambda: offered.text() == "Studies &corrected here (1)")


def test_the_program_starts_what_was_chosen_as_a_job_of_its_own(
    desk: Desk, seven: Path, tmp_path: Path
) -> None:
    desk.trigger("train")
    (room,) = desk.window.findChildren(TrainingWindow)
    look(desk.qtbot, room.data, seven)
    room.data.table.setCurrentItem(room.data.table.topLevelItem(0))
    desk.qtbot.keyClick(room.data.table, Qt.Key.Key_Space)
    room.next_button.click()
    page = room.page(Step.RECIPE)
    assert isinstance(page, ConfigPage)
    made = standard_pages(desk.settings, desk.window.context.dialogs)
    job = made.job(room.data.selection(), page.config(), "mine", tmp_path / "out")
    assert job == TrainingJob(
        out=tmp_path / "out",
        data=DataSelection(folders=(seven,), excluded=("liver_1",)),
        name="mine",
        config=TrainConfig(),
    )


def test_opening_it_loads_nothing_that_reads_scans_or_trains(tmp_path: Path) -> None:
    code = (
        "import sys; from PySide6.QtWidgets import QApplication; app = QApplication([]); "
        "from liverseg_gui.state.settings import Settings; "
        "from liverseg_gui.ui.dialogs.prompts import Dialogs; "
        "from liverseg_gui.ui.training_window.pages import standard_pages; "
        "from liverseg_gui.ui.training_window.window import TrainingWindow; s = Settings(); "
        "room = TrainingWindow(None, standard_pages(s, Dialogs(None, s))); room.show(); "
        "print({'torch', 'fastai', 'SimpleITK', 'nibabel', 'pydicom'} & set(sys.modules)); "
        "room.reject()"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "set()\n"
