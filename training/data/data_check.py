"""The check of a labelled data set before training: what each case holds, and what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.labels import LIVER, TUMOR
from liverseg_gui.core.measure import lesion_parts
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.scan_issues import ScanIssue, Severity
from liverseg_gui.core.slices import median_step
from training.data.case import Case, CaseSource
from training.data.data_check_rules import DatasetIssue, case_issues, dataset_issues, unreadable
from training.data.duplicates import ScanFingerprint, find_duplicates, scan_fingerprint


@dataclass(frozen=True)
class CaseStats:
    """What a case holds.

    `size` is columns, rows and slices, `spacing_mm` their distances, None where it is not known;
    then there are no ml. `voxels` counts background, liver without tumor, and tumor; `liver_ml`
    includes the tumor. `lesions` are 26-connected.
    """

    size: tuple[int, int, int]
    spacing_mm: tuple[float, float, float] | None
    voxels: tuple[int, int, int]
    liver_ml: float | None
    tumor_ml: float | None
    lesions: int


@dataclass(frozen=True)
class CheckedCase:
    """A case, what it holds (None if it cannot be read) and what is doubtful about it."""

    name: str
    patient: str
    figures: CaseStats | None
    issues: tuple[ScanIssue, ...]


@dataclass(frozen=True, eq=False)
class SeenCase:
    """A case that was looked at, and what is kept of it to compare it with others.

    `person` is the patient that its files name, or nothing; a case that cannot be read has no
    `fingerprint`.
    """

    case: CheckedCase
    fingerprint: ScanFingerprint | None = None
    person: str = ""


@dataclass(frozen=True)
class DataCheck:
    """The cases of a data set, and what is doubtful about several of them or all."""

    cases: tuple[CheckedCase, ...]
    whole: tuple[DatasetIssue, ...]

    @property
    def issues(self) -> tuple[DatasetIssue, ...]:
        """Every finding with the cases it is about: those of the whole, then those of each."""
        single = [DatasetIssue((case.name,), f) for case in self.cases for f in case.issues]
        return (*self.whole, *single)

    @property
    def failed(self) -> bool:
        """Whether anything has to be put right before training."""
        return any(f.issue.severity is Severity.ERROR for f in self.issues)

    def to_json(self) -> dict[str, Any]:
        """Plain values: {"cases": [...], "findings": [...]}."""
        return {
            "cases": [_plain_case(case) for case in self.cases],
            "findings": [
                {
                    "code": f.issue.code,
                    "severity": f.issue.severity.value,
                    "message": f.issue.message,
                    "remedy": f.issue.remedy,
                    "cases": list(f.cases),
                }
                for f in self.issues
            ],
        }


def check_sources(sources: Sequence[CaseSource], progress: Progress) -> DataCheck:
    """Read every case once, one at a time; one that cannot be read does not stop the others.

    Raises:
        Cancelled: `progress` was cancelled.
    """
    seen = []
    for n, source in enumerate(sources):
        progress.update(n / len(sources), f"Looking at case {source.name}")
        seen.append(look_at(source))
    progress.update(1.0, "All cases were looked at")
    return DataCheck(tuple(one.case for one in seen), whole_issues(seen, same_scans(seen)))


def look_at(source: CaseSource) -> SeenCase:
    """Read a case once and see what it holds; one that cannot be read is a finding."""
    try:
        case = source.read()
    except (LiverSegError, OSError) as problem:
        issues = (unreadable(problem),)
        return SeenCase(CheckedCase(source.name, source.patient, None, issues))
    checked = CheckedCase(source.name, source.patient, _case_stats(case), case_issues(case))
    return SeenCase(checked, scan_fingerprint(case.slices), case.person)


def same_scans(seen: Sequence[SeenCase]) -> tuple[tuple[str, str], ...]:
    """The names of all pairs of cases that show one scan; it takes time where there are many."""
    fingerprints = [(one.case.name, one.fingerprint) for one in seen if one.fingerprint is not None]
    return tuple(find_duplicates(fingerprints))


def whole_issues(
    seen: Sequence[SeenCase], duplicates: Sequence[tuple[str, str]]
) -> tuple[DatasetIssue, ...]:
    """What is doubtful about these cases as a whole; `duplicates` may name others too."""
    patients = [(one.case.name, one.case.patient) for one in seen]
    read = [one for one in seen if one.case.figures is not None]
    persons = [(one.case.name, one.person) for one in read]
    tumor = any(one.case.figures.voxels[TUMOR] for one in read if one.case.figures)
    there = {one.case.name for one in read}
    pairs = [pair for pair in duplicates if there.issuperset(pair)]
    return tuple(dataset_issues(patients, pairs, persons, tumor))


def _case_stats(case: Case) -> CaseStats:
    counts = np.zeros(3, np.int64)
    for labels in case.labels:
        counts += np.bincount(labels.ravel(), minlength=3)[:3]
    background, liver, tumor = (int(count) for count in counts)
    n, rows, columns = case.slices.shape
    spacing = None
    if case.pixel_mm is not None:
        slice_mm = median_step(np.diff(case.z)) if n > 1 else case.gap
        spacing = (case.pixel_mm[1], case.pixel_mm[0], slice_mm)
    voxel_ml = None if spacing is None else float(np.prod(spacing)) / 1000
    return CaseStats(
        (columns, rows, n),
        spacing,
        (background, liver, tumor),
        None if voxel_ml is None else (liver + tumor) * voxel_ml,
        None if voxel_ml is None else tumor * voxel_ml,
        sum(1 for _ in lesion_parts(case.labels == TUMOR)),
    )


def _plain_case(case: CheckedCase) -> dict[str, Any]:
    stats = case.figures
    values = {} if stats is None else asdict(stats)
    values.pop("voxels", None)
    background, liver, tumor = stats.voxels if stats else (0, 0, 0)
    there = ((0, background), (LIVER, liver), (TUMOR, tumor))
    return {
        "name": case.name,
        "patient": case.patient,
        "slices": stats.size[2] if stats else None,
        **values,
        "labels": {str(label): count for label, count in there if count},
        "problems": [issue.code for issue in case.issues],
    }
