"""Texts of data do nothing to a terminal, a log or another line."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from liverseg_gui.system.logging_setup import LOG_NAME, start_logging
from liverseg_gui.system.plain_text import REPLACEMENT, one_line, printable

CONTROLS = [
    *map(chr, (*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0))),
    *map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))),
    *"\N{LEFT-TO-RIGHT MARK}\N{RIGHT-TO-LEFT MARK}\N{ARABIC LETTER MARK}",
    *"\N{ZERO WIDTH SPACE}\N{WORD JOINER}\N{ZERO WIDTH NO-BREAK SPACE}",
    *"\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}\ud800\udce4",
]


@pytest.mark.parametrize("control", CONTROLS, ids=lambda c: f"{ord(c):04X}")
def test_what_acts_is_shown_and_does_not_act(control: str) -> None:
    expected = " " if control == "\t" else REPLACEMENT
    assert printable(f"Doe{control}John") == f"Doe{expected}John"
    assert one_line(f"Doe{control}John") == f"Doe{expected}John"


@pytest.mark.parametrize(
    "text",
    [
        "Doe, John",
        "  lesion 1: 2 ml",
        "Müller, Jörg",
        "王丽",
        "山田 太郎",
        "홍길동",
        "محمد",
        "שרה",
        "می‌خواهم",
        "\N{WARNING SIGN} 1",
    ],
)
def test_what_people_write_stays(text: str) -> None:
    assert printable(text) == one_line(text) == text


def test_lines_stay_lines_or_become_one() -> None:
    assert printable("Doe\r\n  John\nCT\t1") == "Doe\n  John\nCT 1"
    assert one_line("Doe \r\n  John\nCT\t1") == "Doe John CT 1"


def test_a_record_of_the_log_looks_like_one_whatever_it_holds(tmp_path: Path) -> None:
    handler = start_logging(tmp_path)
    assert handler is not None
    forged = "Doe\n2026-01-01 00:00:00,000 ERROR liverseg: forged\x1b[2J\u202e"
    try:
        logging.getLogger("liverseg").info("Opened %s", forged)
        try:
            raise ValueError(forged)
        except ValueError:
            logging.getLogger("liverseg").exception("Not opened")
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
    text = (tmp_path / LOG_NAME).read_text("utf-8")
    records = [line for line in text.splitlines() if line[:1] != " "]
    assert len(records) == 2
    assert "Opened Doe 2026" in records[0]
    assert not any(sign in text for sign in "\x1b\u202e")
