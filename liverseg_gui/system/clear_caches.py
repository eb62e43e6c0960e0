"""Clearing of the caches, which hold what the program kept about scans.

Settings and logs stay.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from liverseg_gui.core.errors import SaveError
from liverseg_gui.core.progress import Progress
from liverseg_gui.system.paths import cache_folder


def clear_caches(progress: Progress) -> int:
    """Remove everything in the cache folder; how many files and folders were there.

    Raises:
        SaveError: something could not be removed.
        Cancelled: `progress` was cancelled.
    """
    folder = cache_folder()
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    for n, path in enumerate(inside):
        progress.update(n / len(inside), "Clearing caches")
        _remove(path)
    return len(inside)


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise SaveError(
            f"{path} could not be removed: {error.strerror or error}. Close other windows of this "
            "program and try again."
        ) from error
