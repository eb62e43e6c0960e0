"""A walk through folders, however deep, that follows no links to folders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def walk(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """`folder` and each one below it with the names of its files, sorted.

    Folders that may not be read are passed over.
    """
    waiting = [str(folder)]
    while waiting:
        place = waiting.pop()
        inner, files = [], []
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        inner.append(entry.path)
                    elif not entry.is_dir():
                        files.append(entry.name)
        except OSError:
            continue
        yield Path(place), sorted(files)
        waiting += sorted(inner, reverse=True)
