"""Labelled cases of one's own: listed in cases.json, or each scan with its mask beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from liverseg_gui.core.errors import LiverSegError, UnreadableFileError
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.io.dataset_names import image_stem
from liverseg_gui.io.folders import walk
from liverseg_gui.io.masks.label_values import parse_labels
from liverseg_gui.state.corrected_studies import somebody
from training.data.volume_case import VolumeCase

LIST = "cases.json"
_KEYS = {"name", "patient", "scan", "mask", "labels", "volume"}
_MASK = re.compile(r"(.+)_mask\.nii(\.gz)?", re.IGNORECASE)
_HIDDEN = "scan"
"""What the program calls a scan in the name of its mask where patients are hidden."""
_TRUTH = re.compile(r"truth\.nii(\.gz)?")
_HEADERS_TRIED = 5


def listed_sources(folder: Path) -> Sequence[VolumeCase]:
    """The cases that cases.json in `folder` lists; nothing where there is none.

    {"cases": [{"name": ..., "patient": ..., "scan": ..., "mask": ...}]}, paths relative to the
    folder. "patient" may be left out: then scans whose DICOM files have one PatientID are one
    patient's, and any other is a patient of its own. "labels" says what the mask's values mean,
    e.g. "5=liver,6=tumor"; "volume" chooses among the volumes of `scan`, from 1.

    Raises:
        UnreadableFileError: it is damaged, or an entry makes no sense.
    """
    path = folder / LIST
    if not path.is_file():
        return ()
    try:
        rows = parse_json(path.read_text("utf-8"))["cases"]
        cases = [_listed(folder, row) for row in rows]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UnreadableFileError(
            f'{path} is damaged: it should be {{"cases": [{{"name": ..., "patient": ..., "scan": '
            f'..., "mask": ...}}]}} ({error}).'
        ) from error
    except LiverSegError as error:
        raise UnreadableFileError(f"{path}: {error}") from error
    return _by_patient_id(cases)


def _listed(folder: Path, row: dict[str, Any]) -> VolumeCase:
    if unknown := sorted(set(row) - _KEYS):
        raise LiverSegError(
            f"{row.get('name')} has '{unknown[0]}', which means nothing here. Use "
            f"{', '.join(sorted(_KEYS))}."
        )
    labels = tuple(parse_labels(row["labels"]).items()) if "labels" in row else ()
    volume = int(row["volume"]) if "volume" in row else None
    name = str(row["name"])
    scan, mask = folder / row["scan"], folder / row["mask"]
    return VolumeCase(folder, name, str(row.get("patient", "")), scan, mask, labels, volume)


def beside_sources(folder: Path) -> Sequence[VolumeCase]:
    """Every mask in `folder` and below that is named as this program saves it, with its scan.

    X_mask.nii.gz belongs to X.nii.gz, X.nii, or the file or DICOM folder X; scan_mask.nii.gz, as
    it is called where patients are hidden, to the only scan beside it. A phantom's truth.nii.gz
    belongs to scan.nii.gz or the folder dicom.
    """
    pairs = [
        (case, scan)
        for place, names in walk(folder)
        for case, scan in _beside(folder, place, names)
    ]
    if not any(scan_found for _, scan_found in pairs):
        return ()
    return _by_patient_id([case for case, _ in pairs])


def _beside(root: Path, place: Path, names: list[str]) -> Iterator[tuple[VolumeCase, bool]]:
    """Each mask in `place` as a case, and whether its scan was found."""
    truth = next((name for name in names if _TRUTH.fullmatch(name)), None)
    if truth:
        scan = _existing(place / "scan.nii.gz", place / "scan.nii", place / "dicom")
        name = _name(root, place) or root.absolute().name
        yield VolumeCase(root, name, name, scan or place / "scan.nii.gz", place / truth), bool(scan)
        return
    for mask in names:
        if mask.startswith(".") or not (match := _MASK.fullmatch(mask)):
            continue
        stem = match[1]
        scan = _existing(*(place / f"{stem}{ending}" for ending in (".nii.gz", ".nii", "")))
        if scan is None and stem == _HIDDEN:
            scan = _only_scan(place, names)
        name = _name(root, place / stem)
        yield VolumeCase(root, name, "", scan or place / f"{stem}.nii.gz", place / mask), bool(scan)


def _only_scan(place: Path, names: list[str]) -> Path | None:
    files = [n for n in names if image_stem(Path(n)) and not _MASK.fullmatch(n)]
    if files:
        return place / files[0] if len(files) == 1 else None
    folders = [f for f in place.iterdir() if f.is_dir() and not f.name.startswith(".")]
    return folders[0] if len(folders) == 1 else None


def _existing(*paths: Path) -> Path | None:
    return next((path for path in paths if path.exists()), None)


def _name(root: Path, place: Path) -> str:
    return "-".join(place.relative_to(root).parts)


def _by_patient_id(cases: list[VolumeCase]) -> list[VolumeCase]:
    """`cases` with a patient each: as stated, or named after the first case of the PatientID.

    The PatientID itself is not kept: a split is saved and a model's card is passed on.
    """
    first: dict[str, str] = {}
    out = []
    for case in cases:
        if not case.patient:
            known = _patient_id(case.scan)
            patient = first.setdefault(known, case.name) if known else case.name
            case = replace(case, patient=patient)
        out.append(case)
    return out


def _patient_id(scan: Path) -> str:
    """The PatientID of a DICOM scan, or nothing; one header is read."""
    if image_stem(scan) or scan.suffix.lower() == ".zip":
        return ""
    from liverseg_gui.io.dicom.header_reader import read_header

    files = [scan]
    if scan.is_dir():
        files = [place / name for place, names in walk(scan) for name in names[:_HEADERS_TRIED]]
    for file in files[:_HEADERS_TRIED]:
        header = read_header(file) if file.is_file() else None
        if header is not None:
            return somebody(header.patient_id)
    return ""
