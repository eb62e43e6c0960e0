"""Background scan of folders of labelled cases, free of Qt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.scan_issues import ScanIssue, Severity
from liverseg_gui.state.corrected_studies import CorrectedStudy
from liverseg_gui.ui.training_window.widgets.slice_image import case_thumbnail

if TYPE_CHECKING:
    from training.data.case import Case, CaseSource
    from training.data.data_check import SeenCase

_REVIEW_IT = "Look at the mask, and mark it as reviewed or forget the study."
CORRECTED = Path("corrected")
"""Stands for the studies corrected here in `ScannedCases.problems`."""


@dataclass(frozen=True, eq=False)
class ScannedCase:
    """A case, its check, and its thumbnail; None where it cannot be read.

    `fingerprint` is another one as soon as its files are. `study` is what is known of a case that
    was corrected here, and `why_not` why its mask may not be trained on.
    """

    source: CaseSource
    seen: SeenCase
    picture: NDArray[np.uint8] | None
    fingerprint: str
    study: CorrectedStudy | None = None
    why_not: str = ""

    @property
    def usable(self) -> bool:
        """Whether it can be trained on at all."""
        return self.seen.case.figures is not None and not self.why_not

    @property
    def issues(self) -> tuple[ScanIssue, ...]:
        """What is doubtful about it, the gravest first."""
        issues = self.seen.case.issues
        if not self.why_not:
            return issues
        return (ScanIssue("not-reviewed", Severity.ERROR, self.why_not, _REVIEW_IT), *issues)

    @property
    def name(self) -> str:
        """What the case is called."""
        return self.source.name


@dataclass(frozen=True)
class ScannedCases:
    """The cases of the folders. `problems` holds why nothing can be read from a folder, `alike`
    the names of cases that show the same scan."""

    cases: tuple[ScannedCase, ...] = ()
    problems: Mapping[Path, str] = field(default_factory=dict)
    alike: tuple[tuple[str, str], ...] = ()


def scan_cases(
    folders: Sequence[Path],
    corrected: bool,
    known: Mapping[str, ScannedCase],
    on_case: Callable[[ScannedCase], None],
    progress: Progress,
) -> ScannedCases:
    """Read every case of `folders`, and where `corrected` of the studies corrected here, once.

    What is `known` by its fingerprint is not read again. `on_case` is called with each case.

    Raises:
        Cancelled: `progress` was cancelled.
    """
    from training.data.data_check import same_scans

    studies: dict[str, CorrectedStudy] = {}
    sources, problems = _list_sources(folders, corrected, studies, progress.part(0.0, 0.05))
    reading = progress.part(0.05, 1.0)
    cases = []
    for n, source in enumerate(sources):
        reading.update(n / len(sources), f"Looking at case {n + 1} of {len(sources)}")
        study = studies.get(source.name)
        why_not = study.why_not if study is not None else ""
        case = replace(_scan(source, known), study=study, why_not=why_not)
        on_case(case)
        cases.append(case)
    reading.update(1.0, "All cases were looked at")
    return ScannedCases(tuple(cases), problems, same_scans([case.seen for case in cases]))


def _list_sources(
    folders: Sequence[Path],
    corrected: bool,
    studies: dict[str, CorrectedStudy],
    progress: Progress,
) -> tuple[list[CaseSource], dict[Path, str]]:
    """The cases of all folders that can be read, and why others cannot.

    Those corrected here come with their `studies`, also where nobody reviewed them; then they take
    the place of no other mask.
    """
    from training.data.dataset_layouts import find_sources, kept_sources, unlike
    from training.data.merge_datasets import merge

    groups: dict[Path, list[CaseSource]] = {}
    problems: dict[Path, str] = {}
    for folder in unlike(folders):
        progress.update(0.5, f"Looking what is in {folder.name}")
        try:
            groups[folder] = find_sources(folder)
        except (LiverSegError, OSError) as problem:
            problems[folder] = _problem_text(folder, problem)
    try:
        kept = kept_sources() if corrected else []
    except LiverSegError as problem:
        kept, problems[CORRECTED] = [], str(problem)
    own = [source for study, source in kept if not study.why_not]
    waiting = [source for study, source in kept if study.why_not]
    studies |= {study.name: study for study, _ in kept}
    while True:
        try:
            return [*merge(groups, own), *waiting], problems
        except LiverSegError as problem:  # names that meet: the folder added last is the odd one
            folder, _ = groups.popitem()
            problems[folder] = str(problem)


def _problem_text(folder: Path, problem: LiverSegError | OSError) -> str:
    if isinstance(problem, LiverSegError):
        return str(problem)
    return f"{folder} could not be read: {problem.strerror or problem}. Check that it is there."


def _scan(source: CaseSource, known: Mapping[str, ScannedCase]) -> ScannedCase:
    """The known result of the case under its present name, or that of a check.

    What could not be read is read again: a review may have made it truth meanwhile.
    """
    from training.data.data_check import look_at

    fingerprint = source.fingerprint()
    before = known.get(fingerprint)
    if before is not None and before.seen.case.figures is not None:
        checked = replace(before.seen.case, name=source.name, patient=source.patient)
        return replace(before, source=source, seen=replace(before.seen, case=checked))
    kept = _CaseWithThumbnail(source)
    seen = look_at(kept)
    return ScannedCase(source, seen, kept.picture, fingerprint)


class _CaseWithThumbnail:
    """A `CaseSource` that makes a thumbnail when it is read, so that no case is read twice."""

    def __init__(self, source: CaseSource) -> None:
        self._source = source
        self.picture: NDArray[np.uint8] | None = None

    @property
    def name(self) -> str:
        return self._source.name

    @property
    def patient(self) -> str:
        return self._source.patient

    def read(self) -> Case:
        case = self._source.read()
        self.picture = case_thumbnail(case)
        return case

    def fingerprint(self) -> str:
        return self._source.fingerprint()
