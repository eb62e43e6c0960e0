"""What the program remembers between two starts, kept as JSON in the settings folder."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from psygnal import Signal

from liverseg_gui.core.window_level import Window
from liverseg_gui.state.merging import merged
from liverseg_gui.state.overlay_style import OverlayStyle
from liverseg_gui.state.preferences import Preferences, truth
from liverseg_gui.state.site_model import SiteModel
from liverseg_gui.state.user_presets import kept_presets
from liverseg_gui.system.paths import config_folder

MOST_RECENT = 9
MOST_STUDY_WINDOWS = 200
_TABLES = ("user_presets", "study_windows", "label_maps")
_DAMAGED = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
LabelMapping = dict[int, int]
"""What a foreign mask's values mean here: file value -> 0 background, 1 liver, 2 tumor."""


@dataclass(frozen=True)
class LastStudy:
    """The scan that was open last: the path that was opened, and which of its volumes."""

    path: Path
    number: int | None = None


class Settings:
    """Every change is told by `changed` and written at once; `failed` says why it was not.

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
        self._set_defaults()
        self._read()
        self._known = self._stored()

    def _set_defaults(self) -> None:
        self._preferences = Preferences()
        self._overlay = OverlayStyle()
        self._model = ""
        self._welcomed = False
        self._recent: tuple[Path, ...] = ()
        self._last: LastStudy | None = None
        self._label_maps: dict[str, LabelMapping] = {}
        self._user_presets: dict[str, Window] = {}
        self._study_windows: dict[str, Window] = {}

    @property
    def preferences(self) -> Preferences:
        """What the reader prefers."""
        return self._preferences

    def prefer(self, **changes: Any) -> None:
        """Change fields of `preferences`; those that listen to `changed` take effect at once."""
        self._preferences = replace(self._preferences, **changes)
        self._write()

    @property
    def hide_patient(self) -> bool:
        """Whether no name, id or date of the patient is shown."""
        return self._preferences.hide_patient

    @hide_patient.setter
    def hide_patient(self, hide: bool) -> None:
        self.prefer(hide_patient=hide)

    @property
    def reopen_last(self) -> bool:
        """Whether the last study is opened when the program starts."""
        return self._preferences.reopen_last

    @reopen_last.setter
    def reopen_last(self, reopen: bool) -> None:
        self.prefer(reopen_last=reopen)

    @property
    def overlay(self) -> OverlayStyle:
        """How masks are drawn."""
        return self._overlay

    def set_overlay(self, look: OverlayStyle) -> None:
        """Draw masks so from the next start on."""
        self._overlay = look
        self._write()

    @property
    def model(self) -> str:
        """The model to segment with: what `use_model_for_now` said, else the chosen one, else the
        one for all users of this computer."""
        return self._model_for_now or self._model or self._site_model

    def choose_model(self, name: str) -> None:
        """Segment with the model `name` from the next time on; "" is the one for all users."""
        self._model, self._model_for_now = name, None
        self._write()

    def use_model_for_now(self, name: str) -> None:
        """Segment with the model `name`, or that in the folder `name`, until another one is
        chosen or the program ends. This is not kept."""
        self._model_for_now = name

    @property
    def welcomed(self) -> bool:
        """Whether the card of first gestures was seen."""
        return self._welcomed

    def welcome_seen(self) -> None:
        """Do not show that card by itself again."""
        self._welcomed = True
        self._write()

    @property
    def user_presets(self) -> dict[str, Window]:
        """The windows the reader named, in the order they were made."""
        return dict(self._user_presets)

    def set_user_presets(self, presets: Mapping[str, Window]) -> None:
        """Replace them."""
        self._user_presets = dict(presets)
        self._write()

    def study_window(self, key: str) -> Window | None:
        """The window last used on the study `key`."""
        return self._study_windows.get(key)

    def remember_window(self, key: str, window: Window) -> None:
        """Use `window` when the study `key` is opened again."""
        self._study_windows.pop(key, None)
        self._study_windows = _newest({**self._study_windows, key: window})
        self._write()

    @property
    def recent(self) -> tuple[Path, ...]:
        """The paths opened last, the newest first, each once."""
        return self._recent

    @property
    def last(self) -> LastStudy | None:
        """The scan that was opened last."""
        return self._last

    def opened(self, path: Path, number: int | None = None) -> None:
        """`path`, or volume `number` of it, was opened."""
        path = path.absolute()
        self._recent = (path, *(p for p in self._recent if p != path))[:MOST_RECENT]
        self._last = LastStudy(path, number)
        self._write()

    def forget_recent(self, path: Path) -> None:
        """Take one path from the list: it is not there any more."""
        self._recent = tuple(p for p in self._recent if p != path)
        if self._last is not None and self._last.path == path:
            self._last = None
        self._write()

    def clear_recent(self) -> None:
        """Forget what was opened, and how it was looked at."""
        self._recent, self._last = (), None
        self._study_windows = {}
        self._write()

    def label_map(self, signature: str) -> LabelMapping | None:
        """What the labels of masks with this `signature` mean, if the reader has said so."""
        found = self._label_maps.get(signature)
        return None if found is None else dict(found)

    def remember_label_map(self, signature: str, mapping: Mapping[int, int]) -> None:
        """Use `mapping` for masks with this `signature` from now on."""
        self._label_maps[signature] = {int(value): int(label) for value, label in mapping.items()}
        self._write()

    def forget_label_maps(self) -> None:
        """Ask again about every foreign mask."""
        self._label_maps = {}
        self._write()

    def _read(self) -> None:
        try:
            self._take(json.loads(self._file.read_text("utf-8")))
        except FileNotFoundError:
            return
        except OSError as error:
            self.note = f"{self._file} could not be read ({error.strerror}). Defaults are used."
        except _DAMAGED:
            self._set_defaults()
            self._set_aside()

    def _take(self, stored: Any) -> None:
        """Take what the file holds; what it lacks keeps its default.

        Raises:
            ValueError, TypeError, KeyError, AttributeError: it holds something else.
        """
        self._preferences = Preferences.from_stored(stored)
        self._overlay = OverlayStyle.from_stored(stored.get("overlay", {}))
        model = stored.get("model", "")
        self._model = model if isinstance(model, str) else ""
        self._welcomed = truth(stored.get("welcomed", False))
        self._user_presets = kept_presets(_windows(stored.get("user_presets", {})))
        self._study_windows = _newest(_windows(stored.get("study_windows", {})))
        recent = stored.get("recent", [])
        if not isinstance(recent, list):
            raise TypeError("the recent paths are no list")
        paths = [Path(text) for text in recent]
        self._recent = tuple(dict.fromkeys(paths))[:MOST_RECENT]
        last = stored.get("last")
        if last is not None:
            number = 0 if last["number"] is None else int(last["number"])
            self._last = LastStudy(Path(last["path"]), number if number > 0 else None)
        for signature, mapping in stored.get("label_maps", {}).items():
            self._label_maps[signature] = {int(v): _label(n) for v, n in mapping.items()}

    def _set_aside(self) -> None:
        bad = self._file.with_name(self._file.name + ".bad")
        try:
            self._file.replace(bad)
        except OSError as error:
            self.note = f"{self._file} is damaged ({error.strerror}). Defaults are used."
        else:
            self.note = f"The settings were damaged and set aside as {bad}. Defaults are used."

    def _write(self) -> None:
        """Write beside and rename over, so that a crash leaves the old or the new file whole."""
        beside = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            mine = self._stored()
            kept = merged(self._known, mine, self._on_disk(), _TABLES)
            kept["study_windows"] = _newest(kept["study_windows"])
            beside.write_text(json.dumps(kept, indent=1), "utf-8")
            beside.replace(self._file)
            self._known = mine
        except OSError as error:
            self.failed.emit(
                f"The settings could not be kept in {self._file.parent}: "
                f"{error.strerror or error}. They hold until the program is closed."
            )
        self.changed.emit()

    def _on_disk(self) -> Mapping[str, Any]:
        """What the file holds now; nothing where it cannot be understood."""
        try:
            held = json.loads(self._file.read_text("utf-8"))
        except (OSError, *_DAMAGED):
            return {}
        return held if isinstance(held, dict) else {}

    def _stored(self) -> dict[str, Any]:
        last = self._last
        return {
            **self._preferences.stored(),
            "overlay": self._overlay.stored(),
            "model": self._model,
            "welcomed": self._welcomed,
            "user_presets": _stored_windows(self._user_presets),
            "study_windows": _stored_windows(self._study_windows),
            "recent": [str(path) for path in self._recent],
            "last": None if last is None else {"path": str(last.path), "number": last.number},
            "label_maps": {
                signature: {str(value): label for value, label in mapping.items()}
                for signature, mapping in self._label_maps.items()
            },
        }


def _windows(stored: Any) -> dict[str, Window]:
    """Windows by name, of [width, center] pairs.

    Raises:
        ValueError, TypeError, AttributeError: it is something else.
    """
    windows = {}
    for name, (width, center) in stored.items():
        if not (math.isfinite(width) and math.isfinite(center)):
            raise ValueError(f"the window {name!r} is not finite")
        windows[str(name)] = Window(float(width), float(center)).clamped()
    return windows


def _newest(windows: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the studies seen last, as many as are remembered."""
    return dict(list(windows.items())[-MOST_STUDY_WINDOWS:])


def _stored_windows(windows: Mapping[str, Window]) -> dict[str, list[float]]:
    return {name: [window.width, window.center] for name, window in windows.items()}


def _label(value: Any) -> int:
    if value not in (0, 1, 2):
        raise ValueError(f"{value!r} is no label of this program")
    return int(value)
