"""State, jobs and dialogs that all controllers share, and how problems are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from liverseg_gui.core.progress import Progress
from liverseg_gui.state.annotation_store import AnnotationStore
from liverseg_gui.state.annotations import Annotations
from liverseg_gui.state.history import History
from liverseg_gui.state.open_scan import OpenScan
from liverseg_gui.state.settings import Settings
from liverseg_gui.state.unsaved_masks import UnsavedMasks
from liverseg_gui.state.view import ViewState
from liverseg_gui.ui.dialogs.prompts import Dialogs
from liverseg_gui.ui.jobs.job_runner import Job, JobRunner
from liverseg_gui.ui.widgets.patient_display import text_shown


class AppContext(QObject):
    """Holds what a command needs. `status_message` is a line for the status bar."""

    status_message = Signal(str)

    def __init__(
        self,
        study: OpenScan,
        view: ViewState,
        settings: Settings,
        runner: JobRunner,
        dialogs: Dialogs,
    ) -> None:
        super().__init__()
        self.study, self.view, self.settings = study, view, settings
        self.runner, self.dialogs = runner, dialogs
        self.history = History()
        self.annotations = Annotations(study, self.history)
        self.annotation_store = AnnotationStore(study, self.annotations)
        self.unsaved_masks = UnsavedMasks(study)
        self.annotation_store.failed.connect(self.say)

    @property
    def restored_words(self) -> str:
        """What follows "Opened ..." where annotations of the scan are there again."""
        count = len(self.annotations.items)
        kept = "1 reading is" if count == 1 else f"{count} readings are"
        return f". {kept} shown again" if count else ""

    def submit(
        self,
        name: str,
        work: Callable[[Progress], Any],
        done: Callable[[Any], None],
        cancellable: bool = True,
    ) -> Job:
        """Run `work` as a job; `done` gets its result, a problem is told."""
        job = self.runner.submit(name, work, done, cancellable)
        job.failed.connect(self._tell_later)
        job.cancelled.connect(lambda: self.say(f"{name}: cancelled"))
        return job

    def say(self, text: str) -> None:
        """Tell something in passing."""
        self.status_message.emit(text_shown(text, self.settings))

    def tell(self, message: str, details: str = "") -> None:
        """Show a problem and wait until it is read."""
        self.dialogs.problem(text_shown(message, self.settings), details)

    def _tell_later(self, message: str, details: str) -> None:
        """Show a problem once the job has ended, so that its dialog blocks nothing."""
        QTimer.singleShot(0, lambda: self.tell(message, details))
