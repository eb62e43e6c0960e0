from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QImage
from PySide6.QtWidgets import QApplication, QLabel, QTreeWidget, QTreeWidgetItem
from pytestqt.qtbot import QtBot

import liverseg_gui.ui
from liverseg_gui.state.preferences import Theme
from liverseg_gui.system import paths
from liverseg_gui.ui.main_window.actions import ROWS
from liverseg_gui.ui.widgets.icons import icon
from liverseg_gui.ui.widgets.severity import TONE_ROLE, ToneDelegate
from liverseg_gui.ui.widgets.theme import COLORS, apply_theme, current_theme, set_tone, tone_color
from tests.ui.conftest import Desk


@pytest.fixture
def app(qapp: QApplication) -> Iterator[QApplication]:
    apply_theme(qapp, Theme.DARK)
    yield qapp
    apply_theme(qapp, Theme.DARK)


def luminance(color: str) -> float:
    """Relative luminance, WCAG 2.1."""
    channels = (QColor(color).redF(), QColor(color).greenF(), QColor(color).blueF())
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", Theme)
def test_every_text_can_be_read_on_everything_it_may_stand_on(theme: Theme) -> None:
    colors = COLORS[theme]
    texts = {**colors.tones, "text": colors.text, "placeholder": colors.placeholder}
    for name, color in texts.items():
        for ground in (colors.window, colors.base, colors.button):
            if name != "placeholder" or ground == colors.base:
                assert contrast(color, ground) >= 4.5, (name, ground)
    assert contrast(colors.highlighted, colors.highlight) >= 4.5


@pytest.mark.parametrize("theme", Theme)
def test_the_ring_of_the_focus_stands_out_from_what_it_lies_on(theme: Theme) -> None:
    colors = COLORS[theme]
    assert all(
        contrast(colors.tones["accent"], ground) >= 3
        for ground in (colors.window, colors.base, colors.button)
    )


def has_color(image: QImage, color: QColor) -> bool:
    return any(
        image.pixelColor(x, y) == color for x in range(image.width()) for y in range(image.height())
    )


def test_a_label_changes_its_color_with_its_tone_and_with_the_theme(
    app: QApplication, qtbot: QtBot
) -> None:
    label = QLabel("\N{FULL BLOCK}" * 8)
    qtbot.addWidget(label)
    label.show()
    for theme in (Theme.LIGHT, Theme.DARK):
        apply_theme(app, theme)
        for tone in ("warning", "muted", "error"):
            set_tone(label, tone)
            assert has_color(label.grab().toImage(), QColor(COLORS[theme].tones[tone]))


def test_a_cell_changes_its_color_with_the_theme(app: QApplication, qtbot: QtBot) -> None:
    tree = QTreeWidget()
    qtbot.addWidget(tree)
    tree.setItemDelegate(ToneDelegate(tree))
    item = QTreeWidgetItem(tree, ["\N{FULL BLOCK}" * 8])
    item.setData(0, TONE_ROLE, "error")
    tree.show()
    for theme in (Theme.LIGHT, Theme.DARK):
        apply_theme(app, theme)
        assert has_color(tree.viewport().grab().toImage(), tone_color("error"))


def test_the_theme_changes_in_the_open_window_and_the_panes_stay_black(
    app: QApplication, desk: Desk, files: Path
) -> None:
    desk.open(files / "scan.nii.gz")
    window = desk.window
    desk.settings.change(theme=Theme.LIGHT)
    assert current_theme() is Theme.LIGHT
    assert window.palette().window().color() == QColor(COLORS[Theme.LIGHT].window)
    corner = window.views[next(iter(window.views))]._graphics.grab().toImage().pixelColor(3, 300)
    assert corner.lightness() < 10


def mean_lightness(picture: QImage) -> float:
    """Of what is drawn, the rest being transparent."""
    pixels = [
        picture.pixelColor(x, y) for x in range(picture.width()) for y in range(picture.height())
    ]
    drawn = [color.lightness() for color in pixels if color.alpha() > 200]
    return sum(drawn) / len(drawn)


def test_an_icon_that_is_made_already_follows_the_theme(app: QApplication) -> None:
    made = icon("open")
    dark = mean_lightness(made.pixmap(QSize(24, 24)).toImage())
    apply_theme(app, Theme.LIGHT)
    assert mean_lightness(made.pixmap(QSize(24, 24)).toImage()) < 60 < 180 < dark
    disabled = made.pixmap(QSize(24, 24), 1.0, QIcon.Mode.Disabled)
    assert 100 < mean_lightness(disabled.toImage()) < 180


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_an_icon_has_the_pixels_of_its_screen(app: QApplication, scale: float) -> None:
    pixmap = icon("open").pixmap(QSize(24, 24), scale)
    assert pixmap.size() == QSize(24, 24) * scale
    assert pixmap.devicePixelRatio() == scale


def test_every_icon_takes_the_color_of_the_theme() -> None:
    for path in paths.resource("icons").glob("*.svg"):
        if path.stem not in ("liverseg", "check"):
            assert "currentColor" in path.read_text("utf-8"), path.name
    for row in ROWS:
        assert not row.icon or paths.resource(f"icons/{row.icon}.svg").is_file()


def test_no_widget_has_a_color_of_its_own() -> None:
    literal = re.compile(r"#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3}\b")
    folder = Path(liverseg_gui.ui.__file__).parent
    for path in folder.rglob("*.py"):
        if path.name not in ("theme.py", "pane_colors.py"):
            assert not literal.findall(path.read_text("utf-8")), path.name
