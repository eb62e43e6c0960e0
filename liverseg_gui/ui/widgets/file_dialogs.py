"""The system's dialogs for files and folders. What they were shown is not written down.

Qt keeps the folders that its dialogs have visited in a file of all Qt programs. A folder may be
called like a patient, so it is put back there as it was before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QFileDialog, QWidget

_KEPT = ("FileDialog/history", "FileDialog/lastVisited")


def ask_file(parent: QWidget | None, title: str, kinds: str) -> Path | None:
    """Ask for a file that is there; `kinds` as Qt takes them."""
    with _nothing_kept():
        name, _ = QFileDialog.getOpenFileName(parent, title, "", kinds)
    return Path(name) if name else None


def ask_new_file(
    parent: QWidget | None, title: str, proposal: Path | str, kinds: str
) -> Path | None:
    """Ask where to write a file."""
    with _nothing_kept():
        name, _ = QFileDialog.getSaveFileName(parent, title, str(proposal), kinds)
    return Path(name) if name else None


def ask_folder(parent: QWidget | None, title: str) -> Path | None:
    """Ask for a folder."""
    with _nothing_kept():
        name = QFileDialog.getExistingDirectory(parent, title)
    return Path(name) if name else None


def forget_visited_folders() -> None:
    """Remove the folders that Qt's dialogs have visited, in any program."""
    stored = _of_all_programs()
    for key in _KEPT:
        stored.remove(key)
    stored.sync()


@contextmanager
def _nothing_kept() -> Iterator[None]:
    before = _of_all_programs()
    values = {key: before.value(key) for key in _KEPT}
    try:
        yield
    finally:
        stored = _of_all_programs()
        for key, value in values.items():
            if value is None:
                stored.remove(key)
            else:
                stored.setValue(key, value)
        stored.sync()


def _of_all_programs() -> QSettings:
    """The file in which Qt itself keeps what its dialogs remember."""
    return QSettings(QSettings.Scope.UserScope, "QtProject")
