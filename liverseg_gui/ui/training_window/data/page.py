"""Data page of the training window: cases, their issues, and the split."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from liverseg_gui.core.errors import LiverSegError, ModelError
from liverseg_gui.core.scan_issues import Severity
from liverseg_gui.segmentation.models.card import ModelCard
from liverseg_gui.segmentation.models.registry import chosen_model, find_model
from liverseg_gui.state.corrected_studies import (
    PREFIX,
    CorrectedStudy,
    corrected_studies,
    forget_corrected,
    mark_reviewed,
)
from liverseg_gui.state.settings import Settings
from liverseg_gui.system.privacy import remember_case, remember_path
from liverseg_gui.ui.dialogs.prompts import Dialogs
from liverseg_gui.ui.jobs.job_bar import JobBar
from liverseg_gui.ui.jobs.job_runner import Job, JobRunner
from liverseg_gui.ui.training_window.data.case_table import CaseTable
from liverseg_gui.ui.training_window.data.fold_bar import FoldBar
from liverseg_gui.ui.training_window.data.folder_list import FolderList
from liverseg_gui.ui.training_window.data.issue_list import IssueLine, IssueList, issue_line
from liverseg_gui.ui.training_window.data.scan_cases import ScannedCase, ScannedCases, scan_cases
from liverseg_gui.ui.training_window.data.split_preview import NOT_YET, preview_split
from liverseg_gui.ui.widgets.patient_display import text_shown
from training.data.selection import DataSelection

if TYPE_CHECKING:
    from training.data.case import CaseSource
    from training.data.data_check import SeenCase
    from training.data.data_check_rules import DatasetIssue

_EMPTY = (
    "Add a folder of scans with their masks, or drop it here. The masks hold 1 for liver and 2 for "
    "tumor, or say by name what they hold."
)
_FINE = "Nothing is doubtful about the cases together. Select one to read about it."


class DataPage(QWidget):
    """Reads the folders in a job of its own; what was read is not read again.

    `changed` is emitted when `selection` or `ready` may be another. A case with an error is left
    out until the reader takes it; one that cannot be read always is.
    """

    changed = Signal()
    _case_scanned = Signal(object, object)

    def __init__(self, settings: Settings, dialogs: Dialogs) -> None:
        super().__init__()
        self._settings, self._dialogs = settings, dialogs
        self.runner = JobRunner()
        self._turn = object()  # the scan under way; results of an earlier one come late
        self._job: Job | None = None
        self._known: dict[str, ScannedCase] = {}
        self._choices: dict[CaseSource, bool] = {}
        self._cases: dict[str, ScannedCase] = {}
        self._scanned: ScannedCases | None = ScannedCases()
        self._split = NOT_YET
        self._start_model: str | None = None
        self._start_card: ModelCard | None = None
        self._note = ""
        self._hides = settings.values.hide_patient
        self._reviews: list[tuple[CorrectedStudy, str]] = []
        self.setAcceptDrops(True)
        self._build()
        # Emitted in the thread of the job, which must not touch widgets.
        self._case_scanned.connect(self._add_case, Qt.ConnectionType.QueuedConnection)
        settings.changed.connect(self._show_settings)
        self.refresh_corrected()
        self._refresh()

    def _build(self) -> None:
        self.folders = FolderList(self._shown)
        self.folders.add_asked.connect(self._ask_folder)
        self.folders.changed.connect(self._scan)
        self.folders.forget_asked.connect(self._forget)
        self.folders.review_asked.connect(self._review)
        self.table = CaseTable()
        self.table.checks_changed.connect(self._choose)
        self.table.case_chosen.connect(self._show_case)
        self.issue_list = IssueList()
        self.bar = JobBar(self.runner, self._shown, "Stop")
        self.fold_bar = FoldBar()
        self.fold_bar.changed.connect(self._refresh)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.table)
        split.addWidget(self.issue_list)
        split.setStretchFactor(0, 1)
        split.setSizes([360, 110])
        split.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.folders)
        layout.addWidget(split, 1)
        layout.addWidget(self.bar, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.fold_bar)

    @property
    def ready(self) -> bool:
        """Whether a training can begin with what is chosen."""
        return self._scanned is not None and self._split.ready

    @property
    def why_not(self) -> str:
        """Why it cannot, or nothing."""
        return "" if self.ready else self._shown(self._note) or self._split.text

    @property
    def scanned(self) -> bool:
        """Whether all folders that are chosen have been scanned."""
        return self._scanned is not None

    @property
    def sources(self) -> list[CaseSource]:
        """The cases that are taken."""
        left_out = self.table.left_out
        return [case.source for name, case in self._cases.items() if name not in left_out]

    @property
    def new_sources(self) -> list[CaseSource]:
        """Those of patients whom the model in use was not trained on, as far as names tell."""
        sources = self.sources
        if not sources:
            return []
        from training.data.leakage_free_split import (  # late: for the start
            patients_seen_by_model,
            trained_on,
        )

        try:
            card = find_model(chosen_model(self._settings))
        except ModelError:
            return sources
        seen = patients_seen_by_model(sources, trained_on(card))
        return [source for source in sources if source.patient not in seen]

    @property
    def reviews(self) -> str:
        """Which of the studies corrected here are learned from, and which are not, in words."""
        if not self.folders.corrected.isChecked() or not self._reviews:
            return ""
        taken = {source.name for source in self.sources}
        lines = [
            f"{study.name} (reviewed on {study.reviewed})"
            for study, why_not in self._reviews
            if not why_not and study.name in taken
        ]
        waiting = sum(bool(why_not) for _, why_not in self._reviews)
        learned = f"Corrected here: {', '.join(lines)}." if lines else ""
        left_out = f"Not reviewed, and left out: {waiting}." if waiting else ""
        return f"{learned} {left_out}".strip()

    @property
    def slices(self) -> tuple[int, int]:
        """How many slices the cases that are trained on have, and those that are held out."""
        counts = [0, 0]
        left_out, held_out = self.table.left_out, self._split.held_out or ()
        for name, case in self._cases.items():
            if case.seen.case.figures is not None and name not in left_out:
                counts[name in held_out] += case.seen.case.figures.size[2]
        return counts[0], counts[1]

    def selection(self) -> DataSelection:
        """What is chosen. Folders from which nothing can be read are not in it."""
        problems = self._scanned.problems if self._scanned else {}
        return DataSelection(
            folders=tuple(folder for folder in self.folders.folders if folder not in problems),
            corrected=self.folders.corrected.isChecked(),
            excluded=tuple(sorted(self.table.left_out)),
            folds=self.fold_bar.folds,
            fold=self.fold_bar.fold,
            seed=self.fold_bar.seed,
            allow_errors=self._insisted,
        )

    @property
    def _insisted(self) -> bool:
        """Whether the reader took a case in spite of its errors."""
        return any(_has_error(case) and self._taken(case) for case in self._cases.values())

    def start_from(self, model: str | None) -> None:
        """Hold nobody out whom `model`, which the training is to start from, was trained on."""
        if model == self._start_model:
            return
        self._start_model, self._start_card = model, None
        if model is not None:
            with contextlib.suppress(ModelError):  # the page of the configuration says so
                self._start_card = find_model(model)
        self._refresh()

    def add(self, folders: Sequence[Path]) -> None:
        """Add folders of labelled cases and scan them."""
        for folder in folders:
            remember_path(folder)
        self.folders.add(folders)

    def refresh_corrected(self) -> None:
        """Offer the studies that are corrected by now."""
        studies: list[CorrectedStudy] = []
        problem = ""
        try:
            studies = corrected_studies()
        except LiverSegError as error:
            problem = str(error)
        states = [(study, study.why_not) for study in studies]
        waiting = sum(bool(why_not) for _, why_not in states)
        self.folders.show_corrected(len(states) - waiting, waiting, problem)
        before, self._reviews = self._reviews, states
        if self.folders.corrected.isChecked() and states != before:
            self._scan()

    def shutdown(self) -> None:
        """End the background work, and disconnect from the settings: the window is closing."""
        self.runner.shutdown()
        self._settings.changed.disconnect(self._show_settings)

    def _ask_folder(self) -> None:
        folder = self._dialogs.labelled_folder()
        if folder is not None:
            self.add([folder])

    def _scan(self) -> None:
        """Scan all that is chosen now, in the place of a scan under way."""
        self.runner.cancel_all()
        self._turn, self._scanned, self._note = object(), None, ""
        work = partial(
            scan_cases,
            self.folders.folders,
            self.folders.corrected.isChecked(),
            dict(self._known),
            partial(self._case_scanned.emit, self._turn),
        )
        job = self.runner.submit("Looking through the cases", work, partial(self._done, self._turn))
        job.failed.connect(partial(self._failed, self._turn))
        job.cancelled.connect(partial(self._stopped, self._turn))
        self._refresh()

    def _add_case(self, turn: object, case: ScannedCase) -> None:
        """A case was seen: it is in the table at once, also where it is read for a late turn."""
        remember_case(case.name)
        self._known[case.fingerprint] = case
        if turn is self._turn:
            before = self._cases.get(case.name)
            self._cases[case.name] = case
            if before is None or _appearance(before) != _appearance(case):
                self.table.add(case, self._taken(case), self._hides)
            self._refresh()

    def _done(self, turn: object, scanned: ScannedCases) -> None:
        if turn is not self._turn:
            return
        self._scanned = scanned
        self._cases = {case.name: case for case in scanned.cases}
        self.table.keep_only(self._cases)
        self.folders.show_problems(scanned.problems)
        self._refresh()

    def _failed(self, turn: object, message: str, details: str) -> None:
        if turn is self._turn:
            self._note = message
            self._refresh()
        if details:
            self._dialogs.problem(self._shown(message), details)

    def _stopped(self, turn: object) -> None:
        if turn is self._turn:
            self._note = (
                "Looking through the cases was stopped. Look again to go on: what was seen is not "
                "read once more."
            )
            self._refresh()

    def _taken(self, case: ScannedCase) -> bool:
        """Whether a case is taken: as the reader chose, else if it has no error."""
        if not case.usable:
            return False
        return self._choices.get(_original(case.source), not _has_error(case))

    def _choose(self) -> None:
        left_out = self.table.left_out
        for name, case in self._cases.items():
            if case.usable:
                self._choices[_original(case.source)] = name not in left_out
        self._refresh()

    def _refresh(self) -> None:
        """Split the patients anew, and show it everywhere."""
        self._split = NOT_YET
        if self._scanned is not None:
            self._split = preview_split(self.sources, self.selection(), self._start_card)
        self.table.show_parts(self._split.held_out)
        self.fold_bar.show_split(self._split)
        self._show_issues()
        self.changed.emit()

    def _show_case(self, name: str) -> None:

        self.folders.offer_forgetting(name.startswith(PREFIX) and not self.runner.busy)
        case = self._cases.get(name)
        self.folders.offer_review(case is not None and bool(case.why_not) and not self.runner.busy)
        self._show_issues()

    def _review(self) -> None:
        """Mark the mask of the selected study as reviewed, once the reader has confirmed."""
        case = self._cases.get(self.table.chosen)
        if case is None or case.study is None:
            return
        question = (
            f"Have you looked at every slice of {case.study.mask} on {case.study.scan}, and is it "
            "right? A model will learn from it. If not, open both in the window first."
        )
        if not self._dialogs.confirm(self._shown(question), "Mark as reviewed", "Not yet"):
            return
        try:
            mark_reviewed(case.name, date.today().isoformat())
        except LiverSegError as problem:
            self._dialogs.problem(self._shown(str(problem)))
            return
        self.refresh_corrected()

    def _forget(self) -> None:
        """Take the selected study off the list of corrected ones, once the reader has confirmed."""

        name = self.table.chosen
        if not self._dialogs.confirm(
            f"Take {self.table.title_of(name)} off the list of corrected studies? Scan and mask "
            "stay where they are; saving the mask again puts it back.",
            "Take it off",
            "Keep it",
        ):
            return
        try:
            forget_corrected(name)
        except LiverSegError as problem:
            self._dialogs.problem(self._shown(str(problem)))
            return
        self.refresh_corrected()

    def _show_issues(self) -> None:
        lines = [*self._case_lines(self._cases.get(self.table.chosen)), *self._dataset_lines()]
        if not lines and self._scanned is not None:
            lines = [(_FINE if self._cases else _EMPTY, "muted")]
        self.issue_list.show_lines([(self._shown(text), tone) for text, tone in lines])

    def _dataset_lines(self) -> list[IssueLine]:
        """The issues of the folders, and of all cases that are taken together."""
        problems: Mapping[Path, str] = self._scanned.problems if self._scanned else {}
        lines = [issue_line(Severity.ERROR, problem) for problem in problems.values()]
        if self._note:
            lines.append(issue_line(Severity.WARNING, self._note))
        left_out = self.table.left_out
        seen = [case.seen for name, case in self._cases.items() if name not in left_out]
        for each in self._dataset_issues(seen):
            titles = " and ".join(self.table.title_of(name) for name in each.cases)
            names = f"{titles}: " if len(each.cases) < len(seen) else ""
            lines.append(issue_line(each.issue.severity, f"{names}{each.issue}"))
        return lines

    def _dataset_issues(self, seen: Sequence[SeenCase]) -> Sequence[DatasetIssue]:
        if self._scanned is None or not seen:
            return ()
        from training.data.data_check import whole_issues  # late: it loads what reads scans

        return whole_issues(seen, self._scanned.alike)

    def _case_lines(self, case: ScannedCase | None) -> list[IssueLine]:
        if case is None:
            return []
        name = self.table.title_of(case.name)
        issues = case.issues
        if not issues:
            return [(f"{name}: nothing doubtful was found.", "muted")]
        return [issue_line(issue.severity, f"{name}: {issue}") for issue in issues]

    def _shown(self, text: str) -> str:
        return text_shown(text, self._settings)

    def _show_settings(self) -> None:
        """Names of cases may be those of patients."""
        if self._hides == self._settings.values.hide_patient:
            return
        self._hides = self._settings.values.hide_patient
        self.folders.refresh()
        self.table.keep_only(())
        for case in self._cases.values():
            self.table.add(case, self._taken(case), self._hides)
        self._refresh()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take folders."""
        if any(Path(url.toLocalFile()).is_dir() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Add the folders that were dropped."""
        event.acceptProposedAction()
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        self.add([path for path in paths if path.is_dir()])


def _appearance(case: ScannedCase) -> tuple[object, ...]:
    """Another one where the case's row is to be another."""
    return case.fingerprint, case.study, case.why_not


def _has_error(case: ScannedCase) -> bool:
    return any(issue.severity is Severity.ERROR for issue in case.issues)


def _original(source: CaseSource) -> CaseSource:
    """The case itself, whatever it is called beside others."""
    from training.data.merge_datasets import RenamedCase

    return source.source if isinstance(source, RenamedCase) else source
