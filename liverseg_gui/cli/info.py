"""`liverseg info`: the volumes at a path and their issues."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from liverseg_gui.cli.console import console_progress, say, say_json
from liverseg_gui.core.errors import UnreadableFileError, UnsupportedFileError
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.scan_issues import by_severity, error
from liverseg_gui.io.entries import Role, VolumeEntry, likeliest
from liverseg_gui.io.scans import list_volumes
from liverseg_gui.system.privacy import remember_secret, scrub

_HIDDEN = "hidden"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the subcommand."""
    info = commands.add_parser(
        "info", help="list the volumes behind a path and what is remarkable about them"
    )
    info.add_argument(
        "input",
        type=Path,
        metavar="INPUT",
        help="scan file, DICOM file, folder, DICOMDIR or zip",
    )
    info.add_argument("--json", action="store_true", help="print JSON")
    info.add_argument(
        "--headers-only", action="store_true", help="faster: do not look at the voxels"
    )
    info.add_argument("--hide-patient", action="store_true", help="leave out name, id and date")
    info.set_defaults(run=run_info)


def run_info(arguments: argparse.Namespace) -> int:
    """Print the volumes, numbered as --volume takes them."""
    with console_progress(quiet=arguments.json) as progress:
        entries = list_volumes(arguments.input, progress.part(0.0, 0.5))
        if not arguments.headers_only:
            entries = _with_voxel_issues(entries, progress.part(0.5, 1.0))
    if arguments.hide_patient:
        for entry in entries:
            remember_secret(entry.about.patient)
            remember_secret(entry.about.patient_names)
            remember_secret(entry.about.patient_id)
        entries = [_hidden(entry) for entry in entries]
    if arguments.json:
        rows = [_row(number, entry) for number, entry in enumerate(entries, 1)]
        say_json({"volumes": rows, "likeliest": _likeliest(entries)})
    else:
        _print(entries)
    return 0


def _with_voxel_issues(entries: Sequence[VolumeEntry], progress: Progress) -> list[VolumeEntry]:
    """`entries` with the issues that only their voxels show."""
    seen = []
    for n, entry in enumerate(entries):
        part = progress.part(n / len(entries), (n + 1) / len(entries))
        if entry.about.role is Role.VOLUME and not entry.problem:
            entry = _with_voxels(entry, part)
        seen.append(entry)
    return seen


def _with_voxels(entry: VolumeEntry, progress: Progress) -> VolumeEntry:
    try:
        return replace(entry, issues=entry.read(progress).issues)
    except UnreadableFileError as problem:
        issue = error("damaged", str(problem), "")
        if isinstance(problem, UnsupportedFileError):
            issue = error("unsupported", str(problem), "")
        return replace(entry, issues=by_severity((*entry.issues, issue)))


def _hidden(entry: VolumeEntry) -> VolumeEntry:
    study = scrub(entry.about.study)
    about = replace(
        entry.about,
        patient=_HIDDEN,
        patient_names="",
        patient_id=_HIDDEN,
        study=study,
        study_date="",
    )
    issues = tuple(replace(f, message=scrub(f.message)) for f in entry.issues)
    named_by_path = entry.description.startswith(entry.path.name)
    description = entry.description.replace(entry.path.name, _HIDDEN, 1)
    return replace(
        entry,
        path=Path(_HIDDEN),
        description=scrub(description if named_by_path else entry.description),
        about=about,
        issues=issues,
        mask=Path(_HIDDEN) if entry.mask else None,
    )


def _likeliest(entries: Sequence[VolumeEntry]) -> int | None:
    chosen = likeliest(entries)
    return None if chosen is None else chosen + 1


def _print(entries: Sequence[VolumeEntry]) -> None:
    best = _likeliest(entries)
    numbered = list(enumerate(entries, 1))
    for heading, group in groupby(numbered, key=lambda pair: _heading(pair[1])):
        if heading:
            say(heading)
        for number, entry in group:
            mark = "*" if number == best and len(entries) > 1 else " "
            role = "" if entry.about.role is Role.VOLUME else f" [{entry.about.role}]"
            phase = f", {entry.about.phase}" if entry.about.phase else ""
            say(f"{mark}{number}: {entry}{phase}{role}")
            for issue in entry.issues:
                say(f"     {issue.severity}: {issue}")
            if entry.mask:
                say(f"     mask: {entry.mask}")
    if best and len(entries) > 1:
        say("* likeliest abdominal CT")


def _heading(entry: VolumeEntry) -> str:
    about = entry.about
    return ", ".join(word for word in (about.patient, about.study, about.study_date) if word)


def _row(number: int, entry: VolumeEntry) -> dict[str, Any]:
    about = entry.about
    return {
        "number": number,
        "path": str(entry.path),
        "description": entry.description,
        "modality": entry.modality,
        "size": entry.size,
        "slices": entry.size[2],
        "spacing_mm": entry.spacing_mm,
        "patient": about.patient,
        "patient_id": about.patient_id,
        "study": about.study,
        "study_date": about.study_date,
        "series_number": about.series_number,
        "phase": about.phase,
        "slice_thickness_mm": about.thickness_mm,
        "role": about.role.value,
        "mask": str(entry.mask) if entry.mask else None,
        "findings": [
            {
                "code": issue.code,
                "severity": issue.severity.value,
                "message": issue.message,
                "remedy": issue.remedy,
                "concern": issue.concern.value,
            }
            for issue in entry.issues
        ],
    }
