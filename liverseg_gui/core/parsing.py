"""Settings from plain values, as JSON and TOML give them: strict, and clear about what is wrong."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from liverseg_gui.core.errors import LiverSegError

T = TypeVar("T")

_WORDS = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


def read_dataclass(kind: type[T], values: object, where: str) -> T:
    """A `kind`, a dataclass of plain fields, tuples and further dataclasses, made of `values`.

    Fields that are not named keep their defaults. Where None is allowed, so is false, for TOML
    knows no null. `where` names the settings in messages.

    Raises:
        LiverSegError: an unknown name, or a value of another type.
    """
    if not isinstance(values, Mapping):
        raise LiverSegError(f"{where} must be a table of settings, not {values!r}.")
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    for name in values:
        if name not in names:
            near = difflib.get_close_matches(str(name), names, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known are {', '.join(names)}."
            raise LiverSegError(f"{where} has no setting {name!r}. {hint}")
    read = {name: _read(hints[name], value, f"{where}: {name}") for name, value in values.items()}
    return kind(**read)


def _read(hint: Any, value: Any, where: str) -> Any:
    if get_origin(hint) in (Union, UnionType):
        if value is None or value is False:
            return None
        hint = next(part for part in get_args(hint) if part is not NoneType)
    if is_dataclass(hint):
        return read_dataclass(hint, value, where)  # type: ignore[arg-type]
    if get_origin(hint) is tuple:
        parts = get_args(hint)
        if not isinstance(value, (list, tuple)) or len(value) != len(parts):
            raise LiverSegError(f"{where} must be {len(parts)} values, not {value!r}.")
        return tuple(_read(part, v, where) for part, v in zip(parts, value, strict=True))
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint or (hint is float and not math.isfinite(value)):
        raise LiverSegError(f"{where} must be {_WORDS[hint]}, not {value!r}.")
    return value
