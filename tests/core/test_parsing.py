from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import pytest

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.parsing import parse_json, read_dataclass


class Color(Enum):
    RED = "Red"
    BLUE = "Blue"


@dataclass(frozen=True)
class Pair:
    width: float
    height: float


@dataclass(frozen=True)
class Desk:
    color: Color = Color.RED
    wood: str = field(default="oak", metadata={"choices": ("oak", "ash")})
    folders: tuple[Path, ...] = ()
    drawers: Mapping[int, Pair] = field(default_factory=dict)


def read(values: object, *, lenient: bool = False) -> Desk:
    return read_dataclass(Desk, values, "The desk", lenient=lenient)


def test_choices_paths_and_tables_are_read() -> None:
    values = {"color": "Blue", "wood": "ash", "folders": ["a", "b"]}
    drawers = {"7": {"width": 1, "height": 2.5}}
    assert read({**values, "drawers": drawers}) == Desk(
        Color.BLUE, "ash", (Path("a"), Path("b")), {7: Pair(1.0, 2.5)}
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"colour": "Red"}, "no setting 'colour'. Did you mean 'color'"),
        ({"color": "Green"}, "color must be one of Red, Blue, not 'Green'"),
        ({"color": ["Red"]}, "color must be one of Red, Blue"),
        ({"wood": "elm"}, "wood must be one of oak, ash, not 'elm'"),
        ({"folders": "a"}, "folders must be a list of values"),
        ({"folders": [1]}, "folders must be text"),
        ({"drawers": []}, "drawers must be a table"),
        ({"drawers": {"x": {"width": 1, "height": 2}}}, "must have whole numbers as names"),
        ({"drawers": {"1": {"width": 1}}}, "drawers: 1 lacks 'height'"),
        ({"drawers": {"1": [1, 2]}}, "drawers: 1 must be a table of settings"),
    ],
)
def test_what_is_wrong_is_said(values: object, message: str) -> None:
    with pytest.raises(LiverSegError, match=message):
        read(values)


def test_lenient_passes_over_what_is_not_known_and_reads_the_rest() -> None:
    values = {"color": "Green", "wood": 7, "new": 1, "folders": ["a"], "drawers": {"1": [1, 2]}}
    assert read(values, lenient=True) == Desk(folders=(Path("a"),), drawers={1: Pair(1, 2)})


@pytest.mark.parametrize(
    "values", [{"folders": 3}, {"drawers": {"1": [1]}}, {"drawers": {"1": {"width": "x"}}}, [], 3]
)
def test_lenient_refuses_what_is_of_another_type(values: object) -> None:
    with pytest.raises(LiverSegError):
        read(values, lenient=True)


def test_json_that_is_nested_without_end_is_no_json() -> None:
    assert parse_json('{"a": [1]}') == {"a": [1]}
    for text in ("[" * 100_000, '{"a":' * 100_000, "", "{", "9" * 5000):
        with pytest.raises(ValueError, match=r"."):
            parse_json(text)
