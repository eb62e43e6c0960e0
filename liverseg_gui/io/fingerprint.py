"""What tells whether a volume is still the one that a mask was made of."""

from __future__ import annotations

import hashlib

from liverseg_gui.io.entries import VolumeEntry


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
