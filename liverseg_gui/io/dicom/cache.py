"""Cache of DICOM headers between runs, a row a folder, so that a disc opens at once.

The rows hold patient names: the file is readable by its owner alone, and "Clear caches" in the
window removes it. A cache that is damaged or cannot be written is done without.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from liverseg_gui.core.parsing import parse_json
from liverseg_gui.io.dicom.headers import ImageHeader
from liverseg_gui.system import paths
from liverseg_gui.system.regular_file import Stamp

Known = dict[str, tuple[Stamp, ImageHeader | None]]
"""By name: the stamp, and the header, or None for what is no image."""

_VERSION = 6
_KEEP_SECONDS = 90 * 24 * 3600
_FEWEST = 8
_log = logging.getLogger(__name__)


class HeaderCache:
    """A context that loads and stores what is known about folders."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or paths.cache_folder() / f"headers-{_VERSION}.sqlite"
        self._database: sqlite3.Connection | None = None

    def __enter__(self) -> HeaderCache:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._remove_older()
            self._path.touch(mode=0o600, exist_ok=True)
            self._database = sqlite3.connect(self._path, timeout=1.0)
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS folders (path TEXT PRIMARY KEY, used REAL, files TEXT)"
            )
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)
        return self

    def _remove_older(self) -> None:
        """Drop what earlier versions kept: it holds names, and nothing else would expire it."""
        for old in self._path.parent.glob("headers-*.sqlite"):
            if old != self._path:
                old.unlink(missing_ok=True)

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._database is None:
            return
        try:
            old = time.time() - _KEEP_SECONDS
            self._database.execute("DELETE FROM folders WHERE used < ?", (old,))
            self._database.commit()
            self._database.close()
        except sqlite3.Error as error:
            self._give_up(error)
        self._database = None

    def load(self, folder: Path) -> Known:
        """What was known about the files of `folder`; nothing for a damaged row."""
        if self._database is None:
            return {}
        try:
            row = self._database.execute(
                "SELECT files FROM folders WHERE path = ?", (str(folder.resolve()),)
            ).fetchone()
            if row is None:
                return {}
            return {
                name: (_stamp(stamp), ImageHeader.from_json(header, folder) if header else None)
                for name, stamp, header in parse_json(row[0])
            }
        except sqlite3.Error as error:
            self._give_up(error)
            return {}
        except (ValueError, TypeError, IndexError, KeyError):
            return {}

    def store(self, folder: Path, files: Known) -> None:
        """Remember `files` of `folder`, where they are enough to be worth it."""
        if self._database is None or len(files) < _FEWEST:
            return
        rows = [
            (name, stamp, header.to_json(name) if header else None)
            for name, (stamp, header) in files.items()
        ]
        try:
            self._database.execute(
                "INSERT OR REPLACE INTO folders VALUES (?, ?, ?)",
                (str(folder.resolve()), time.time(), json.dumps(rows)),
            )
        except sqlite3.Error as error:
            self._give_up(error)
        except ValueError:  # a name that is no text, which JSON and SQLite cannot hold
            _log.warning("headers of a folder not cached")

    def forget(self, folder: Path) -> None:
        """Drop what is known about `folder`: its files turned out to be others."""
        if self._database is None:
            return
        try:
            self._database.execute("DELETE FROM folders WHERE path = ?", (str(folder.resolve()),))
        except sqlite3.Error as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """Go on without; a damaged file is removed so that the next run starts afresh."""
        _log.warning("header cache not used: %s", type(error).__name__)
        if self._database is not None:
            self._database.close()
        self._database = None
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(
            error, sqlite3.OperationalError
        ):
            self._path.unlink(missing_ok=True)


def _stamp(values: Any) -> Stamp:
    changed, size, touched, number = values
    return int(changed), int(size), int(touched), int(number)
