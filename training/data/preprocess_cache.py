"""Prepared cases kept on disk: each is read and resampled once, then mapped into memory."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.errors import SaveError
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.preprocessing import CONTEXT_MM, MARGIN, WINDOW_HU
from liverseg_gui.system.atomic_write import flush_to_disk, not_written, save_errors
from liverseg_gui.system.regular_file import read_json
from training.data.case import CaseSource
from training.data.data_check import SeenCase, look_over

if TYPE_CHECKING:
    from training.data.slice_dataset import PreparedCase

VERSION = 2
"""Raise it when cases are prepared in another way than before."""

_IMAGES, _LABELS, _ABOUT = "images.npy", "labels.npy", "case.json"
_PART = ".part"
_ABANDONED_S = 24 * 3600.0
_CHUNK = 128


def prepare_all(
    sources: Sequence[CaseSource],
    folder: Path,
    progress: Progress,
    works_on: Callable[[str | None], None] = lambda _: None,
) -> list[PreparedCase]:
    """Every case at `training.data.slice_dataset.GRID`, its arrays memory-mapped and read-only.

    What is not yet in `folder` is read, one case at a time, and written there; what is damaged or
    was made from other files or in another way is made anew. A case is whole or not there at all,
    so an interrupted or cancelled run goes on where it stopped. `works_on` is told the name of
    each case before it is read, and None after the last.

    Raises:
        UnreadableFileError: a case cannot be read; the message names the file.
        GridMismatchError: scan and mask of a case do not belong together.
        SaveError: `folder` cannot be written or is full; the cases before stay.
        Cancelled: `progress` was cancelled; the cases before stay.
    """
    _remove_abandoned(folder)
    prepared = []
    for n, source in enumerate(sources):
        works_on(source.name)
        progress.update(n / len(sources), f"Preparing case {source.name}")
        entry = folder / _entry_name(source)
        prepared.append(_load(entry, source) or _make(source, entry))
    works_on(None)
    progress.update(1.0, "Cases are prepared")
    return prepared


def _entry_name(source: CaseSource) -> str:
    """The case's name, as far as a file may be called so, and what its content hangs on."""
    from training.data.slice_dataset import GRID

    parts = (VERSION, GRID, WINDOW_HU, CONTEXT_MM, MARGIN, source.name, source.fingerprint())
    mark = hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '_', source.name)[:60].strip('.')}-{mark}"


def _make(source: CaseSource, entry: Path) -> PreparedCase:
    from training.data.slice_dataset import prepare

    read = source.read()
    seen = look_over(source, read)
    case = prepare(read)
    with save_errors(
        not_written(
            entry.parent,
            "Free some space or name another folder for prepared cases; those that are done are "
            "kept.",
        )
    ):
        _write(case, seen, source, entry)
    written = _load(entry, source)
    if written is None:
        raise SaveError(
            f"{entry} did not give back what was written. Name a folder on another disk for "
            "prepared cases."
        )
    return written


def _write(case: PreparedCase, seen: SeenCase, source: CaseSource, entry: Path) -> None:
    """Write beside `entry`, then rename; what was there before was damaged."""
    entry.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(_PART, f"{entry.name}.", entry.parent))
    try:
        for name, array in ((_IMAGES, case.images), (_LABELS, case.labels)):
            np.save(part / name, array)
            flush_to_disk(part / name)
        about = {
            "name": case.name,
            "z": case.z.tolist(),
            "gap": float(case.gap),
            "checksums": _checksums(case),
            "seen": seen.to_json(),
        }
        (part / _ABOUT).write_text(json.dumps(about) + "\n", "utf-8")
        shutil.rmtree(entry, ignore_errors=True)
        try:
            part.rename(entry)
        except OSError:
            if _load(entry, source) is None:  # else another run was faster
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _load(entry: Path, source: CaseSource) -> PreparedCase | None:
    """The case in `entry`, or None where there is none or it is damaged."""
    from training.data.slice_dataset import GRID, PreparedCase

    try:
        about: dict[str, Any] = read_json(entry / _ABOUT)
        images, labels = (np.load(entry / file, mmap_mode="r") for file in (_IMAGES, _LABELS))
        z, gap = np.array(about["z"], np.float64), float(about["gap"])
        sums = about["checksums"]
        seen = SeenCase.from_json(source, about["seen"])
    except (OSError, ValueError, EOFError, LookupError, TypeError):
        return None
    shape = (len(z), *GRID)
    if any(array.dtype != np.uint8 or array.shape != shape for array in (images, labels)):
        return None
    case = PreparedCase(source.name, images, labels, z, gap, seen)
    return case if _checksums(case) == sums else None


def _checksums(case: PreparedCase) -> list[int]:
    """CRC-32 of images, labels and positions."""
    positions = zlib.crc32(case.z.tobytes() + repr(float(case.gap)).encode())
    return [_checksum(case.images), _checksum(case.labels), positions]


def _checksum(array: NDArray[np.uint8]) -> int:
    """CRC-32 of the voxels, some slices at a time."""
    value = 0
    for start in range(0, len(array), _CHUNK):
        value = zlib.crc32(array[start : start + _CHUNK].tobytes(), value)
    return value


def _remove_abandoned(folder: Path) -> None:
    """Remove what a run that was killed had begun; another that runs now is left alone."""
    for part in folder.glob(f"*{_PART}"):
        try:
            old = time.time() - part.stat().st_mtime > _ABANDONED_S
        except OSError:
            continue
        if old:
            shutil.rmtree(part, ignore_errors=True)
