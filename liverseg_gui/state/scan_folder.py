"""A reader's own folder for each scan, for work that is not lost: annotations, unsaved masks.

It is found by what the scan holds and not by where it lies: a scan that was moved or renamed finds
its folder again, another one never does. Neither patient nor place can be read from the name.
"""

from __future__ import annotations

import hashlib
import os
import re
import zlib
from pathlib import Path

import numpy as np

from liverseg_gui.core.volume import Volume
from liverseg_gui.system.atomic_write import atomic_write, not_written, save_errors
from liverseg_gui.system.paths import data_folder

_DIGEST_BYTES = 16
_NAME = re.compile(rf"[0-9a-f]{{{2 * _DIGEST_BYTES}}}")


def volume_fingerprint(volume: Volume) -> str:
    """The same for scans of the same HU on the same grid alone."""
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    matrix = np.round(volume.affine.matrix, 4) + 0.0  # no -0.0
    digest.update(repr((volume.shape, matrix.tolist())).encode())
    rows = np.empty(volume.shape[1::-1], volume.hu.dtype)
    for k in range(volume.shape[2]):
        np.copyto(rows, volume.hu[:, :, k].T)
        # a sum a slice tells scans apart, and opening waits three times shorter than for a digest
        digest.update(zlib.crc32(rows.data).to_bytes(4, "little"))
    return digest.hexdigest()


def scans_folder() -> Path:
    """Where the folders of all scans are."""
    return data_folder() / "scans"


def scan_folder(fingerprint: str) -> Path:
    """The folder of the scan with this fingerprint; it may not be there yet."""
    return scans_folder() / fingerprint


def scan_folders() -> list[Path]:
    """The folders of all scans that have one."""
    try:
        with os.scandir(scans_folder()) as entries:
            return sorted(Path(e.path) for e in entries if _NAME.fullmatch(e.name))
    except OSError:
        return []


def make_private(folder: Path) -> None:
    """Make a scan's `folder`, closed to other users of the computer.

    Raises:
        SaveError: it cannot be made.
    """
    with save_errors(not_written(folder, "Free some space, or look to its permissions.")):
        scans_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)


def write_private(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all, that its user alone can read; its folder is made.

    Raises:
        SaveError: it cannot be written.
    """
    make_private(path.parent)
    with atomic_write(path) as beside:
        beside.chmod(0o600)
        beside.write_bytes(data)
