"""What a path holds: one `VolumeEntry` for each volume that can be read from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.geometry import Int3
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.scan_issues import Finding, Severity
from liverseg_gui.core.volume import Volume

Spacing = tuple[float, float, float | None]
"""mm along stored i, j, k; None along k where the slices lie unevenly."""

ShowPreview = Callable[[Volume], None]
"""Takes a volume of one slice that can be shown while the rest is still being read."""


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
class PassedOver:
    """A file or folder in which no volume was found, and why; `damaged` where one should be."""

    path: Path
    why: str
    damaged: bool = False


class Role(StrEnum):
    """What an entry is in its study. Only volumes are offered; the others are set aside."""

    VOLUME = "volume"
    LOCALIZER = "localizer"
    SECONDARY = "secondary capture"
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


@dataclass(frozen=True)
class VolumeEntry:
    """A volume that can be read from a path. `size` and `spacing_mm` are in stored i, j, k order.

    `spacing_mm` is None where the file gives none at all. `findings` is what the headers alone
    tell; a volume that was read may have more. `mask` is the mask that its data set keeps beside
    it. `thumbnail` gives the middle slice as 8-bit grey (rows, columns). `files` are those that it
    is read from, where they are more than `path`; `key` tells it from the others there.
    """

    path: Path
    description: str
    modality: str
    size: Int3
    spacing_mm: Spacing | None
    read: Read
    findings: tuple[Finding, ...] = field(default=())
    about: SeriesInfo = field(default=SeriesInfo())
    mask: Path | None = None
    thumbnail: Callable[[], NDArray[np.uint8]] | None = None
    files: tuple[Path, ...] = ()
    key: str = ""

    @property
    def problem(self) -> str:
        """Why it cannot be opened, or nothing."""
        grave = [f for f in self.findings if f.severity is Severity.ERROR]
        return str(grave[0]) if grave else ""

    def __str__(self) -> str:
        size = " x ".join(str(n) for n in self.size)
        return f"{self.description or self.path.name}, {self.modality}, {size}, {self.spacing}"

    @property
    def spacing(self) -> str:
        """The spacing in words, e.g. "0.7 x 0.7 x 2 mm"."""
        if self.spacing_mm is None:
            return "unknown spacing"
        return " x ".join("uneven" if mm is None else f"{mm:.3g}" for mm in self.spacing_mm) + " mm"
