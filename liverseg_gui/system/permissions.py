"""Permissions of files for all users of the computer, whatever the umask of their writer is."""

from __future__ import annotations

import stat
from pathlib import Path

_FOLDER, _FILE = 0o755, 0o644


def make_shared_folder(folder: Path) -> None:
    """Make `folder`, and what is missing above it, for all to read; what is there stays as it is.

    Raises:
        OSError: it cannot be made.
    """
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for place in missing:
        share(place)


def share(path: Path) -> None:
    """Let all read the file or folder `path`; permissions beyond that stay.

    Raises:
        OSError: its permissions cannot be changed.
    """
    mode = stat.S_IMODE(path.stat().st_mode)
    needed = mode | (_FOLDER if path.is_dir() else _FILE)
    if needed != mode:
        path.chmod(needed)
