"""`liverseg train --check DATA`: contents and issues of a labelled data set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from liverseg_gui.cli.console import console_progress, say, say_json
from liverseg_gui.core.scan_issues import ScanIssue, Severity
from liverseg_gui.system.plain_text import one_line

if TYPE_CHECKING:
    from training.data.data_check import CheckedCase, DataCheck
    from training.data.data_check_rules import DatasetIssue

_MOST_NAMED = 8


def run_check(folders: Sequence[Path], excluded: Sequence[str], as_json: bool) -> int:
    """Print a row for each case of `folders` and all findings; 1 if one of them is an error."""
    from training.data.data_check import check_sources
    from training.data.dataset_layouts import find_all

    with console_progress(quiet=as_json) as progress:
        checked = check_sources(find_all(folders, False, excluded), progress)
    if as_json:
        say_json(checked.to_json())
    else:
        say(*_table(checked.cases), *_grouped(checked.issues), "", _summary(checked))
    return int(checked.failed)


def _table(cases: Sequence[CheckedCase]) -> list[str]:
    rows: list[tuple[str, ...]] = [
        ("case", "patient", "size", "spacing mm", "labels", "liver", "tumor", "lesions", "problems")
    ]
    rows += [_row(case) for case in cases]
    if all(row[0] == row[1] for row in rows[1:]):
        rows = [(row[0], *row[2:]) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _row(case: CheckedCase) -> tuple[str, ...]:
    codes = ", ".join(issue.code for issue in case.issues)
    name, patient = (_plain(word) for word in (case.name, case.patient))
    figures = case.figures
    if figures is None:
        return (name, patient, *["-"] * 6, codes)
    _, liver, tumor = figures.voxels
    spacing = figures.spacing_mm
    return (
        name,
        patient,
        " x ".join(map(str, figures.size)),
        " x ".join(f"{mm:.3g}" for mm in spacing) if spacing else "unknown",
        " ".join(str(label) for label, count in enumerate(figures.voxels) if count),
        _amount(figures.liver_ml, liver + tumor),
        _amount(figures.tumor_ml, tumor),
        str(figures.lesions),
        codes,
    )


def _amount(ml: float | None, voxels: int) -> str:
    return f"{voxels} px" if ml is None else f"{ml:.1f} ml"


def _grouped(issues: Sequence[DatasetIssue]) -> list[str]:
    """Each kind of finding once, errors first, with the cases it is about."""
    groups: dict[ScanIssue, list[tuple[str, ...]]] = {}
    for each in issues:
        groups.setdefault(each.issue, []).append(each.cases)
    lines = []
    for issue in sorted(groups, key=lambda f: (f.severity is not Severity.ERROR, f.code)):
        alone = [cases[0] for cases in groups[issue] if len(cases) == 1]
        together = [_named(cases) for cases in groups[issue] if len(cases) > 1]
        names = [*([_named(alone)] if alone else []), *together]
        lines += ["", f"{issue.severity} {issue.code}: {'; '.join(names)}"]
        lines += [f"  {_plain(part)}" for part in (issue.message, issue.remedy) if part]
    return lines


def _named(cases: Sequence[str]) -> str:
    more = len(cases) - _MOST_NAMED
    shown = cases if more <= 0 else cases[:_MOST_NAMED]
    return ", ".join(map(_plain, shown)) + (f" and {more} more" if more > 0 else "")


def _summary(checked: DataCheck) -> str:
    patients = len({case.patient for case in checked.cases})
    tumor = sum(1 for case in checked.cases if case.figures and case.figures.voxels[2])
    counts = {
        severity: sum(1 for f in checked.issues if f.issue.severity is severity)
        for severity in (Severity.ERROR, Severity.WARNING)
    }
    counted = ", ".join(_count(count, severity) for severity, count in counts.items())
    cases = _count(len(checked.cases), "case")
    return f"{cases} of {_count(patients, 'patient')}, {tumor} with tumor; {counted}."


def _count(count: int, word: str) -> str:
    return f"{count or 'no'} {word}{'' if count == 1 else 's'}"


def _plain(text: str) -> str:
    """`text` on one line, without runs of spaces."""
    return " ".join(one_line(text).split())
