"""Fingerprints of files: another one as soon as a file was changed, added or removed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from liverseg_gui.io.folders import walk
from training.data.case import CaseSource


def files_fingerprint(root: Path, paths: Iterable[Path], *more: object) -> str:
    """A fingerprint of `paths`, files or folders with all below, and of the values `more`.

    Files count by name, size and time of change. Names are taken relative to `root`, so that a
    data set keeps its fingerprints when it is moved as a whole; a missing file counts as such.
    """
    lines = [_line(root, file) for path in paths for file in _files(path)]
    return hashlib.sha256("\n".join([*lines, repr(more)]).encode()).hexdigest()


def sources_fingerprint(sources: Iterable[CaseSource]) -> str:
    """One fingerprint of all scans and masks of `sources`, whatever their order."""
    lines = sorted(f"{source.name}\t{source.fingerprint()}" for source in sources)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (place / name for place, names in walk(path) for name in names)
    else:
        yield path


def _line(root: Path, file: Path) -> str:
    name = file.relative_to(root) if file.is_relative_to(root) else file
    try:
        status = file.stat()
    except OSError:
        return f"{name.as_posix()}\tmissing"
    return f"{name.as_posix()}\t{status.st_size}\t{status.st_mtime_ns}"
