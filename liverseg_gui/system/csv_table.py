"""Tables as CSV, whose texts no spreadsheet takes for formulas.

A spreadsheet computes what begins with one of `= + - @`, and a formula can read files and call
programs. Such a text is written with an apostrophe before it, the spreadsheets' own sign of text.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""Also the wide signs that Chinese and Japanese spreadsheets take for the same."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?(inf|nan)", re.IGNORECASE)


def csv_table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """A head and a row for each of `rows`; what a row lacks is empty. Numbers stay numbers.

    Raises:
        ValueError: a row has a column that is not named.
    """
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, [_written(column) for column in columns])
    writer.writeheader()
    writer.writerows({_written(key): _written(cell) for key, cell in row.items()} for row in rows)
    return out.getvalue()


def read_cell(cell: str) -> str:
    """The text that `csv_table` wrote as `cell`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _written(cell: Any) -> Any:
    if isinstance(cell, str) and _FORMULA.match(cell) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell
