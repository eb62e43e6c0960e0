"""The commands of the Readings menu: their rows, what they do, and when they can be used."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from liverseg_gui.ui.annotations.texts import KINDS

if TYPE_CHECKING:
    from liverseg_gui.ui.main_window.window import MainWindow


def reading_handlers(window: MainWindow) -> dict[str, Callable[..., object]]:
    """The handlers of all of them but the tools, by key."""
    control = window.readings
    return {
        "close_polygon": control.close_polygon,
        "undo": control.undo,
        "redo": control.redo,
        "delete_reading": control.delete,
        "delete_readings": control.delete_all,
        "show_readings": partial(setattr, window.view_state, "readings_visible"),
    }


def tool_checks(window: MainWindow) -> dict[str, bool]:
    """Which tool is in the hand, by the keys of their commands."""
    tool = window.view_state.tool
    return {f"tool {kind.value}": tool is each for each, kind in KINDS.items()}


def refresh_readings(window: MainWindow) -> None:
    """Bring the state of these commands up to date; undo and redo say what they are about."""
    actions, readings, history = window.actions_by_key, window.bench.readings, window.bench.history
    idle = window.study.preview is None
    actions["close_polygon"].setEnabled(window.readings.can_close)
    seen = idle and window.view_state.readings_visible
    actions["delete_reading"].setEnabled(seen and readings.chosen is not None)
    actions["delete_readings"].setEnabled(seen and bool(readings.items))
    actions["undo"].setEnabled(idle and (history.can_undo or window.readings.unfinished))
    actions["redo"].setEnabled(idle and history.can_redo)
    actions["undo"].setText(f"&Undo {history.undo_name}".strip())
    actions["redo"].setText(f"&Redo {history.redo_name}".strip())
