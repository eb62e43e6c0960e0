"""A window with a segmenter and dialogs that the test controls."""

from __future__ import annotations

import gc
import shutil
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtWidgets import QDockWidget
from pytestqt.qtbot import QtBot

from liverseg_gui.core.geometry import Affine
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.entries import VolumeEntry
from liverseg_gui.segmentation.segmenter import Segmentation
from liverseg_gui.state.scan_folder import scans_folder
from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.dialogs.geometry_dialog import GeometryChoice
from liverseg_gui.ui.dialogs.labels_dialog import LabelChoice
from liverseg_gui.ui.jobs.job_runner import JobRunner
from liverseg_gui.ui.main_window.window import MainWindow
from liverseg_gui.ui.viewer.screenshot import ScreenshotOptions
from tests.conftest import WAIT_S


class FakeSegmenter:
    """Calls soft tissue liver; waits at half way where the test holds it."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.go_on.set()
        self.failure: Exception | None = None

    def segment(self, volume: Volume, progress: Progress) -> Segmentation:
        progress.update(0.5, "Half way")
        while not self.go_on.wait(0.02):
            progress.update(0.5, "Half way")
        if self.failure is not None:
            raise self.failure
        labels = ((volume.hu > 80) & (volume.hu < 150)).astype(np.uint8)
        return Segmentation(LabelMap(labels, volume.grid), "fake", "cpu", 0.1)


class FakeDialogs:
    """Answers instead of a person, and remembers what was asked."""

    def __init__(self) -> None:
        self.problems: list[tuple[str, str]] = []
        self.crashes: list[str] = []
        self.questions: list[str] = []
        self.save_answer: bool | None = None
        self.leave_answer: bool | None = None
        self.restore_answer: bool | None = None
        self.leave_choices: list[str] = []
        self.yes = False
        self.choice: int | None = None
        self.offered: list[VolumeEntry] = []
        self.proposal: dict[int, int] = {}
        self.label_choice: LabelChoice | None = None
        self.geometry_choice: GeometryChoice | None = None
        self.path: Path | None = None
        self.picture: ScreenshotOptions | None = None
        self.preset: str | None = None

    def problem(self, message: str, details: str = "") -> None:
        self.problems.append((message, details))

    def crashed(self, words: str) -> None:
        self.crashes.append(words)

    def save_first(self, question: str) -> bool | None:
        self.questions.append(question)
        return self.save_answer

    def confirm(self, question: str, yes: str, no: str) -> bool:
        self.questions.append(question)
        return self.yes

    def leave_training(self, question: str, leave: str) -> bool | None:
        self.questions.append(question)
        self.leave_choices.append(leave)
        return self.leave_answer

    def restore_mask(self, question: str) -> bool | None:
        self.questions.append(question)
        return self.restore_answer

    def browse(
        self, title: str, entries: Sequence[VolumeEntry], chosen: Callable[[int], None]
    ) -> None:
        self.questions.append(title)
        self.offered = list(entries)
        if self.choice is not None:
            chosen(self.choice)

    def labels(
        self, name: str, labels: Sequence[Any], proposal: Mapping[int, int]
    ) -> LabelChoice | None:
        self.questions.append(name)
        self.proposal = dict(proposal)
        return self.label_choice

    def geometry(self, affine: Affine) -> GeometryChoice | None:
        return self.geometry_choice

    def preset_name(
        self, title: str, name: str, taken: Collection[str], replace: bool
    ) -> str | None:
        self.questions.append(f"{title} {name}".strip())
        return self.preset

    def scan_file(self) -> Path | None:
        return self.path

    def scan_folder(self) -> Path | None:
        return self.path

    def mask_file(self) -> Path | None:
        return self.path

    def picture_options(self, options: ScreenshotOptions) -> ScreenshotOptions | None:
        return self.picture

    def save_picture_as(self, proposal: Path) -> Path | None:
        self.questions.append(proposal.name)
        return self.path

    def save_mask_as(self, proposal: Path) -> Path | None:
        return self.path

    def save_slices_in(self) -> Path | None:
        return self.path

    def export_as(self, proposal: Path) -> Path | None:
        self.questions.append(proposal.name)
        return self.path

    def model_file(self) -> Path | None:
        return self.path

    def model_folder(self) -> Path | None:
        return self.path

    def labelled_folder(self) -> Path | None:
        return self.path

    def export_model_as(self, proposal: Path) -> Path | None:
        self.questions.append(proposal.name)
        return self.path

    def save_report_as(self, proposal: Path) -> Path | None:
        return self.path


class Desk:
    """The window and its surroundings, with the waits tests need."""

    def __init__(self, qtbot: QtBot, settings: Settings) -> None:
        self.qtbot, self.settings = qtbot, settings
        self.segmenter, self.dialogs = FakeSegmenter(), FakeDialogs()
        self.window = MainWindow(
            self.segmenter,
            self.dialogs,  # type: ignore[arg-type]
            settings,
        )
        qtbot.addWidget(self.window)
        self.window.show()

    def idle(self) -> None:
        self.qtbot.waitUntil(lambda: not self.window.runner.busy)
        self.qtbot.waitUntil(lambda: not self.window.runner.busy)

    def open(self, path: Path, mask: Path | None = None) -> None:
        self.window.controller.open(path, mask)
        self.idle()

    def trigger(self, key: str) -> None:
        self.window.actions_by_key[key].trigger()


@pytest.fixture
def desk(qtbot: QtBot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    # Qt deadlocks where garbage of an earlier window is freed while signals are disconnected
    shutil.rmtree(scans_folder(), ignore_errors=True)
    gc.disable()
    try:
        desk = Desk(qtbot, Settings(tmp_path_factory.mktemp("settings") / "settings.json"))
    finally:
        gc.enable()
    yield desk
    desk.segmenter.go_on.set()
    desk.dialogs.save_answer, desk.dialogs.yes = False, True
    desk.window.close()
    assert not desk.window.isVisible()


@pytest.fixture
def patient_shutdown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who shuts a runner down waits until its thread has ended, and not for some seconds."""
    monkeypatch.setattr(JobRunner.shutdown, "__defaults__", (WAIT_S,))


@pytest.fixture(scope="session")
def files(phantom, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the phantom's scan.nii.gz and truth.nii.gz."""
    from liverseg_gui.cli.phantom import write_phantom

    folder = tmp_path_factory.mktemp("files")
    write_phantom(phantom, folder)
    return folder


@pytest.fixture
def reading(desk: Desk, files: Path) -> Desk:
    """An open scan, the Display panel in front."""
    desk.open(files / "scan.nii.gz")
    dock = desk.window.findChild(QDockWidget, "display")
    assert isinstance(dock, QDockWidget)
    dock.raise_()
    desk.qtbot.waitUntil(desk.window.isActiveWindow)
    desk.qtbot.waitUntil(desk.window.window_panel.plot.isVisible)
    return desk
