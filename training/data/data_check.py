"""The check of a labelled data set before training: what each case holds, and what is wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.labels import LIVER, TUMOR
from liverseg_gui.core.measure import lesion_parts
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.scan_issues import Concern, ScanIssue, Severity
from training.data.case import Case, CaseSource
from training.data.data_check_rules import DatasetIssue, case_issues, dataset_issues, unreadable
from training.data.duplicates import ScanFingerprint, find_duplicates, scan_fingerprint

_MOST_NAMED = 4


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

    def to_json(self) -> dict[str, Any]:
        """Plain values of a case that was read, but for the name and patient of its source.

        Of the person only a digest is kept: it tells whether two cases are one person's.
        """
        assert self.case.figures is not None
        assert self.fingerprint is not None
        person = hashlib.sha256(self.person.encode()).hexdigest()[:16] if self.person else ""
        return {
            "figures": asdict(self.case.figures),
            "findings": [asdict(issue) for issue in self.case.issues],
            "digest": self.fingerprint.digest.hex(),
            "picture": self.fingerprint.small.round(1).ravel().tolist(),
            "person": person,
        }

    @classmethod
    def from_json(cls, source: CaseSource, values: dict[str, Any]) -> SeenCase:
        """What `to_json` gave of the case that `source` reads.

        Raises:
            LookupError, TypeError, ValueError: the values are damaged.
        """
        issues = tuple(
            ScanIssue(
                **{**row, "severity": Severity(row["severity"]), "concern": Concern(row["concern"])}
            )
            for row in values["findings"]
        )
        figures: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values["figures"].items()
        }
        case = CheckedCase(source.name, source.patient, CaseStats(**figures), issues)
        fingerprint = ScanFingerprint.from_values(values["digest"], values["picture"])
        return cls(case, fingerprint, str(values["person"]))


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
    def errors(self) -> tuple[DatasetIssue, ...]:
        """What has to be put right before training."""
        return tuple(f for f in self.issues if f.issue.severity is Severity.ERROR)

    @property
    def failed(self) -> bool:
        """Whether there are `errors`."""
        return bool(self.errors)

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
    return check_seen(seen)


def look_at(source: CaseSource) -> SeenCase:
    """Read a case once and see what it holds; one that cannot be read is a finding."""
    try:
        case = source.read()
    except (LiverSegError, OSError) as problem:
        issues = (unreadable(problem),)
        return SeenCase(CheckedCase(source.name, source.patient, None, issues))
    return look_over(source, case)


def look_over(source: CaseSource, case: Case) -> SeenCase:
    """What the case that was read from `source` holds, and what is doubtful about it."""
    checked = CheckedCase(source.name, source.patient, _case_stats(case), case_issues(case))
    return SeenCase(checked, scan_fingerprint(case.slices), case.person)


def check_seen(seen: Sequence[SeenCase]) -> DataCheck:
    """The check of cases that were looked at."""
    return DataCheck(tuple(one.case for one in seen), whole_issues(seen, same_scans(seen)))


def require_sound(seen: Sequence[SeenCase]) -> None:
    """Refuse cases with errors; that there is a single patient is for the split to say.

    Raises:
        LiverSegError: the check of a case, or of all together, finds an error.
    """
    errors = [f for f in check_seen(seen).errors if f.issue.code != "single-patient"]
    if not errors:
        return
    first = errors[0]
    more = f" There are {len(errors) - 1} more errors." if len(errors) > 1 else ""
    raise LiverSegError(
        f"The labelled cases have errors. {' and '.join(first.cases[:_MOST_NAMED])}: "
        f"{first.issue.message} ({first.issue.code}){more}",
        "`liverseg train --check` lists them all. Put them right, leave a case out with --exclude "
        "NAME, or train on them all the same with --allow-errors.",
    )


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
    spacing = case.spacing_mm
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
