"""Open a scan whatever its format: find the volumes behind a path, then read one."""

from __future__ import annotations

from pathlib import Path

from liverseg_gui.core.errors import AmbiguousInputError, UnreadableFileError
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.entries import Role, ShowPreview, VolumeEntry

NIFTI_ENDINGS = (".nii", ".nii.gz")


def list_volumes(path: Path, progress: Progress | None = None) -> list[VolumeEntry]:
    """The volumes at `path`: an image file, a DICOM file, a folder or a zip archive of them.

    Volumes come first, then what is set aside (localizers, secondary captures, single images).

    Raises:
        UnreadableFileError: there is nothing this program can read.
        Cancelled: `progress` was cancelled.
    """
    progress = progress or Progress()
    if not path.exists():
        raise UnreadableFileError(f"{path} does not exist. Check the path.")
    if path.is_file() and path.name.lower().endswith(NIFTI_ENDINGS):
        from liverseg_gui.io.nifti import nifti_entries

        return nifti_entries(path)
    from liverseg_gui.io.dicom import dicom_entries

    return dicom_entries(path, progress)


def open_scan(
    path: Path,
    progress: Progress | None = None,
    number: int | None = None,
    preview: ShowPreview | None = None,
) -> Volume:
    """Read the volume at `path`; where there are several, the one `number` counts (from 1).

    Raises:
        AmbiguousInputError: several volumes and no number.
        UnreadableFileError: nothing readable, or no volume of that number.
        Cancelled: `progress` was cancelled.
    """
    progress = progress or Progress()
    entries = list_volumes(path, progress.part(0.0, 0.3))
    entry = choose(entries, path, number)
    return entry.read(progress.part(0.3, 1.0), preview)


def choose(entries: list[VolumeEntry], path: Path, number: int | None) -> VolumeEntry:
    """The entry that `number` counts (from 1), or the only volume among `entries` of `path`.

    Raises:
        AmbiguousInputError: several volumes and no number.
        UnreadableFileError: no volume of that number, or it cannot be opened.
    """
    offered = [entry for entry in entries if entry.about.role is Role.VOLUME] or entries
    if number is None and len(offered) > 1:
        rows = "; ".join(f"{n}: {entry}" for n, entry in enumerate(entries, 1))
        raise AmbiguousInputError(
            f"{path} holds {len(offered)} volumes. Choose one with --volume N: {rows}."
        )
    if number is None:
        entry = offered[0]
    elif 1 <= number <= len(entries):
        entry = entries[number - 1]
    else:
        raise UnreadableFileError(
            f"{path} has no volume {number}. It holds volumes 1 to {len(entries)}."
        )
    if entry.problem:
        raise UnreadableFileError(entry.problem)
    return entry
