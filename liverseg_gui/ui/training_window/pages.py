"""The steps of the training window and the factories of their pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.dialogs.prompts import Dialogs
from liverseg_gui.ui.training_window.config.page import ConfigPage
from liverseg_gui.ui.training_window.data.page import DataPage
from liverseg_gui.ui.training_window.fine_tune.dialog import FineTuneDialog
from liverseg_gui.ui.training_window.results.page import ResultPage
from liverseg_gui.ui.training_window.run.page import RunPage
from liverseg_gui.ui.training_window.run_watcher import RunWatcher
from liverseg_gui.ui.training_window.widgets.slice_image import ShowSlice
from liverseg_gui.ui.widgets.patient_display import text_shown
from training.config.train_config import TrainConfig
from training.data.selection import DataSelection
from training.runs.training_job import TrainingJob


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


@dataclass(frozen=True, kw_only=True)
class Pages:
    """Factories of the pages: each is made when it is first gone to, as that takes time.

    `improve` makes the dialog that fine-tunes the model in use on the cases of a data page. `job`
    takes selection, configuration, name of the model and folder of the training. `shown` hides
    names of patients in a text where they must not be seen. `concern` is called with the folder of
    each training that is started or shown; `may_leave` asks what becomes of those that run when
    the window is closed.
    """

    data: Callable[[], DataPage]
    config: Callable[[], ConfigPage]
    run: Callable[[], RunPage]
    result: Callable[[], ResultPage]
    improve: Callable[[QWidget, DataPage], FineTuneDialog]
    job: Callable[[DataSelection, TrainConfig, str, Path], TrainingJob]
    shown: Callable[[str], str]
    concern: Callable[[Path], None] = lambda _: None
    may_leave: Callable[[], bool] = lambda: True


def standard_pages(
    settings: Settings,
    dialogs: Dialogs,
    watch: RunWatcher | None = None,
    show_slice: ShowSlice | None = None,
) -> Pages:
    """The pages of the program; `watch` looks after its trainings where no window is open, and
    `show_slice` shows a slice of a scan in the viewer."""
    pages = Pages(
        data=lambda: DataPage(settings, dialogs),
        config=lambda: ConfigPage(settings),
        run=lambda: RunPage(dialogs.confirm, settings),
        result=lambda: ResultPage(settings, dialogs, show_slice),
        improve=lambda parent, data: _improve(settings, parent, data),
        job=_job,
        shown=lambda text: text_shown(text, settings),
    )
    if watch is None:
        return pages
    return replace(pages, concern=watch.concern, may_leave=watch.may_leave)


def _improve(settings: Settings, parent: QWidget, data: DataPage) -> FineTuneDialog:
    slices = sum(data.slices)
    dialog = FineTuneDialog(parent, settings, data.sources, data.selection(), slices, data.reviews)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return dialog


def _job(selection: DataSelection, config: TrainConfig, name: str, out: Path) -> TrainingJob:
    return TrainingJob(out=out, data=selection, config=config, name=name)
