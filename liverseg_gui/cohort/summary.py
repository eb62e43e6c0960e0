"""Summary table of a cohort: `summary.csv`, up to date after each case."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from liverseg_gui.cohort.result import CaseResult, Status
from liverseg_gui.core.errors import SaveError
from liverseg_gui.system.atomic_write import write_text
from liverseg_gui.system.file_lock import locked
from liverseg_gui.system.paths import cache_folder
from liverseg_gui.system.regular_file import read_text

NAME = "summary.csv"
COLUMNS = (
    *("name", "path", "volume", "status", "reason"),
    *("liver_ml", "tumor_ml", "tumor_burden_percent", "lesions", "largest_lesion_longest_axial_mm"),
    *("mm_reliable", "warnings", "model", "device", "seconds"),
)
_FIRST_COLUMNS = list(COLUMNS[:5])

Row = Mapping[str, str]


class CohortSummary:
    """Results as they come, in a file that is written whole each time.

    Several runs may write into one table at the same time. Rows of earlier runs stay as long as
    their masks are there, until the case is done anew; what was no case, or failed, stays as long
    as it lies outside of `source`, which is looked through anew.
    """

    def __init__(self, folder: Path, source: Path | None = None) -> None:
        """Keep the table of `folder`; without a `source` it is looked through anew everywhere.

        Raises:
            SaveError: there is a file of its name that is no such table.
        """
        self.path = folder / NAME
        self._rows: dict[tuple[str, ...], Row] = {}
        self._outdated = {
            _key(row): row for row in _read(self.path) if _is_outdated(row, folder, source)
        }

    def add(self, results: Iterable[CaseResult]) -> None:
        """Put `results` in the place of what was there about them, and write the table.

        Raises:
            SaveError: it cannot be written; the next call writes these too.
        """
        for result in results:
            row = _row(result)
            self._rows[_key(row)] = row
        with ExitStack() as stack:
            with suppress(SaveError):  # whoever can lock nothing still merges what is there
                stack.enter_context(locked(_lock_place(self.path)))
            theirs = {_key(row): row for row in _read(self.path)}
            kept = {key: row for key, row in theirs.items() if self._outdated.get(key) != row}
            rows = kept | self._rows
            out = io.StringIO()
            writer = csv.DictWriter(out, COLUMNS)
            writer.writeheader()
            writer.writerows(sorted(rows.values(), key=_order))
            write_text(self.path, out.getvalue())


def _lock_place(table: Path) -> Path:
    """What runs of this user that write `table` lock; beside the masks nothing is left."""
    name = hashlib.sha256(os.fsencode(table.resolve())).hexdigest()[:16]
    return cache_folder() / "tables" / f"{name}.csv"


def _row(result: CaseResult) -> Row:
    values = {
        "name": result.name,
        "path": str(result.path),
        "volume": result.number,
        "status": result.status.value,
        "reason": " ".join(result.reason.split()),
        "liver_ml": _rounded(result.liver_ml),
        "tumor_ml": _rounded(result.tumor_ml),
        "tumor_burden_percent": _rounded(result.tumor_burden_percent),
        "lesions": result.lesions,
        "largest_lesion_longest_axial_mm": _rounded(result.largest_lesion_longest_axial_mm),
        "mm_reliable": result.mm_reliable,
        "warnings": " ".join(" ".join(result.warnings).split()),
        "model": result.model,
        "device": result.device,
        "seconds": _rounded(result.seconds),
    }
    return {column: "" if values[column] is None else str(values[column]) for column in COLUMNS}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _key(row: Row) -> tuple[str, ...]:
    """What makes two rows one: the case's name, or the place of what is no case."""
    return (row["name"],) if row["name"] else ("", row["path"], row["volume"])


def _order(row: Row) -> tuple[float, str]:
    number = int(row["volume"]) if row["volume"].isdigit() else math.inf
    return number, row["path"]


def _is_outdated(row: Row, folder: Path, source: Path | None) -> bool:
    """Whether this run finds out anew what `row` says, or its mask or file is gone."""
    if row["status"] in (Status.DONE, Status.NO_LIVER):
        return not (folder / f"{row['name']}.nii.gz").is_file()
    path = Path(row["path"])
    return source is None or path.is_relative_to(source.absolute()) or not os.path.lexists(path)


def _read(path: Path) -> list[Row]:
    """The rows of a table that was written before."""
    try:
        text = read_text(path).removeprefix("\ufeff")
        reader = csv.DictReader(io.StringIO(text, newline=""), restval="")
        head, rows = list(reader.fieldnames or []), list(reader)
    except FileNotFoundError:
        return []
    except (OSError, ValueError, csv.Error) as problem:
        raise SaveError(
            f"{path} cannot be read: {problem}. Move it away or choose another folder."
        ) from problem
    if head[: len(_FIRST_COLUMNS)] != _FIRST_COLUMNS:
        raise SaveError(
            f"{path} is not the table that this program writes there, or another program has "
            "changed it. Move it away or choose another folder."
        )
    return [{column: row.get(column) or "" for column in COLUMNS} for row in rows]
