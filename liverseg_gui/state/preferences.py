"""What the reader prefers; every field has its row in the Preferences dialog."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

from liverseg_gui.core.window_level import PRESETS


class MouseProfile(Enum):
    """DEFAULT drags with the chosen tool; PACS changes window/level unless a tool draws."""

    DEFAULT = "Default"
    PACS = "PACS"


class Theme(Enum):
    """The colors of the window; the slices are on black in both."""

    DARK = "Dark"
    LIGHT = "Light"


DEVICES = ("auto", "cpu", "cuda", "mps")
QUALITIES = ("fast", "best")


@dataclass(frozen=True)
class Preferences:
    """`window_up`: dragging up raises the center. `preset` is the window a scan opens with."""

    mouse_profile: MouseProfile = MouseProfile.DEFAULT
    window_up: bool = False
    theme: Theme = Theme.DARK
    preset: str = "Abdomen"
    device: str = "auto"
    quality: str = "fast"
    hide_patient: bool = False
    reopen_last: bool = False

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Preferences:
        """Of a settings file; a choice this version does not know keeps its default.

        Raises:
            TypeError: a value that is to be true or false is neither.
        """
        taken: dict[str, Any] = {}
        for field in fields(cls):
            if field.name in stored:
                taken[field.name] = _value(field.name, field.default, stored[field.name])
        return cls(**taken)

    def stored(self) -> dict[str, Any]:
        """Plain values for a settings file."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: v.value if isinstance(v, Enum) else v for name, v in values}


def truth(value: Any) -> bool:
    """`value` if it is true or false.

    Raises:
        TypeError: it is neither.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def _value(name: str, default: Any, value: Any) -> Any:
    if isinstance(default, bool):
        return truth(value)
    if isinstance(default, Enum):
        known = {choice.value: choice for choice in type(default)}
        return known.get(value, default) if isinstance(value, str) else default
    choices = {"device": DEVICES, "quality": QUALITIES}.get(name, tuple(PRESETS))
    return value if value in choices else default
