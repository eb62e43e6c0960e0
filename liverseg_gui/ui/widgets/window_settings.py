"""Settings file for the geometry of windows and what was dismissed in them."""

from __future__ import annotations

from PySide6.QtCore import QSettings

from liverseg_gui.system.paths import config_folder


def window_settings() -> QSettings:
    """window.ini in the program's folder."""
    return QSettings(str(config_folder() / "window.ini"), QSettings.Format.IniFormat)
