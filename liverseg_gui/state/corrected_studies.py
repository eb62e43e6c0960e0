"""List of the studies corrected in this program: which scan belongs to which saved mask, and
whether a person has reviewed it.

Only a mask that somebody marked as reviewed, and that was not changed since, is truth to train on.
Kept in `corrected.json` in the program's own data. It holds paths and no more: who the patient is
stands there as a hash of the PatientID with a random text of this computer before it. The list
itself is read without loading what reads scans.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.core.volume import somebody
from liverseg_gui.system.atomic_write import write_text
from liverseg_gui.system.file_lock import locked
from liverseg_gui.system.paths import data_folder
from liverseg_gui.system.regular_file import read_json

PREFIX = "corrected-"
"""Prefix of the names of these cases: names of scans may be those of patients."""
_FILE = "corrected.json"
_KEY_LENGTH = 16


@dataclass(frozen=True)
class CorrectedStudy:
    """A scan and the mask that was saved for it. `volume` counts from 1, None where it is the only
    one; `patient` is the same for all scans of a patient and tells nothing else.

    `model` made the mask, if one did. `reviewed` is the day (YYYY-MM-DD) on which somebody marked
    it as reviewed, or nothing; `stamp` is what the file was like then (`_stamp`).
    """

    number: int
    scan: Path
    mask: Path
    volume: int | None
    patient: str
    model: str = ""
    reviewed: str = ""
    stamp: str = ""

    @property
    def name(self) -> str:
        """What the case is called; never given to another study."""
        return f"{PREFIX}{self.number}"

    @property
    def why_not(self) -> str:
        """Why it may not be trained on, or nothing. The mask's file is looked at."""
        if not self.reviewed:
            return "Nobody has marked this mask as reviewed, so it is not trained on."
        if self.stamp != _stamp(self.mask):
            return (
                f"The mask was changed after it was reviewed on {self.reviewed}, so it is not "
                "trained on."
            )
        return ""


@dataclass(frozen=True)
class _StudyList:
    salt: str
    next: int = 1
    studies: tuple[CorrectedStudy, ...] = field(default=())


def library_file() -> Path:
    """Where the list is kept."""
    return data_folder() / _FILE


def remember_corrected(
    scan: Path,
    mask: Path,
    volume: int | None,
    patient_id: str,
    reviewed: str,
    model: str = "",
) -> str:
    """`mask`, which was marked as `reviewed` on that day, lies at its place for the scan; it takes
    the place of one that was kept for it before.

    Returns the name of the case, or nothing for a phantom, which lies beside its truth.

    Raises:
        UnreadableFileError: the list is damaged.
        SaveError: the list could not be written.
    """

    if _is_phantom(scan):
        return ""
    scan, mask = Path(os.path.abspath(scan)), Path(os.path.abspath(mask))
    with locked(library_file()):
        study_list = _read() or _StudyList(secrets.token_hex(16))
        number = _number(study_list, scan, volume)
        whose = somebody(patient_id) or os.path.realpath(scan)
        patient = _patient(study_list.salt, whose)
        study = CorrectedStudy(number, scan, mask, volume, patient, model, reviewed, _stamp(mask))
        _write(_with_study(study_list, study))
    return study.name


def mark_reviewed(name: str, reviewed: str) -> None:
    """The mask of the study `name`, as it is now, was reviewed on that day; "": it was not.

    Raises:
        UnreadableFileError: the list is damaged.
        SaveError: the list could not be written.
    """
    with locked(library_file()):
        study_list = _read()
        for study in study_list.studies if study_list else ():
            if study_list is not None and study.name == name:
                marked = replace(study, reviewed=reviewed, stamp=_stamp(study.mask))
                _write(_with_study(study_list, marked))


def kept_study(scan: Path, mask: Path, volume: int | None) -> CorrectedStudy | None:
    """The study whose mask this is, or None; a damaged list holds none."""
    try:
        study_list = _read()
    except UnreadableFileError:
        return None
    place = os.path.realpath(scan), volume or 1
    mask = Path(os.path.abspath(mask))
    studies = study_list.studies if study_list else ()
    return next((s for s in studies if s.mask == mask and _place(s) == place), None)


def forget_corrected(name: str) -> None:
    """Take the study `name` off the list; its files stay.

    Raises:
        UnreadableFileError: the list is damaged.
        SaveError: the list could not be written.
    """
    with locked(library_file()):
        study_list = _read()
        if study_list is not None:
            left = tuple(study for study in study_list.studies if study.name != name)
            _write(replace(study_list, studies=left))


def corrected_studies() -> list[CorrectedStudy]:
    """The studies whose files are there, as they were first saved.

    Raises:
        UnreadableFileError: the list is damaged.
    """
    study_list = _read()
    found = study_list.studies if study_list else ()
    # os.path, for which a network drive that has gone is no error
    there = [s for s in found if os.path.exists(s.scan) and os.path.exists(s.mask)]
    return sorted(there, key=lambda study: study.number)


def _number(study_list: _StudyList, scan: Path, volume: int | None) -> int:
    """The number of the scan's study, or the next one that nobody had."""
    place = os.path.realpath(scan), volume or 1
    return next((s.number for s in study_list.studies if _place(s) == place), study_list.next)


def _with_study(study_list: _StudyList, study: CorrectedStudy) -> _StudyList:
    """The list with `study` in the place of the one of its number, and of others of its mask."""
    others = [s for s in study_list.studies if study.number != s.number and study.mask != s.mask]
    last = max(study_list.next, study.number + 1)
    return replace(study_list, next=last, studies=(*others, study))


def _stamp(mask: Path) -> str:
    """Another text as soon as the file is written again; nothing where it is not there."""
    try:
        status = mask.stat()
    except OSError:
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"


def _place(study: CorrectedStudy) -> tuple[str, int]:
    return os.path.realpath(study.scan), study.volume or 1


def _patient(salt: str, whose: str) -> str:
    text = f"{salt}\n{whose}".encode("utf-8", "surrogateescape")
    return hashlib.sha256(text).hexdigest()[:_KEY_LENGTH]


def _is_phantom(scan: Path) -> bool:
    return any(os.path.exists(scan.parent / name) for name in ("truth.nii.gz", "truth.json"))


def _read() -> _StudyList | None:
    path = library_file()
    try:
        values = read_json(path)
        studies = tuple(_study(row) for row in values["studies"])
        return _StudyList(str(values["salt"]), int(values["next"]), studies)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UnreadableFileError(
            f"{path}, the list of the studies corrected in this program, is damaged. Move it "
            "away: a new one is begun with the next mask that is saved."
        ) from error


def _study(row: dict[str, Any]) -> CorrectedStudy:
    volume = None if row["volume"] is None else int(row["volume"])
    paths = Path(row["scan"]), Path(row["mask"])
    # Earlier versions asked nobody: what they kept is known to none.
    review = (str(row.get(key, "")) for key in ("model", "reviewed", "stamp"))
    return CorrectedStudy(int(row["number"]), *paths, volume, str(row["patient"]), *review)


def _write(study_list: _StudyList) -> None:
    write_text(library_file(), json.dumps(asdict(study_list), indent=1, default=str) + "\n")
