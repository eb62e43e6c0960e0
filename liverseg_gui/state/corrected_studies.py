"""List of the studies corrected in this program: which scan belongs to which saved mask.

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
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.system.atomic_write import write_text
from liverseg_gui.system.file_lock import locked
from liverseg_gui.system.paths import data_folder

PREFIX = "corrected-"
"""Prefix of the names of these cases: names of scans may be those of patients."""
_FILE = "corrected.json"
_KEY_LENGTH = 16


@dataclass(frozen=True)
class CorrectedStudy:
    """A scan and the mask that was saved for it. `volume` counts from 1, None where it is the only
    one; `patient` is the same for all scans of a patient and tells nothing else."""

    number: int
    scan: Path
    mask: Path
    volume: int | None
    patient: str

    @property
    def name(self) -> str:
        """What the case is called; never given to another study."""
        return f"{PREFIX}{self.number}"


@dataclass(frozen=True)
class _StudyList:
    salt: str
    next: int = 1
    studies: tuple[CorrectedStudy, ...] = field(default=())


def library_file() -> Path:
    """Where the list is kept."""
    return data_folder() / _FILE


def remember_corrected(scan: Path, mask: Path, volume: int | None, patient_id: str) -> None:
    """`mask` was saved for the scan; it takes the place of one that was saved for it before.

    A phantom is not kept: it lies beside its truth.

    Raises:
        UnreadableFileError: the list is damaged.
        SaveError: the list could not be written.
    """

    if _is_phantom(scan):
        return
    scan, mask = Path(os.path.abspath(scan)), Path(os.path.abspath(mask))
    with locked(library_file()):
        study_list = _read() or _StudyList(secrets.token_hex(16))
        _write(_with_study(study_list, scan, mask, volume, somebody(patient_id)))


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


def _with_study(
    study_list: _StudyList, scan: Path, mask: Path, volume: int | None, person: str
) -> _StudyList:
    place = (os.path.realpath(scan), volume or 1)
    before = next((s for s in study_list.studies if _place(s) == place), None)
    number = before.number if before else study_list.next
    study = CorrectedStudy(
        number, scan, mask, volume, _patient(study_list.salt, person or place[0])
    )
    kept = [s for s in study_list.studies if s is not before and s.mask != mask]
    return replace(study_list, next=max(study_list.next, number + 1), studies=(*kept, study))


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
        values = parse_json(path.read_text("utf-8"))
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
    return CorrectedStudy(int(row["number"]), *paths, volume, str(row["patient"]))


def _write(study_list: _StudyList) -> None:
    write_text(library_file(), json.dumps(asdict(study_list), indent=1, default=str) + "\n")


_NOBODY = {"", "0", "anon", "anonymous", "anonymized", "anonymised", "none", "unknown", "n/a"}


def somebody(patient_id: str) -> str:
    """A PatientID, or nothing where it names nobody."""
    known = patient_id.strip()
    return "" if known.lower() in _NOBODY else known
