"""Settings of the program, kept as JSON in the settings folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from psygnal import Signal

from liverseg_gui.core.errors import LiverSegError, SaveError
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.core.window_level import Window
from liverseg_gui.state.merging import merged
from liverseg_gui.state.settings_values import (
    MOST_RECENT,
    LabelMapping,
    LastStudy,
    SettingsValues,
    newest,
)
from liverseg_gui.state.site_model import SiteModel
from liverseg_gui.system.atomic_write import write_text
from liverseg_gui.system.paths import config_folder

_TABLES = ("user_presets", "study_windows", "label_maps")
_DAMAGED = (LiverSegError, ValueError, OverflowError, RecursionError)


class Settings:
    """`values` are changed by `change` alone, which emits `changed` and writes the file at once;
    `failed` carries why it could not.

    What another running program has changed in the file meanwhile is left as it is there. Only the
    thread of the window changes it. `note` is what the reader should know about how it was read, or
    nothing.
    """

    changed = Signal()
    failed = Signal(str)

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or config_folder() / "settings.json"
        self.note = ""
        self._model_for_now: str | None = None
        self._site_model = SiteModel().model
        self.values = self._read()
        self._known = self.values.stored()

    def change(self, **fields: Any) -> None:
        """Change fields of `values`; those that listen to `changed` take effect at once."""
        self.values = replace(self.values, **fields)
        self._write()
        self.changed.emit()

    @property
    def model(self) -> str:
        """The model to segment with: that of `use_model_for_now`, else the chosen one, else the
        one for all users of this computer."""
        return self._model_for_now or self.values.model or self._site_model

    def choose_model(self, name: str) -> None:
        """Segment with the model `name` from the next time on; "" is the one for all users."""
        self._model_for_now = None
        self.change(model=name)

    def use_model_for_now(self, name: str) -> None:
        """Segment with the model `name`, or that in the folder `name`, until another one is
        chosen or the program ends. This is not kept."""
        self._model_for_now = name

    def remember_window(self, key: str, window: Window) -> None:
        """Use `window` when the study `key` is opened again."""
        others = {name: w for name, w in self.values.study_windows.items() if name != key}
        self.change(study_windows=newest({**others, key: window}))

    def remember_label_map(self, signature: str, mapping: LabelMapping) -> None:
        """Use `mapping` for masks with this `signature` from now on."""
        self.change(label_maps={**self.values.label_maps, signature: dict(mapping)})

    def opened(self, path: Path, number: int | None = None) -> None:
        """`path`, or volume `number` of it, was opened."""
        path = path.absolute()
        others = (p for p in self.values.recent if p != path)
        self.change(recent=(path, *others)[:MOST_RECENT], last=LastStudy(path, number))

    def forget_recent(self, path: Path) -> None:
        """Take one path from the list: it is not there any more."""
        recent, last = self.values.recent, self.values.last
        self.change(
            recent=tuple(p for p in recent if p != path),
            last=None if last is not None and last.path == path else last,
        )

    def clear_recent(self) -> None:
        """Forget what was opened, and how it was looked at."""
        self.change(recent=(), last=None, study_windows={})

    def _read(self) -> SettingsValues:
        try:
            return SettingsValues.from_stored(parse_json(self._file.read_text("utf-8")))
        except FileNotFoundError:
            pass
        except OSError as error:
            self.note = f"{self._file} could not be read ({error.strerror}). Defaults are used."
        except _DAMAGED:
            self._set_aside()
        return SettingsValues()

    def _set_aside(self) -> None:
        bad = self._file.with_name(self._file.name + ".bad")
        try:
            self._file.replace(bad)
        except OSError as error:
            self.note = f"{self._file} is damaged ({error.strerror}). Defaults are used."
        else:
            self.note = f"The settings were damaged and set aside as {bad}. Defaults are used."

    def _write(self) -> None:
        mine = self.values.stored()
        kept = merged(self._known, mine, self._on_disk(), _TABLES)
        kept["study_windows"] = newest(kept["study_windows"])
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_text(self._file, json.dumps(kept, indent=1))
            self._known = mine
        except (OSError, SaveError) as error:
            reason = error if isinstance(error, OSError) else error.__cause__
            self.failed.emit(
                f"The settings could not be kept in {self._file.parent}: "
                f"{getattr(reason, 'strerror', None) or reason}. They hold until the program is "
                "closed."
            )

    def _on_disk(self) -> Mapping[str, Any]:
        """What the file holds now; nothing where it cannot be understood."""
        try:
            held = parse_json(self._file.read_text("utf-8"))
            SettingsValues.from_stored(held)
        except (OSError, *_DAMAGED):
            return {}
        return held if isinstance(held, dict) else {}
