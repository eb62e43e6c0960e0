"""The steps of the training room and what they are to each other. Each page is made late."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from PySide6.QtCore import Qt, SignalInstance
from PySide6.QtWidgets import QWidget

from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.dialogs.prompts import Dialogs
from liverseg_gui.ui.training_window.data.page import DataPage
from liverseg_gui.ui.training_window.run_watcher import RunWatcher
from liverseg_gui.ui.widgets.patient_display import text_shown
from training.data.selection import DataSelection

if TYPE_CHECKING:
    from training.config.train_config import TrainConfig
    from training.data.case import CaseSource
    from training.runs.training_job import TrainingJob
from enum import IntEnum

from PySide6.QtWidgets import QListWidgetItem

from liverseg_gui.ui.training_window.widgets.slice_image import ShowSlice


class ConfigStep(Protocol):
    """The second step."""

    @property
    def changed(self) -> SignalInstance:
        """Tells that `config` or `problem` may be another."""

    @property
    def start_from(self) -> str | None:
        """The model that the training starts from, or None."""

    def config(self) -> TrainConfig:
        """The recipe as it is now.

        Raises:
            LiverSegError: it is not valid.
        """

    def problem(self) -> str:
        """What is wrong with it, or nothing."""

    def set_cases(self, sources: Sequence[CaseSource], slices: int, watched: int) -> None:
        """What is trained on, with how many slices, and how many are held out."""

    def set_command(self, command: Callable[[TrainConfig, Path], Sequence[str]] | None) -> None:
        """What follows `liverseg` for a recipe and the folder of a training."""


class Job(Protocol):
    """A training as it is asked for (`training.runs.training_job.TrainingJob`)."""

    @property
    def out(self) -> Path:
        """Its folder."""

    def arguments(self) -> list[str]:
        """What follows `liverseg` on a command line."""


class RunStep(Protocol):
    """The third step."""

    @property
    def finished(self) -> SignalInstance:
        """Tells the folder of a training that was seen running and is done."""

    @property
    def changed(self) -> SignalInstance:
        """Tells that a training may be in another state."""

    def start(self, job: Job, resume: bool = False) -> None:
        """Start a training in a process of its own, or let one go on."""

    def attach(self, out: Path) -> None:
        """Show the training in `out`, whoever started it."""


class ResultStep(Protocol):
    """The fourth step."""

    @property
    def discarded(self) -> SignalInstance:
        """Tells the folder of a training that was deleted."""

    def show_run(self, out: Path) -> None:
        """Show what came of the training in `out`."""


class ImproveAsk(Protocol):
    """What asks whether the model in use is to be improved."""

    @property
    def asked(self) -> SignalInstance:
        """Tells the `Job` to start."""

    def open(self) -> None:
        """Ask, and return at once."""


@runtime_checkable
class HasJobs(Protocol):
    """A page with work of its own, to be given up when the room closes."""

    def shutdown(self) -> None:
        """Give it up."""


class KnownRun(Protocol):
    """A training that this computer knows of (`training.runs.folder.RunRecord`)."""

    @property
    def out(self) -> Path:
        """Its folder."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def state(self) -> str:
        """How it is, in a word: "running", "interrupted", "finished" ..."""

    @property
    def started(self) -> str:
        """When, in ISO 8601."""

    @property
    def message(self) -> str:
        """What it last said."""

    @property
    def fraction(self) -> float:
        """How much is done."""

    @property
    def resumable(self) -> bool:
        """Whether it can go on."""

    @property
    def job(self) -> Job:
        """What was asked for."""


