"""Window/level that each study was last seen with."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from liverseg_gui.core.window_level import PRESETS, Window
from liverseg_gui.state.settings import Settings

_KEY_LENGTH = 32


def study_key(path: Path, number: int) -> str:
    """Key of volume `number` of what is at `path`, by whichever way that was reached; neither can
    be read from it."""
    text = f"{os.path.realpath(path)}\n{number}"
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:_KEY_LENGTH]


class WindowLevelMemory:
    """Keeps the window of the open study in the settings once `keep` is called.

    A window that was never changed is not kept: such a study follows the preferences.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._key = ""
        self._changed: Window | None = None

    @property
    def first(self) -> Window:
        """The window of a study that is opened for the first time."""
        return PRESETS[self._settings.values.preset]

    def opened(self, key: str) -> Window | None:
        """The window for the study `key`, or None where it was open already."""
        self.keep()
        if key and key == self._key:
            return None
        self._key = key
        return self._settings.values.study_windows.get(key) or self.first

    def used(self, window: Window) -> None:
        """The open study is looked at with `window`."""
        self._changed = window

    def keep(self) -> None:
        """Write the window that was used last, if it is another one than is kept."""
        window, self._changed = self._changed, None
        kept = self._settings.values.study_windows
        if window is not None and self._key and kept.get(self._key) != window:
            self._settings.remember_window(self._key, window)

    def forget(self) -> None:
        """Do not keep what was used up to now."""
        self._changed = None
