"""The steps of the training room and what they are to each other. Each page is made late."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from PySide6.QtCore import SignalInstance
from PySide6.QtWidgets import QWidget

from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.dialogs import Dialogs
from liverseg_gui.ui.hiding import text_shown
from liverseg_gui.ui.training_room.data_page import DataPage
from liverseg_gui.ui.training_room.data_selection import DataSelection

if TYPE_CHECKING:
    from training.cases import CaseSource
    from training.config import TrainConfig
    from training.job import TrainingJob


class RecipeStep(Protocol):
    """The second step."""

    @property
    def changed(self) -> SignalInstance:
        """Tells that `recipe` or `problem` may be another."""

    def recipe(self) -> TrainConfig:
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
    """A training as it is asked for (`training.job.TrainingJob`)."""

    @property
    def out(self) -> Path:
        """Its folder."""

    def arguments(self) -> list[str]:
        """What follows `liverseg` on a command line."""


class RunStep(Protocol):
    """The third step."""

    def start(self, job: Job, resume: bool = False) -> None:
        """Start a training in a process of its own, or let one go on."""

    def attach(self, out: Path) -> None:
        """Show the training in `out`, whoever started it."""


class ResultStep(Protocol):
    """The fourth step."""

    def show_run(self, out: Path) -> None:
        """Show what came of the training in `out`."""


@runtime_checkable
class HasJobs(Protocol):
    """A page with work of its own, to be given up when the room closes."""

    def shutdown(self) -> None:
        """Give it up."""


class KnownRun(Protocol):
    """A training that this computer knows of (`training.run_folder.RunRecord`)."""

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
    folder off their list. All may raise a `LiverSegError`.
    """

    job: Callable[[DataSelection, TrainConfig, str, Path], Job]
    new_folder: Callable[[str], Path]
    known: Callable[[], Sequence[KnownRun]]
    forget: Callable[[Path], None]


@dataclass(frozen=True)
class Pages:
    """How each page is made; a step without a page is not offered, nor is one after it.

    `shown` says what of a text may be seen.
    """

    data: Callable[[], DataPage]
    recipe: Callable[[], QWidget] | None = None
    run: Callable[[], QWidget] | None = None
    result: Callable[[], QWidget] | None = None
    training: Training | None = None
    shown: Callable[[str], str] = str


def standard_pages(settings: Settings, dialogs: Dialogs) -> Pages:
    """The pages of the program."""
    return Pages(
        lambda: DataPage(settings, dialogs),
        _recipe,
        training=_training(),
        shown=lambda text: text_shown(text, settings),
    )


def _recipe() -> QWidget:
    from liverseg_gui.ui.training_room.recipe_page import RecipePage

    return RecipePage()


def _training() -> Training:
    from training.runs import forget, known_runs, new_run_folder

    return Training(_job, new_run_folder, known_runs, forget)


def _job(selection: DataSelection, recipe: TrainConfig, name: str, out: Path) -> TrainingJob:
    from training.job import TrainingJob

    return TrainingJob(
        out,
        selection.data,
        selection.corrected,
        selection.excluded,
        name,
        selection.folds,
        selection.fold,
        selection.split_seed,
        recipe=recipe,
    )
