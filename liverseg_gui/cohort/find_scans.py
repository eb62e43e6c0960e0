"""The cases of a cohort: CT volumes at an input, and what is skipped."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from liverseg_gui.cohort.case_names import Place, case_names
from liverseg_gui.cohort.result import CaseResult, CohortCase, Status, failed
from liverseg_gui.core.errors import UnreadableFileError, system_error_text
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.scan_issues import Severity
from liverseg_gui.io import archives
from liverseg_gui.io.dataset_names import masks_of_ircadb, public_patient
from liverseg_gui.io.entries import Role, SkippedFile, VolumeEntry, fingerprint
from liverseg_gui.io.folders import walk
from liverseg_gui.io.scans import list_volumes, survey_archive
from liverseg_gui.io.survey import survey_folder

Listing = tuple[list[VolumeEntry], list[SkippedFile]]


@dataclass(frozen=True)
class Cohort:
    """The cases to segment, and the results that need none: skipped, or not to be opened.

    `entries` are those of the cases that can be read without listing their volumes again.
    """

    cases: tuple[CohortCase, ...]
    settled: tuple[CaseResult, ...]
    entries: Mapping[str, VolumeEntry]


def find_cases(source: Path, output: Path, progress: Progress, number: int | None = None) -> Cohort:
    """The CT volumes at `source`; with a `number`, that one alone (from 1, as `info` counts).

    Masks of earlier runs, right in `output`, are left out. Volumes in archives inside a folder
    count on after those that `info` lists.

    Raises:
        UnreadableFileError: nothing is there, or no volume of that number.
        Cancelled: `progress` was cancelled.
    """
    source, own = source.absolute(), output.resolve()
    entries, skipped = _survey(source, progress)
    if number is not None and not 1 <= number <= len(entries):
        raise UnreadableFileError(
            f"{source} has no volume {number}. It holds volumes 1 to {len(entries)}."
        )
    numbered = [(n, e) for n, e in enumerate(entries, 1) if not _lies_in(e.path, own)]
    skipped = [p for p in skipped if not _lies_in(p.path, own)]
    cohort = _classify(source, own, numbered, skipped, number)
    return cohort if number is None else _only(cohort, number)


def _lies_in(path: Path, folder: Path) -> bool:
    """Whether `path` is right in `folder`; a link, where it leads (realpath: it may lead round)."""
    return Path(os.path.realpath(path)).parent == folder


def _only(cohort: Cohort, number: int) -> Cohort:
    return Cohort(
        tuple(case for case in cohort.cases if case.number == number),
        tuple(result for result in cohort.settled if result.number == number),
        cohort.entries,
    )


def _survey(source: Path, progress: Progress) -> Listing:
    if not source.is_dir():
        try:
            if archives.is_archive(source):
                entries, skipped = survey_archive(source, progress)
                if entries or any(p.damaged for p in skipped):
                    return entries, skipped
            return list_volumes(source, progress), []
        finally:
            archives.remove(source)
    entries, passed = survey_folder(source, progress.part(0.0, 0.5))
    skipped = [p for p in passed if not archives.is_archive(p.path) or p.damaged]
    archive_paths = [
        place / name
        for place, names in walk(source)
        for name in names
        if archives.is_archive(Path(name))
    ]
    for n, path in enumerate(archive_paths):
        part = progress.part(
            0.5 + 0.5 * n / len(archive_paths), 0.5 + 0.5 * (n + 1) / len(archive_paths)
        )
        if masks_of_ircadb(path, source):
            skipped.append(SkippedFile(path, "masks of 3D-IRCADb-01"))
            continue
        more, no_more = _archive(path, part)
        entries, skipped = entries + more, skipped + no_more
    if not entries and not skipped:
        list_volumes(source, progress)  # says what is missing
    return entries, skipped


def _archive(path: Path, progress: Progress) -> Listing:
    """What an archive inside the folder holds; it is not kept unpacked."""
    try:
        entries, passed = survey_archive(path, progress)
    except UnreadableFileError as problem:
        return [], [SkippedFile(path, str(problem), damaged=True)]
    else:
        nothing = [] if entries or passed else [SkippedFile(path, "holds no scan.")]
        return entries, passed + nothing
    finally:
        archives.remove(path)


def _classify(
    source: Path,
    output: Path,
    numbered: list[tuple[int, VolumeEntry]],
    skipped: list[SkippedFile],
    chosen: int | None,
) -> Cohort:
    """Names for the cases, and results for what is no case."""
    settled = [
        CaseResult("", p.path, None, Status.SKIPPED, p.why) for p in skipped if not p.damaged
    ]
    kept: list[tuple[Place, int, VolumeEntry]] = []
    at_path: Counter[Path] = Counter()
    for n, entry in numbered:
        at_path[entry.path] += 1
        why = _why_not(entry, n == chosen)
        if why:
            settled.append(CaseResult("", entry.path, n, Status.SKIPPED, why))
        else:
            patient = (entry.about.patient, entry.about.patient_id)
            kept.append((Place(entry.path, at_path[entry.path], patient), n, entry))
    settled += [failed(CohortCase("", p.path, None, ""), p.why) for p in skipped if p.unread]
    damaged = [p for p in skipped if p.damaged and not p.unread]
    names = _names(
        source, output, [*(place for place, _, _ in kept), *(Place(p.path) for p in damaged)]
    )
    cases, entries = [], {}
    for name, (_, n, entry) in zip(names, kept, strict=False):
        case = _case(name, n, entry)
        if isinstance(case, CohortCase):
            cases.append(case)
            entries[name] = entry
        else:
            settled.append(case)
    for name, p in zip(names[len(kept) :], damaged, strict=True):
        settled.append(failed(CohortCase(name, p.path, None, ""), p.why))
    in_files = {name: e for name, e in entries.items() if not archives.is_archive(e.path)}
    return Cohort(tuple(cases), tuple(settled), in_files)


def _names(source: Path, output: Path, places: list[Place]) -> list[str]:
    """The names of `places`, by those that data sets give their patients where they do.

    What an earlier run called by its place alone keeps that name, or it would be done anew.
    """
    names, earlier = (
        case_names(source, [replace(place, public=public) for place, public in named])
        for named in (
            [(place, public_patient(place.path)) for place in places],
            [(place, "") for place in places],
        )
    )
    return [
        old if (output / f"{old}.json").is_file() else new
        for old, new in zip(earlier, names, strict=True)
    ]


def _case(name: str, number: int, entry: VolumeEntry) -> CohortCase | CaseResult:
    plain = CohortCase(name, entry.path, number, "")
    if entry.problem:
        return failed(plain, entry.problem)
    try:
        return CohortCase(name, entry.path, number, fingerprint(entry))
    except OSError as problem:
        return failed(plain, system_error_text(problem))


def _why_not(entry: VolumeEntry, chosen: bool) -> str:
    """Why `entry` is no case; a reader who has `chosen` it knows what it is."""
    if entry.about.role is not Role.VOLUME and not chosen:
        return str(entry.about.role)
    if entry.modality != "CT":
        return f"{entry.modality}, and the model knows only CT"
    grave = [f for f in entry.issues if f.severity is Severity.ERROR]
    return str(grave[0]) if grave and grave[0].code == "color" else ""
