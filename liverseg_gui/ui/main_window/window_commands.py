"""The commands about window/level: what they do, and when they can be used."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from liverseg_gui.core.window_level import PRESETS, Window
from liverseg_gui.state.user_presets import MOST_USER_PRESETS

if TYPE_CHECKING:
    from liverseg_gui.ui.main_window.window import MainWindow

_NONE_STATED = "The file states no window of its own"
_NOT_OWN = "Choose one of your own presets first"


def window_handlers(window: MainWindow) -> dict[str, Callable[..., object]]:
    """The handlers of the Window menu by their keys."""
    control = window.windows
    return {
        **{f"preset {name}": partial(control.set, preset) for name, preset in PRESETS.items()},
        **{f"user preset {n + 1}": partial(control.take_own, n) for n in range(MOST_USER_PRESETS)},
        "file_window": control.from_file,
        "auto_window": control.auto,
        "region_window": lambda: control.from_region(window.panes.voxel_under_cursor),
        "reset_window": control.reset,
        "save_preset": control.save_preset,
        "rename_preset": control.rename_preset,
        "delete_preset": control.delete_preset,
    }


def refresh_window_commands(window: MainWindow) -> None:
    """Name the reader's presets in the menu; what cannot be used says why."""
    volume, actions = window.study.volume, window.actions_by_key
    presets = list(window.settings.user_presets.items())
    for n in range(MOST_USER_PRESETS):
        action = actions[f"user preset {n + 1}"]
        action.setVisible(n < len(presets))
        action.setEnabled(volume is not None and n < len(presets))
        if n < len(presets):
            name, preset = presets[n]
            action.setText(f"{name.replace('&', '&&')}  {_numbers(preset)}")
    stated = volume.origin.windows if volume is not None else ()
    file_window = actions["file_window"]
    file_window.setEnabled(bool(stated))
    file_window.setToolTip("" if stated or volume is None else _NONE_STATED)
    file_window.setText(f"&File  {_numbers(stated[0].window)}" if stated else "&File")
    own = volume is not None and window.windows.own_preset is not None
    for key in ("rename_preset", "delete_preset"):
        actions[key].setEnabled(own)
        actions[key].setToolTip("" if own or volume is None else _NOT_OWN)
    first = _numbers(window.windows.first)
    actions["reset_window"].setToolTip(f"Back to the window that studies open with: {first}")


def _numbers(window: Window) -> str:
    return f"{window.width:g} / {window.center:g}"
