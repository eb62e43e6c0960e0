"""The user's own window/level presets and their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from liverseg_gui.core.window_level import PRESETS, Window

MOST_USER_PRESETS = 12
LONGEST_PRESET_NAME = 32


def tidy_name(text: str) -> str:
    """`text` without space around it or twice within it."""
    return " ".join(text.split())


def same_name(name: str, among: Iterable[str]) -> str | None:
    """The one of `among` that reads like `name`, whatever its capitals."""
    return next((other for other in among if other.casefold() == name.casefold()), None)


def preset_name_problem(name: str) -> str:
    """Why no preset can be called `name` (tidy), or nothing."""
    if not name:
        return "Type a name."
    if len(name) > LONGEST_PRESET_NAME:
        return f"A name has at most {LONGEST_PRESET_NAME} letters."
    if same_name(name, PRESETS) is not None:
        return "A preset of the program has this name. Choose another one."
    return ""


def preset_of(window: Window, presets: Mapping[str, Window]) -> str | None:
    """The name of the preset that is `window`."""
    return next((name for name, preset in presets.items() if preset == window), None)


def renamed(presets: Mapping[str, Window], old: str, new: str) -> dict[str, Window]:
    """`presets` in the same order, `old` being called `new`."""
    return {new if name == old else name: window for name, window in presets.items()}


def kept_presets(stored: Mapping[str, Window]) -> dict[str, Window]:
    """Those of `stored` that a reader can have named, no more than there is room for."""
    kept: dict[str, Window] = {}
    for text, window in stored.items():
        name = tidy_name(text)
        if not preset_name_problem(name) and same_name(name, kept) is None:
            kept[name] = window
    return dict(list(kept.items())[:MOST_USER_PRESETS])
