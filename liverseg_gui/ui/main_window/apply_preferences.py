"""Preferences applied to the theme, the mouse and the window/level."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication

from liverseg_gui.core.window_level import PRESETS
from liverseg_gui.state.settings import Settings
from liverseg_gui.state.settings_values import SettingsValues
from liverseg_gui.state.view import ViewState
from liverseg_gui.ui.widgets.theme import apply_theme


def apply_preferences(
    settings: Settings, before: SettingsValues | None, view: ViewState
) -> SettingsValues:
    """Bring `view` and the theme in line with the preferences; those that hold now.

    The window/level is only touched where its preference is another one than `before`.
    """
    now = settings.values
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    apply_theme(app, now.theme)
    view.mouse_profile, view.window_up = now.mouse_profile, now.window_up
    if before is None or before.preset != now.preset:
        view.window = PRESETS[now.preset]
    return now
