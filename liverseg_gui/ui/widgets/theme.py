"""The dark theme of a reading room and a light one: palettes, and tones for what text means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from liverseg_gui.core.planes import Plane
from liverseg_gui.state.preferences import Theme
from liverseg_gui.system import paths
from liverseg_gui.ui.widgets.labels import PlainTextStyle

Tone = Literal["warning", "error", "info", "good", "muted", "accent"]
TONE_PROPERTY = "tone"
_STRONG_PROPERTY = "strong"
_THEME_PROPERTY = "liverseg theme"
_ROLES = QPalette.ColorRole
_SCHEMES = {Theme.DARK: Qt.ColorScheme.Dark, Theme.LIGHT: Qt.ColorScheme.Light}
"""For what the system draws, such as the title of a window."""
PLANE_COLORS = {Plane.AXIAL: "#ff6b6b", Plane.CORONAL: "#7bd88f", Plane.SAGITTAL: "#f2c94c"}
ANNOTATION, ANNOTATION_CHOSEN = "#6fd3ff", "#fff27a"
PANE_BACKGROUND, PANE_TEXT, PANE_LETTERS = "#000000", "#c8c8c8", "#ffdc78"
QUALITY_TIP = (
    "Best takes four times as long as Fast, and measured no better on held-out patients with the "
    "default model"
)


@dataclass(frozen=True)
class ThemeColors:
    """The colors of a theme by what they are for. `disabled` is what cannot be used now."""

    window: str
    base: str
    button: str
    text: str
    disabled: str
    highlight: str
    highlighted: str
    placeholder: str
    line: str
    tones: dict[Tone, str]


COLORS: dict[Theme, ThemeColors] = {
    Theme.DARK: ThemeColors(
        window="#202225",
        base="#17181a",
        button="#2c2f33",
        text="#e4e6eb",
        disabled="#6b6e73",
        highlight="#2f6f9f",
        highlighted="#ffffff",
        placeholder="#8f9297",
        line="#3a3d42",
        tones={
            "warning": "#f2c94c",
            "error": "#ff7b7b",
            "info": "#8ab4d8",
            "good": "#7bd88f",
            "muted": "#9aa0a6",
            "accent": "#6cb6f0",
        },
    ),
    Theme.LIGHT: ThemeColors(
        window="#f2f3f5",
        base="#ffffff",
        button="#e4e6e9",
        text="#1d1f22",
        disabled="#92969c",
        highlight="#2667a0",
        highlighted="#ffffff",
        placeholder="#63676d",
        line="#c3c7cc",
        tones={
            "warning": "#7a5000",
            "error": "#b3261e",
            "info": "#1f5f93",
            "good": "#1a6630",
            "muted": "#565b61",
            "accent": "#1a62a6",
        },
    ),
}


def apply_theme(app: QApplication, theme: Theme = Theme.DARK) -> None:
    """Give the whole program `theme`, at run time too; the slices stay on black in both."""
    if app.property(_THEME_PROPERTY) == theme.value:
        return
    app.setProperty(_THEME_PROPERTY, theme.value)
    app.styleHints().setColorScheme(_SCHEMES[theme])
    app.setStyle(PlainTextStyle())
    app.setPalette(_palette(COLORS[theme]))
    app.setStyleSheet(_style_sheet(COLORS[theme]))
    # pyqtgraph's own default is column-major: (x, y)
    pg.setConfigOptions(imageAxisOrder="row-major", antialias=False)


def current_theme() -> Theme:
    """The theme the program has now."""
    app = QApplication.instance()
    value = app.property(_THEME_PROPERTY) if app is not None else None
    return Theme(value) if value is not None else Theme.DARK


def tone_color(tone: Tone) -> QColor:
    """The color of `tone` in the present theme, for what is painted and not a label."""
    return QColor(COLORS[current_theme()].tones[tone])


def placeholder_color() -> QColor:
    """The color of what is not there yet, for example an empty picture."""
    return QColor(COLORS[current_theme()].button)


def set_tone(widget: QWidget, tone: Tone | None, strong: bool = False) -> None:
    """Color the text of `widget` by what it means, in whichever theme; `strong` is bold."""
    if widget.property(TONE_PROPERTY) == tone and bool(widget.property(_STRONG_PROPERTY)) == strong:
        return
    widget.setProperty(TONE_PROPERTY, tone)
    widget.setProperty(_STRONG_PROPERTY, strong)
    style = widget.style()
    style.unpolish(widget)
    style.polish(widget)


def tone_of(widget: QWidget) -> Tone | None:
    """What `set_tone` gave."""
    return cast("Tone | None", widget.property(TONE_PROPERTY))


def _palette(colors: ThemeColors) -> QPalette:
    palette = QPalette(QColor(colors.button), QColor(colors.window))
    for role, color in (
        (_ROLES.WindowText, colors.text),
        (_ROLES.Base, colors.base),
        (_ROLES.AlternateBase, colors.window),
        (_ROLES.Text, colors.text),
        (_ROLES.ButtonText, colors.text),
        (_ROLES.ToolTipBase, colors.button),
        (_ROLES.ToolTipText, colors.text),
        (_ROLES.Highlight, colors.highlight),
        (_ROLES.HighlightedText, colors.highlighted),
        (_ROLES.PlaceholderText, colors.placeholder),
        (_ROLES.Link, colors.tones["accent"]),
        (_ROLES.LinkVisited, colors.tones["accent"]),
        (_ROLES.Accent, colors.tones["accent"]),
        (_ROLES.Window, colors.window),
        (_ROLES.Button, colors.button),
    ):
        palette.setColor(role, QColor(color))
    for role in (_ROLES.Text, _ROLES.ButtonText, _ROLES.WindowText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(colors.disabled))
    return palette


def _style_sheet(colors: ThemeColors) -> str:
    """Tones, bold text, and what Fusion draws too faintly."""
    tones = "".join(
        f'*[{TONE_PROPERTY}="{tone}"] {{ color: {color}; }}' for tone, color in colors.tones.items()
    )
    return (
        tones
        + _check_boxes(colors)
        + f'*[{_STRONG_PROPERTY}="true"] {{ font-weight: 600; }}'
        + "QToolButton#header { border: none; padding: 3px; }"
        + "QTreeView::item { padding: 2px; }"
        + "QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }"
        + f"QToolTip {{ color: {colors.text}; background: {colors.button};"
        + f" border: 1px solid {colors.line}; padding: 2px; }}"
        + f"#card {{ background: {colors.window}; border: 1px solid {colors.line};"
        + " border-radius: 8px; }"
    )


def _check_boxes(colors: ThemeColors) -> str:
    """Boxes with an edge that is seen on a dark window, where Fusion draws it darker still."""
    kinds = ("QCheckBox", "QGroupBox", "QAbstractItemView")
    check = paths.resource("icons/check.svg").as_posix()

    def rule(state: str, declarations: str) -> str:
        return ", ".join(f"{kind}::indicator{state}" for kind in kinds) + f" {{ {declarations} }}"

    edge = "width: 13px; height: 13px; border-radius: 3px; border: 1px solid"
    filled = f'image: url("{check}"); background: {colors.highlight}; border-color: {colors.line};'
    return (
        rule("", f"{edge} {colors.placeholder}; background: {colors.base};")
        + rule(":checked", filled)
        + rule(":disabled", f"border-color: {colors.line};")
        + rule(":checked:disabled", f"background: {colors.disabled};")
    )
