"""docs/command-line.md says what the parsers and the program say."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from tools.command_line_reference import PAGE, default_of, options, parsers, reference, renewed

ROOT = Path(__file__).parents[2]

ACTIONS = [
    pytest.param(action, parser, id=f"{name} {action.dest}")
    for name, parser, _ in parsers()
    for action in options(parser)
]


def test_the_page_is_what_the_parsers_give() -> None:
    page = PAGE.read_text("utf-8")
    assert page == renewed(page), "write it anew: python tools/command_line_reference.py"


def test_the_page_does_not_depend_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    narrow = reference()
    monkeypatch.setenv("COLUMNS", "300")
    assert reference() == narrow


def test_every_command_is_there() -> None:
    names = [name for name, _, _ in parsers()]
    assert {"liverseg measure", "liverseg models add", "liverseg self-test"} < set(names)
    heads = re.findall(r"^### (.+)$", PAGE.read_text("utf-8"), re.M)
    assert heads == names


@pytest.mark.parametrize(("action", "parser"), ACTIONS)
def test_help_is_there_and_tells_the_default(
    action: argparse.Action, parser: argparse.ArgumentParser
) -> None:
    assert action.help
    default = default_of(action, parser)
    told = re.search(r" \(([^()]*)\)$", action.help)
    if default:
        assert told, f"{action.help!r} does not end in ({default})"
        assert told.group(1) == default


def test_every_exit_code_is_told() -> None:
    codes = re.findall(r"^\| (\d+) \|", PAGE.read_text("utf-8"), re.M)
    assert codes == ["0", "1", "2", "130"]


def test_every_variable_of_the_program_is_in_the_page_and_no_other() -> None:
    rooms = ("liverseg_gui", "training", "tools", "tests", "package")
    sources = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    others = [ROOT / "Makefile", ROOT / "pyinstaller.spec"]
    text = "".join(path.read_text("utf-8") for path in [*sources, *others])
    named = set(re.findall(r"\bLIVERSEG_[A-Z_]*[A-Z]\b", text))
    assert "LIVERSEG_HOME" in named
    assert set(re.findall(r"`(LIVERSEG_\w+)`", PAGE.read_text("utf-8"))) == named


def test_every_variable_that_the_program_reads_is_in_the_page() -> None:
    reads = re.compile(
        r"environ(?:\.get\(|\.setdefault\(|\[)\s*\"(\w+)\"|\"(\w+)\" not in os\.environ"
    )
    sources = [
        path for room in ("liverseg_gui", "training") for path in (ROOT / room).rglob("*.py")
    ]
    found = {a or b for path in sources for a, b in reads.findall(path.read_text("utf-8"))}
    assert len(found) > 3
    page = PAGE.read_text("utf-8")
    assert [name for name in sorted(found) if f"`{name}`" not in page] == []
