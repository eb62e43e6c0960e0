"""Open a scan whatever its format: find the volumes behind a path, then read one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from liverseg_gui.core.errors import AmbiguousInputError, UnreadableFileError
from liverseg_gui.core.geometry import Float3, Int3
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume

NIFTI_ENDINGS = (".nii", ".nii.gz")


@dataclass(frozen=True)
class VolumeEntry:
    """A volume that can be read from a path. `size` and `spacing_mm` are in stored order.

    `problem` says why it cannot be read as a volume; `spacing_mm` is None where it is unknown.
    """

    path: Path
    description: str
    modality: str
    size: Int3
    spacing_mm: Float3 | None
    read: Callable[[Progress], Volume]
    problem: str = ""

    def __str__(self) -> str:
        size = " x ".join(str(n) for n in self.size)
        spacing = " x ".join(f"{mm:.3g}" for mm in self.spacing_mm) if self.spacing_mm else "uneven"
        return f"{self.description or self.path.name}, {self.modality}, {size}, {spacing} mm"


def list_volumes(path: Path, progress: Progress | None = None) -> list[VolumeEntry]:
    """The volumes at `path`: a NIfTI file, a DICOM file, or a folder of either.

    Raises:
        UnreadableFileError: there is nothing this program can read.
    """
    progress = progress or Progress()
    if not path.exists():
        raise UnreadableFileError(f"{path} does not exist. Check the path.")
    if path.is_file() and path.name.lower().endswith(NIFTI_ENDINGS):
        from liverseg_gui.io.nifti import nifti_entries

        return nifti_entries(path)
    from liverseg_gui.io.dicom import dicom_entries

    return dicom_entries(path, progress)


def open_scan(path: Path, progress: Progress | None = None, number: int | None = None) -> Volume:
    """Read the volume at `path`; where there are several, the one `number` counts (from 1).

    Raises:
        AmbiguousInputError: several volumes and no number.
        UnreadableFileError: nothing readable, or no volume of that number.
        Cancelled: `progress` was cancelled.
    """
    progress = progress or Progress()
    entries = list_volumes(path, progress.part(0.0, 0.3))
    if number is None and len(entries) > 1:
        rows = "; ".join(f"{n}: {entry}" for n, entry in enumerate(entries, 1))
        raise AmbiguousInputError(
            f"{path} holds {len(entries)} volumes. Choose one with --volume N: {rows}."
        )
    chosen = 1 if number is None else number
    if not 1 <= chosen <= len(entries):
        raise UnreadableFileError(
            f"{path} has no volume {chosen}. It holds volumes 1 to {len(entries)}."
        )
    entry = entries[chosen - 1]
    if entry.problem:
        raise UnreadableFileError(entry.problem)
    return entry.read(progress.part(0.3, 1.0))
