"""The dark theme of a reading room."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

_COLORS = {
    QPalette.ColorRole.Window: "#202225",
    QPalette.ColorRole.WindowText: "#e4e6eb",
    QPalette.ColorRole.Base: "#17181a",
    QPalette.ColorRole.AlternateBase: "#202225",
    QPalette.ColorRole.Text: "#e4e6eb",
    QPalette.ColorRole.Button: "#2c2f33",
    QPalette.ColorRole.ButtonText: "#e4e6eb",
    QPalette.ColorRole.ToolTipBase: "#2c2f33",
    QPalette.ColorRole.ToolTipText: "#e4e6eb",
    QPalette.ColorRole.Highlight: "#2f6f9f",
    QPalette.ColorRole.HighlightedText: "#ffffff",
    QPalette.ColorRole.PlaceholderText: "#8a8d91",
}


def apply_theme(app: QApplication) -> None:
    """Dark colors on Qt's Fusion style, the same on every system."""
    app.setStyle("Fusion")
    palette = QPalette()
    for role, color in _COLORS.items():
        palette.setColor(role, QColor(color))
    roles = QPalette.ColorRole
    for role in (roles.Text, roles.ButtonText, roles.WindowText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor("#6b6e73"))
    app.setPalette(palette)
    pg.setConfigOptions(imageAxisOrder="row-major", antialias=False)