@dataclass(frozen=True)
class Training:
    """What the room needs besides pages to start trainings and to find them again.

    `job` takes what is trained on, how, the model's name and the folder of the training;
    `new_folder` makes one for a name. `known` are the trainings, and `forget` takes the one in a
    folder off their list. `refuse_second` refuses to start one beside another. All may raise a
    `LiverSegError`.
    """

    job: Callable[[DataSelection, TrainConfig, str, Path], Job]
    new_folder: Callable[[str], Path]
    known: Callable[[], Sequence[KnownRun]]
    forget: Callable[[Path], None]
    refuse_second: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Pages:
    """How each page is made; a step without a page is not offered, nor is one after it.

    `shown` says what of a text may be seen. `concern` is told the folder of each training that is
    started or shown, and `may_leave` asks what becomes of those that run when the room is closed.
    `improve` makes what asks whether the model in use is to be improved with the cases on a data
    page.
    """

    data: Callable[[], DataPage]
    config: Callable[[], QWidget] | None = None
    run: Callable[[], QWidget] | None = None
    result: Callable[[], QWidget] | None = None
    training: Training | None = None
    shown: Callable[[str], str] = str
    concern: Callable[[Path], None] = lambda _: None
    may_leave: Callable[[], bool] = lambda: True
    improve: Callable[[QWidget, DataPage], ImproveAsk] | None = None


def standard_pages(
    settings: Settings,
    dialogs: Dialogs,
    watch: RunWatcher | None = None,
    show_slice: ShowSlice | None = None,
) -> Pages:
    """The pages of the program; `watch` looks after its trainings where no room is open, and
    `show_slice` shows a slice of a scan in the window."""

    def shown(text: str) -> str:
        return text_shown(text, settings)

    pages = Pages(
        lambda: DataPage(settings, dialogs),
        lambda: _config(settings),
        lambda: _run(settings, dialogs),
        lambda: _result(settings, dialogs, show_slice),
        training=_training(),
        shown=shown,
        improve=lambda parent, data: _improve(settings, parent, data),
    )
    if watch is None:
        return pages
    return replace(pages, concern=watch.concern, may_leave=watch.may_leave)


def _config(settings: Settings) -> QWidget:
    from liverseg_gui.ui.training_window.config.page import ConfigPage

    return ConfigPage(settings)


def _run(settings: Settings, dialogs: Dialogs) -> QWidget:
    from liverseg_gui.ui.training_window.run.page import RunPage

    return RunPage(dialogs.confirm, settings)


def _result(settings: Settings, dialogs: Dialogs, show_slice: ShowSlice | None) -> QWidget:
    from liverseg_gui.ui.training_window.results.page import ResultPage

    return ResultPage(settings, dialogs, show_slice)


def _improve(settings: Settings, parent: QWidget, data: DataPage) -> ImproveAsk:
    from liverseg_gui.ui.training_window.fine_tune.dialog import FineTuneDialog

    slices = sum(data.slices)
    dialog = FineTuneDialog(parent, settings, data.sources, data.selection(), slices)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return dialog


def _training() -> Training:
    from liverseg_gui.ui.training_window.process.training_process import refuse_second
    from training.runs.registry import known_runs, new_run_folder, unregister_run

    return Training(_job, new_run_folder, known_runs, unregister_run, refuse_second)


def _job(selection: DataSelection, config: TrainConfig, name: str, out: Path) -> TrainingJob:
    from training.runs.training_job import TrainingJob

    return TrainingJob(out=out, data=selection, config=config, name=name)


class Step(IntEnum):
    """The steps, in their order."""

    DATA = 0
    RECIPE = 1
    RUN = 2
    RESULT = 3


TITLES = {
    Step.DATA: "Data",
    Step.RECIPE: "Recipe",
    Step.RUN: "Run",
    Step.RESULT: "Result",
}


def makers(pages: Pages) -> dict[Step, Callable[[], QWidget] | None]:
    """What makes the page of each step."""
    return {
        Step.DATA: pages.data,
        Step.RECIPE: pages.config,
        Step.RUN: pages.run,
        Step.RESULT: pages.result,
    }


def offered_steps(pages: Pages) -> list[Step]:
    """The steps up to the first that has no page."""
    offered = []
    for step, make in makers(pages).items():
        if make is None:
            break
        offered.append(step)
    return offered


def allow(item: QListWidgetItem, why_not: str) -> None:
    """Let the step in a list be gone to, or say why it cannot be."""
    enabled = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
    item.setFlags(Qt.ItemFlag.NoItemFlags if why_not else enabled)
    item.setToolTip(why_not)
