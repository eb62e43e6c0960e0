"""Values of the settings file, each under the name that it has there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from liverseg_gui.core.display import LabelStyle
from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.parsing import read_dataclass
from liverseg_gui.core.window_level import PRESETS, Window
from liverseg_gui.state.overlay_style import OverlayStyle
from liverseg_gui.state.preferences import QUALITIES, MouseProfile, Theme
from liverseg_gui.state.user_presets import kept_presets
from liverseg_gui.system.devices import DEVICES

MOST_RECENT = 9
MOST_STUDY_WINDOWS = 200
LabelMapping = Mapping[int, int]
"""What a foreign mask's values mean here: file value -> 0 background, 1 liver, 2 tumor."""
V = TypeVar("V")


@dataclass(frozen=True)
class LastStudy:
    """The scan that was open last: the path that was opened, and which of its volumes."""

    path: Path
    number: int | None


@dataclass(frozen=True)
class SettingsValues:
    """The first eight have their rows in the Preferences dialog.

    `window_up`: dragging up raises the center. `preset` is the window a scan opens with. `model` is
    the chosen one, "" that for all users of this computer. `welcomed`: the card of first gestures
    was seen. `user_presets` are the windows the reader named, in the order they were made,
    `study_windows` those last used on each study, the newest last. `recent` are the paths opened
    last, the newest first, each once. `label_maps` go by the signature of a mask.
    """

    mouse_profile: MouseProfile = MouseProfile.DEFAULT
    window_up: bool = False
    theme: Theme = Theme.DARK
    preset: str = field(default="Abdomen", metadata={"choices": PRESETS})
    device: str = field(default="auto", metadata={"choices": DEVICES})
    quality: str = field(default="fast", metadata={"choices": QUALITIES})
    hide_patient: bool = False
    reopen_last: bool = False
    overlay: OverlayStyle = field(default_factory=OverlayStyle)
    model: str = ""
    welcomed: bool = False
    user_presets: Mapping[str, Window] = field(default_factory=dict)
    study_windows: Mapping[str, Window] = field(default_factory=dict)
    recent: tuple[Path, ...] = ()
    last: LastStudy | None = None
    label_maps: Mapping[str, LabelMapping] = field(default_factory=dict)

    @classmethod
    def from_stored(cls, stored: object) -> SettingsValues:
        """Of a settings file; what it lacks, and what is a choice of another version, keeps its
        default, and what is too much is limited.

        Raises:
            LiverSegError, OverflowError: it holds something else.
        """
        read = read_dataclass(cls, stored, "The settings file", lenient=True)
        for labels in (set(mapping.values()) for mapping in read.label_maps.values()):
            if not labels <= {0, 1, 2}:
                raise LiverSegError(f"{labels} are no labels of this program.")
        last = read.last
        if last is not None and (last.number or 0) < 1:
            last = replace(last, number=None)
        return replace(
            read,
            overlay=read.overlay.limited(),
            user_presets=kept_presets(_clamped(read.user_presets)),
            study_windows=newest(_clamped(read.study_windows)),
            recent=tuple(dict.fromkeys(read.recent))[:MOST_RECENT],
            last=last,
        )

    def stored(self) -> dict[str, Any]:
        """Plain values for a settings file."""
        plain: dict[str, Any] = json.loads(json.dumps(vars(self), default=_plain))
        return plain


def newest(windows: Mapping[str, V]) -> dict[str, V]:
    """Those of the studies seen last, as many as are remembered."""
    return dict(list(windows.items())[-MOST_STUDY_WINDOWS:])


def _clamped(windows: Mapping[str, Window]) -> dict[str, Window]:
    return {name: window.clamped() for name, window in windows.items()}


def _plain(value: object) -> object:
    """A value that JSON has no word for; whether a label is visible is not kept."""
    match value:
        case Enum():
            return value.value
        case Path():
            return str(value)
        case Window():
            return value.width, value.center
        case LabelStyle():
            return {"rgb": value.rgb, "opacity": value.opacity}
    return vars(value)
