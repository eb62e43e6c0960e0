"""Strict reading of JSON, and of dataclasses from plain values, as JSON and TOML give them."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Collection, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from liverseg_gui.core.errors import LiverSegError

T = TypeVar("T")

_TYPE_NAMES = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


class _UnknownError(LiverSegError):
    """A name, or a choice, that this version does not know."""


def parse_json(text: str | bytes) -> Any:
    """The values of a JSON text.

    Raises:
        ValueError: it is no JSON, or is nested deeper than Python reads.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def read_dataclass(kind: type[T], values: object, where: str, *, lenient: bool = False) -> T:
    """A `kind`, a dataclass of plain fields, tuples, tables and further dataclasses, of `values`.

    Fields that are not named keep their defaults. Where None is allowed, so is false, for TOML
    knows no null. The metadata `choices` of a field are the texts that it may be. `where` names the
    settings in messages. With `lenient`, for what another version may have written, names and
    choices that are not known are passed over, and a list is all fields in their order.

    Raises:
        LiverSegError: an unknown name, one that is missing, or a value of another type.
    """
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    if lenient and isinstance(values, list) and len(values) == len(known):
        values = dict(zip(known, values, strict=True))
    if not isinstance(values, Mapping):
        raise LiverSegError(f"{where} must be a table of settings, not {values!r}.")
    hints, read = get_type_hints(kind), {}
    for name, value in values.items():
        try:
            _require_known(name, value, known, where)
            read[name] = _read(hints[name], value, f"{where}: {name}", lenient)
        except _UnknownError:
            if not lenient:
                raise
    for name, field in known.items():
        if field.default is MISSING and field.default_factory is MISSING and name not in read:
            raise LiverSegError(f"{where} lacks {name!r}.")
    return kind(**read)


def _require_known(name: str, value: Any, known: Mapping[str, Field[Any]], where: str) -> None:
    if name not in known:
        near = difflib.get_close_matches(str(name), known, 1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known are {', '.join(known)}."
        raise _UnknownError(f"{where} has no setting {name!r}. {hint}")
    if "choices" in known[name].metadata:
        _require_choice(value, known[name].metadata["choices"], f"{where}: {name}")


def _require_choice(value: Any, choices: Collection[str], where: str) -> None:
    if not isinstance(value, str) or value not in choices:
        raise _UnknownError(f"{where} must be one of {', '.join(choices)}, not {value!r}.")


def _read(hint: Any, value: Any, where: str, lenient: bool) -> Any:
    if get_origin(hint) in (Union, UnionType):
        if value is None or value is False:
            return None
        hint = next(part for part in get_args(hint) if part is not NoneType)
    if is_dataclass(hint):
        return read_dataclass(hint, value, where, lenient=lenient)  # type: ignore[arg-type]
    if get_origin(hint) is tuple:
        return _read_tuple(get_args(hint), value, where, lenient)
    if get_origin(hint) is Mapping:
        return _read_table(get_args(hint), value, where, lenient)
    if isinstance(hint, type) and issubclass(hint, Enum):
        _require_choice(value, [choice.value for choice in hint], where)
        return hint(value)
    if hint is Path:
        return Path(_read(str, value, where, lenient))
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint or (hint is float and not math.isfinite(value)):
        raise LiverSegError(f"{where} must be {_TYPE_NAMES[hint]}, not {value!r}.")
    return value


def _read_tuple(parts: tuple[Any, ...], value: Any, where: str, lenient: bool) -> tuple[Any, ...]:
    many = parts[-1] is Ellipsis
    if not isinstance(value, (list, tuple)) or not (many or len(value) == len(parts)):
        number = "a list of" if many else len(parts)
        raise LiverSegError(f"{where} must be {number} values, not {value!r}.")
    parts = parts[:1] * len(value) if many else parts
    return tuple(_read(part, v, where, lenient) for part, v in zip(parts, value, strict=True))


def _read_table(parts: tuple[Any, ...], value: Any, where: str, lenient: bool) -> dict[Any, Any]:
    """Keys are text in files, also where they are numbers here."""
    if not isinstance(value, Mapping):
        raise LiverSegError(f"{where} must be a table, not {value!r}.")
    key_of, part = parts
    try:
        keys = [key_of(key) for key in value]
    except ValueError as error:
        raise LiverSegError(f"{where} must have whole numbers as names, not {error}.") from error
    entries = zip(keys, value.values(), strict=True)
    return {key: _read(part, v, f"{where}: {key}", lenient) for key, v in entries}
