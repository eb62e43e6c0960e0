"""What documents promise is held to the code."""

from __future__ import annotations

import re
from pathlib import Path

from liverseg_gui.ui.dialogs.preferences_dialog import ROWS as PREFERENCE_ROWS
from liverseg_gui.ui.main_window.actions import ROWS
from liverseg_gui.ui.main_window.mouse_help import GESTURES

ROOT = Path(__file__).parents[1]


def test_every_finding_is_documented_and_nothing_else_is() -> None:
    raised = re.compile(r'\b(?:warning|info|error)\(\s*"([a-z0-9-]+)"')
    sources = (ROOT / "liverseg_gui").rglob("*.py")
    codes = {code for path in sources for code in raised.findall(path.read_text())}
    listed = re.findall(r"^\| `([a-z0-9-]+)` \|", (ROOT / "docs" / "findings.md").read_text(), re.M)
    assert len(codes) > 30
    assert sorted(listed) == sorted(codes)


def documents() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_every_test_that_the_conventions_name_exists() -> None:
    text = (ROOT / "docs" / "conventions.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    assert len(named) > 40
    assert "::" not in re.sub(r"`tests/[\w/]+\.py::\w+`", "", text)
    sources = {path: (ROOT / path).read_text() for path, _ in named}
    missing = [f"{p}::{name}" for p, name in named if f"\ndef {name}(" not in sources[p]]
    assert missing == []


def test_every_row_of_a_convention_names_its_test() -> None:
    held, _, different = (ROOT / "docs" / "conventions.md").read_text().rpartition("\n## ")
    assert different.startswith("Decided differently")
    rows = [line for line in held.splitlines() if line.startswith("|")]
    heads = ("| convention |", "| gesture |", "| keys |", "|---")
    bare = [row for row in rows if "::" not in row and not row.startswith(heads)]
    assert bare == []


def test_every_picture_is_there_and_shown() -> None:
    shown = set()
    for document in documents():
        for target in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", document.read_text()):
            assert (document.parent / target).is_file(), f"{document.name}: {target}"
            shown.add((document.parent / target).resolve())
    there = {path.resolve() for path in (ROOT / "docs" / "images").iterdir()}
    assert there == shown
    assert max(path.stat().st_size for path in there) < 250_000


def test_every_link_between_documents_leads_somewhere() -> None:
    for document in documents():
        text = document.read_text()
        for target in re.findall(r"(?<!!)\[[^\]]+\]\(([^)]+)\)", text):
            if target.startswith("http"):
                continue
            path, _, place = target.partition("#")
            other = document.parent / path if path else document
            assert other.exists(), f"{document.name}: {target}"
            if place:
                heads = re.findall(r"^#+ (.+)$", other.read_text(), re.M)
                names = [re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads]
                assert place in names, f"{document.name}: {target}"


def guide_tables() -> list[list[list[str]]]:
    """The tables of the user guide: rows of cells, the head first."""
    tables: list[list[list[str]]] = [[]]
    for line in (ROOT / "docs" / "user-guide.md").read_text().splitlines():
        if line.startswith("|"):
            tables[-1].append([cell.strip() for cell in line.strip("|").split("|")])
        elif tables[-1]:
            tables.append([])
    return [[head, *rows] for head, _, *rows in (table for table in tables if table)]


def test_the_guide_names_every_key_of_the_program_and_no_other() -> None:
    shortcuts = {key for row in ROWS for key in row.shortcuts}
    named = set()
    for head, *rows in guide_tables():
        for row in rows:
            for title, cell in zip(head, row, strict=True):
                if title == "key":
                    keys = re.findall(r"`([^`]+)`", cell)
                    assert keys or not cell, f"{cell!r} names no key"
                    named |= set(keys)
    assert named - shortcuts == set()
    recent = {f"Ctrl+{n}" for n in range(2, 5)}  # "1 to 5"
    assert shortcuts - named - recent - {"Return"} == set()


def test_the_guide_names_every_gesture_of_the_program_and_no_other() -> None:
    known = {gesture.how for gesture in GESTURES}
    named = {row[0] for head, *rows in guide_tables() if head[0] == "gesture" for row in rows}
    assert named - known == set()
    assert known - named - {"F5"} == set()


def test_every_preference_is_in_the_guide() -> None:
    tables = [rows for head, *rows in guide_tables() if head[0] == "preference"]
    assert [row[0] for row in tables[0]] == [row.label for row in PREFERENCE_ROWS]


def test_every_room_is_in_the_architecture() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    inits = [
        path for top in ("liverseg_gui", "training") for path in (ROOT / top).rglob("__init__.py")
    ]
    rooms = {path.parent.name for path in inits}
    assert len(rooms) > 40
    assert [room for room in sorted(rooms) if f"{room}/" not in text] == []


def test_every_file_that_the_documents_name_exists() -> None:
    program = ROOT / "liverseg_gui"
    rooms = [path.name for path in program.iterdir() if (path / "__init__.py").is_file()]
    tops = "|".join(["liverseg_gui", "training", "tests", "tools", "package", "resources", *rooms])
    named = re.compile(rf"`((?:{tops})/[\w./-]+)`")
    missing = [
        f"{document.name}: {name}"
        for document in documents()
        for name in named.findall(document.read_text())
        if "NAME" not in name and not any((room / name).exists() for room in (ROOT, program))
    ]
    assert missing == []
