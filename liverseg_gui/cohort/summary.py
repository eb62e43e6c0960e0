"""Summary table of a cohort: `summary.csv`, up to date after each case."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from liverseg_gui.cohort.result import CaseResult, Status
from liverseg_gui.core.errors import SaveError
from liverseg_gui.system.atomic_write import write_text
from liverseg_gui.system.csv_table import csv_table, read_cell

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

    Rows of earlier runs stay as long as their masks are there, until the case is done anew.
    """

    def __init__(self, folder: Path) -> None:
        """Keep the table of `folder`.

        Raises:
            SaveError: there is a file of its name that is no such table.
        """
        self.path = folder / NAME
        self._rows = {_key(row): row for row in _earlier(self.path)}

    def add(self, results: Iterable[CaseResult]) -> None:
        """Put `results` in the place of what was there about them, and write the table.

        Raises:
            SaveError: it cannot be written; the next call writes these too.
        """
        for result in results:
            row = _row(result)
            self._rows[_key(row)] = row
        write_text(self.path, csv_table(COLUMNS, sorted(self._rows.values(), key=_order)))


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


def _earlier(path: Path) -> list[Row]:
    """The rows of an earlier table whose masks are still there."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
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
    kept = ({column: read_cell(row.get(column) or "") for column in COLUMNS} for row in rows)
    return [
        row
        for row in kept
        if row["status"] == Status.DONE and (path.parent / f"{row['name']}.nii.gz").is_file()
    ]
