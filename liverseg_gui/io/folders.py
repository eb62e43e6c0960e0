"""A walk through folders, however deep, that follows no links to folders and hides nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from liverseg_gui.io.entries import SkippedFile
from liverseg_gui.io.file_endings import NO_SCANS


@dataclass
class FolderListing:
    """The names in one folder, sorted: of files and what else is no folder, and of folders.

    `unread` says of each name why it is not known what it is, and of the folder itself ("") why it
    could not be listed to its end. `links` are those to folders, which are not followed.
    """

    folder: Path
    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> list[SkippedFile]:
        """What is passed over here, and why."""
        links = [
            SkippedFile(self.folder / name, "a link to a folder: links are not followed")
            for name in self.links
        ]
        return unread_files(self.folder, self.unread) + links


def list_folder(folder: Path) -> FolderListing:
    """What is in `folder`; what cannot be looked at is told with the reason."""
    listing = FolderListing(folder)
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    _kind(entry, listing).append(entry.name)
                except OSError as error:
                    if may_hold_a_scan(entry.name):
                        listing.unread[entry.name] = _reason(error)
    except OSError as error:
        listing.unread[""] = _reason(error)
    for names in (listing.files, listing.folders, listing.links):
        names.sort()
    return listing


def _kind(entry: os.DirEntry[str], listing: FolderListing) -> list[str]:
    """The list in `listing` that `entry` belongs to.

    Raises:
        OSError: it leads nowhere, or is gone.
    """
    if not entry.is_symlink():
        return listing.folders if entry.is_dir(follow_symlinks=False) else listing.files
    entry.stat()
    return listing.links if entry.is_dir() else listing.files


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def may_hold_a_scan(name: str) -> bool:
    """Whether a file of this name is looked into."""
    return not name.startswith(".") and not name.lower().endswith(NO_SCANS)


def unread_files(folder: Path, reasons: dict[str, str]) -> list[SkippedFile]:
    """What is told of the names in `folder` that cannot be read: one line, however many."""
    if not reasons:
        return []
    name, why = next(iter(sorted(reasons.items())))
    if len(reasons) == 1:
        return [SkippedFile(folder / name, f"cannot be read: {why}.", damaged=True, unread=True)]
    text = f"{len(reasons)} entries of the folder cannot be read, the first of them {name}: {why}."
    return [SkippedFile(folder, text, damaged=True, unread=True)]


def walk(folder: Path, passed: list[SkippedFile] | None = None) -> Iterator[tuple[Path, list[str]]]:
    """`folder` and each one below it with the names of its files, sorted.

    What cannot be read, and links to folders, are passed over and put into `passed`.
    """
    waiting = [folder]
    while waiting:
        listing = list_folder(waiting.pop())
        if passed is not None:
            passed += listing.passed
        if "" not in listing.unread or listing.files or listing.folders:
            yield listing.folder, listing.files
        waiting += [listing.folder / name for name in reversed(listing.folders)]
