"""A run page whose trainings are played by a small process of its own."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.training_window.run.page import RunPage
from tests.ui.training_window import player
from training.data.selection import DataSelection
from training.runs.folder import RunRecord, read_run
from training.runs.training_job import TrainingJob

PLAYER = (sys.executable, player.__file__)


class Stage:
    """The page, what it was told to ask, and the waits tests need."""

    def __init__(self, qtbot: QtBot, page: RunPage, folder: Path) -> None:
        self.qtbot, self.page, self.folder = qtbot, page, folder
        self.questions: list[str] = []
        self.yes = True
        self.finished: list[Path] = []
        page.finished.connect(self.finished.append)

    def confirm(self, question: str, yes: str, no: str) -> bool:
        self.questions.append(question)
        return self.yes

    def job(self, name: str = "clinic") -> TrainingJob:
        out = self.folder / name
        out.mkdir(exist_ok=True)
        data = DataSelection(folders=(self.folder / "data",))
        return TrainingJob(out=out, data=data, name=name)

    def start(self, name: str = "clinic") -> Path:
        """Start a training and wait until its first epoch is seen."""
        job = self.job(name)
        self.page.start(job)
        self.state("Running")
        self.until(lambda: bool(self.page.strip.names))
        return job.out

    def act(self, word: str) -> None:
        assert self.page.out is not None
        whole = self.page.out / "act.part"
        whole.write_text(word)
        whole.rename(self.page.out / player.ACT)

    def state(self, word: str) -> None:
        self.until(lambda: self.page.head.title.text().endswith(f": {word}"))

    def until(self, done: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(done)

    def kill(self) -> None:
        os.kill(self.record().pid, signal.SIGKILL)
        self.state("Interrupted")

    def record(self) -> RunRecord:
        assert self.page.out is not None
        return read_run(self.page.out)


@pytest.fixture
def stage(qtbot: QtBot, tmp_path: Path, settings: Settings) -> Iterator[Stage]:
    made: list[Stage] = []
    gc.disable()
    try:
        page = RunPage(lambda *words: made[0].confirm(*words), settings)
    finally:
        gc.enable()
    qtbot.addWidget(page)
    page.command = PLAYER
    page.resize(1000, 700)
    page.show()
    made.append(Stage(qtbot, page, tmp_path))
    yield made[0]
    page.shutdown()
    end_all()


def end_all() -> None:
    """End what a test left running."""
    from liverseg_gui.ui.training_window.process import training_process as run_process

    for process in run_process._STARTED:
        process._process.kill()
        process._process.wait()
    run_process._STARTED.clear()
