"""Entries of a path: one `VolumeEntry` for each volume that can be read from it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.geometry import Int3
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.scan_checks import position_issues
from liverseg_gui.core.scan_issues import ScanIssue, Severity, by_severity
from liverseg_gui.core.volume import Volume, modality_text

Spacing = tuple[float, float, float | None]
"""mm along stored i, j, k; None along k where the slices lie unevenly."""
ShowPreview = Callable[[Volume], None]
"""Takes a volume of one slice that can be shown while the rest is still being read."""
_LIVER = re.compile(r"liver|hepat|abd|leber|foie|ventre|\bap\b|tap\b|portal|venous", re.IGNORECASE)
_ELSEWHERE = re.compile(
    r"lung|chest|thorax|head|brain|neck|bone|spine|knee|hip|sinus", re.IGNORECASE
)
_COVERAGE_MM = (150.0, 700.0)
_THIN_MM = (0.8, 5.0)


class Read(Protocol):
    """Reads a volume; calls `preview` once with a first slice where the format allows it."""

    def __call__(self, progress: Progress, preview: ShowPreview | None = None) -> Volume:
        """Read the volume.

        Raises:
            UnreadableFileError: it is damaged.
            Cancelled: `progress` was cancelled.
        """
        ...


@dataclass(frozen=True)
class SkippedFile:
    """A file or folder in which no volume was found, and why.

    `damaged` where one should be, and `unread` where nobody knows what is there.
    """

    path: Path
    why: str
    damaged: bool = False
    unread: bool = False

    @property
    def text(self) -> str:
        """Where it is and why, as one sentence."""
        place = str(self.path)
        if place in self.why:
            return self.why
        return f"{place} {self.why}" if self.why.startswith("cannot") else f"{place}: {self.why}"


class Role(StrEnum):
    """What an entry is in its study. Only volumes are offered; the others are set aside."""

    VOLUME = "volume"
    LOCALIZER = "localizer"
    SECONDARY = "secondary capture"
    EIGHT_BIT = "8-bit images"
    SINGLE = "single image"


@dataclass(frozen=True)
class SeriesInfo:
    """What a reader tells volumes apart by. Empty where the file does not say."""

    patient: str = ""
    patient_id: str = ""
    study: str = ""
    study_date: str = ""  # YYYY-MM-DD
    series_number: str = ""
    phase: str = ""  # contrast phase, in words
    thickness_mm: float | None = None
    role: Role = Role.VOLUME
    patient_names: str = ""  # in every script that it is written in, as the file has it


@dataclass(frozen=True)
class VolumeEntry:
    """A volume that can be read from a path. `size` and `spacing_mm` are in stored i, j, k order.

    `spacing_mm` is None where the file gives none at all. `reader` reads it as its format is read.
    `issues` is what the headers alone tell; a volume that was read may have more. `mask` is the
    mask that its data set keeps beside it. `thumbnail` gives the middle slice as 8-bit grey (rows,
    columns). `files` are those that it is read from, where they are more than `path`; `key` tells
    it from the others there.
    """

    path: Path
    description: str
    modality: str
    size: Int3
    spacing_mm: Spacing | None
    reader: Read
    issues: tuple[ScanIssue, ...] = field(default=())
    about: SeriesInfo = field(default=SeriesInfo())
    mask: Path | None = None
    thumbnail: Callable[[], NDArray[np.uint8]] | None = None
    files: tuple[Path, ...] = ()
    key: str = ""
    modality_stated: bool = True

    @property
    def modality_text(self) -> str:
        """The modality in words."""
        return modality_text(self.modality, self.modality_stated)

    def read(self, progress: Progress, preview: ShowPreview | None = None) -> Volume:
        """See `Read`; the picture itself is asked whether the patient lies as the file says."""
        volume = self.reader(progress, preview)
        if volume.origin.modality != "CT":
            return volume
        seen = position_issues(volume.hu, volume.affine.spacing_mm)
        return replace(volume, issues=by_severity((*volume.issues, *seen))) if seen else volume

    @property
    def obstacle(self) -> ScanIssue | None:
        """The finding for which it cannot be opened."""
        return next((f for f in self.issues if f.severity is Severity.ERROR), None)

    @property
    def problem(self) -> str:
        """Why it cannot be opened, or nothing."""
        return str(self.obstacle or "")

    def __str__(self) -> str:
        size = " x ".join(str(n) for n in self.size)
        return f"{self.description or self.path.name}, {self.modality_text}, {size}, {self.spacing}"

    @property
    def spacing(self) -> str:
        """The spacing in words, e.g. "0.7 x 0.7 x 2 mm"."""
        if self.spacing_mm is None:
            return "unknown spacing"
        return " x ".join("uneven" if mm is None else f"{mm:.3g}" for mm in self.spacing_mm) + " mm"


def with_issue(entry: VolumeEntry, issue: ScanIssue) -> VolumeEntry:
    """`entry` with one more finding, which the volume that is read from it has too."""

    def read(progress: Progress, preview: ShowPreview | None = None) -> Volume:
        volume = entry.read(progress, preview)
        return replace(volume, issues=by_severity((*volume.issues, issue)))

    return replace(entry, issues=by_severity((*entry.issues, issue)), reader=read)


def likeliest(entries: Sequence[VolumeEntry]) -> int | None:
    """The index of the volume a liver reader most likely wants; None where none can be opened.

    Of equals the first wins.
    """
    offered = [n for n, e in enumerate(entries) if e.about.role is Role.VOLUME and not e.problem]
    if not offered:
        return None
    return max(offered, key=lambda n: (_score(entries[n]), -n))


def _score(entry: VolumeEntry) -> float:
    text = f"{entry.description} {entry.about.study}"
    score = 8.0 if entry.modality == "CT" else 0.0
    score += 2.0 * bool(_LIVER.search(text)) - 3.0 * bool(_ELSEWHERE.search(entry.description))
    score += {"portal venous": 2.0, "delayed": 0.5, "unenhanced": -1.0}.get(entry.about.phase, 0.0)
    distance = entry.spacing_mm[2] if entry.spacing_mm else None
    if distance is None:
        distance = entry.about.thickness_mm or 0.0
    covered = distance * entry.size[2]
    score += 3.0 * (_COVERAGE_MM[0] <= covered <= _COVERAGE_MM[1])
    score += 1.0 * (_THIN_MM[0] <= distance <= _THIN_MM[1])
    score -= 2.0 * (entry.size[2] < 8)
    return score - 0.5 * sum(f.severity is Severity.WARNING for f in entry.issues)


def fingerprint(entry: VolumeEntry) -> str:
    """A hash of where `entry` lies, of its files' sizes and times, and of its DICOM identifiers.

    32 hexadecimal digits that tell nothing of the patient.

    Raises:
        OSError: a file of it is gone.
    """
    parts = [str(entry.path.absolute()), entry.key]
    for file in sorted(entry.files or (entry.path,)):
        status = file.stat()
        parts.append(f"{file.name} {status.st_size} {status.st_mtime_ns}")
    text = "\n".join(parts)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]
