"""Numbers that DICOM files state as text, in the ways in which programs misspell them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydicom.multival import MultiValue

from liverseg_gui.io.dicom.headers import Floats, Remark

_LARGEST = 1e6
_SMALLEST_MM = 1e-3
_UNIT = re.compile(r"\s*mm$", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_SEPARATORS = re.compile(r"\s*[;/|xX*]\s*|\s+|,\s+")


def numbers(value: object) -> Floats:
    """The numbers of an element's `value`, or nothing where one of them is none.

    Text is split at backslashes, and a lone decimal comma is a point.
    """
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        return _floats(value.strip("\0 ").split("\\"))
    return _floats(list(value) if isinstance(value, (list, tuple, MultiValue)) else [value])


def _spelled_otherwise(text: str) -> Floats:
    """The two numbers of `text` that are not set apart by a backslash, or nothing.

    "0.7 0.7", "0.7/0.7" and "0.7,0.7" are two numbers; "0,7" is one, with a decimal comma.
    """
    plain = _UNIT.sub("", text.strip("\0\\ "))
    if plain.count(",") == 1 and plain.count(".") == 2:
        plain = plain.replace(",", "\\")
    elif plain.count(",") == 3 and "." not in plain:
        first, second, third, fourth = plain.split(",")
        plain = f"{first}.{second}\\{third}.{fourth}"
    found = _floats([_UNIT.sub("", part) for part in _SEPARATORS.sub(r"\\", plain).split("\\")])
    return found if len(found) in (1, 2) else ()


def _floats(texts: Sequence[object]) -> Floats:
    try:
        found = tuple(float(_pointed(str(text).strip())) for text in texts)
    except ValueError:
        return ()
    return found if all(abs(n) < _LARGEST for n in found) else ()


def _pointed(text: str) -> str:
    return text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text


def of_length(found: Floats, length: int) -> Floats:
    """`found` where it has `length` numbers, else nothing."""
    return found if len(found) == length else ()


def positive(found: Floats) -> Floats:
    """`found` where all are lengths that something can have, else nothing."""
    return found if all(n >= _SMALLEST_MM for n in found) else ()


def pixel_size(values: Mapping[str, Any], remarks: list[Remark]) -> Floats:
    """The distances of rows and of columns (mm) that a file states, or nothing.

    `values` are its elements by key: `pixel_mm` and `pixel_text` for PixelSpacing as numbers and as
    text, then what may stand for it. `remarks` is told where it does not state them plainly.
    """
    text = str(values.get("pixel_text", "")).strip()
    stated = positive(values.get("pixel_mm", ()))
    square = len(set(values.get("aspect", ()))) < 2
    if len(stated) == 2:
        if "," in text:
            remarks.append(_misspelled(text, stated))
        if not square and stated[0] == stated[1]:
            remarks.append(_unsure(f"{text} for the size of a pixel, which is not square", stated))
        return stated
    if text and not stated:
        stated = positive(_spelled_otherwise(text))
        if len(stated) == 2:
            remarks.append(_misspelled(text, stated))
            return stated
    if len(stated) == 1 and square:
        both = stated * 2
        remarks.append(_unsure(f'one number for the size of a pixel, "{text}"', both))
        return both
    found, by = _in_its_place(values)
    given = f'"{text}" for the size of a pixel' if text else "no size of a pixel"
    if found:
        remarks.append(_unsure(f"{given}, but {by}", found))
    elif text:
        message = f"The files give {given}, from which none can be told: 1 mm is assumed, and mm "
        remarks.append(("no-pixel-spacing", message + "and ml are not reliable."))
    return found


def _in_its_place(values: Mapping[str, Any]) -> tuple[Floats, str]:
    """What a CT states instead of its pixels' size, and what it is called."""
    for key, name in (("imager_mm", "ImagerPixelSpacing"), ("nominal_mm", "its nominal size")):
        found = positive(of_length(values.get(key, ()), 2))
        if found:
            return found, name
    diameter = positive(of_length(values.get("diameter", ()), 1))
    if diameter and values.get("rows") == values.get("columns"):
        return (diameter[0] / values["rows"],) * 2, "the diameter of the picture"
    return (), ""


def _misspelled(text: str, mm: Floats) -> Remark:
    return (
        "pixel-spacing-misspelled",
        f'The files spell the size of a pixel "{text}": {mm[0]:g} x {mm[1]:g} mm was read.',
    )


def _unsure(what: str, mm: Floats) -> Remark:
    return (
        "pixel-spacing-assumed",
        f"The files give {what}: {mm[0]:.4g} x {mm[1]:.4g} mm is assumed, and mm and ml are not "
        "reliable.",
    )
