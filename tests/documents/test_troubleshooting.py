"""docs/troubleshooting.md quotes what the program says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ANY = "…"


def rows() -> list[list[str]]:
    """The cells of every row: message, why, what to do."""
    text = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def quoted(cell: str) -> tuple[str, bool]:
    """The message of a row, and whether the operating system says it."""
    found = re.fullmatch(r"`([^`]+)`( \(system\))?", cell)
    assert found, f"{cell} is no message in backticks"
    return found.group(1), bool(found.group(2))


def texts(tree: ast.AST) -> Iterator[str]:
    """Every text in the code on one line, with … for what is put in; adjacent ones are one.

    Those that a call is given one behind the other, as message and remedy of an error, come
    together, too.
    """
    for node in ast.walk(tree):
        if (text := as_text(node)) is not None:
            yield text
        elif isinstance(node, ast.Call) and len(node.args) == 2:
            both = [as_text(argument) for argument in node.args]
            yield " ".join(text for text in both if text)


def as_text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return " ".join(node.value.split())
    if isinstance(node, ast.JoinedStr):
        parts = [str(p.value) if isinstance(p, ast.Constant) else ANY for p in node.values]
        return " ".join("".join(parts).split())
    return None


@pytest.fixture(scope="module")
def said() -> list[str]:
    """All that the program can say."""
    sources = [
        path for room in ("liverseg_gui", "training") for path in (ROOT / room).rglob("*.py")
    ]
    sources.append(ROOT / "tools" / "system_libraries.py")
    return [text for path in sources for text in texts(ast.parse(path.read_text("utf-8")))]


OURS = [message for message, system in (quoted(row[0]) for row in rows()) if not system]


@pytest.mark.parametrize("message", OURS)
def test_the_program_says_what_is_quoted(message: str, said: list[str]) -> None:
    assert any(message in text for text in said)


@pytest.mark.parametrize("message", OURS)
def test_enough_of_a_message_is_quoted_to_know_it(message: str) -> None:
    assert len(re.findall(r"\w+", message)) >= 3


def test_every_row_has_why_and_what_to_do() -> None:
    assert len(OURS) >= 40
    for row in rows():
        assert len(row) == 3, row
        assert all(row), row


def test_no_message_stands_twice() -> None:
    messages = [row[0] for row in rows()]
    assert len(set(messages)) == len(messages)


def test_the_packages_that_qt_needs_are_named() -> None:
    from tools.system_libraries import QT_LIBRARIES

    text = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    assert [package for package in QT_LIBRARIES.values() if package not in text] == []
