"""Window/level panel: presets, numbers, the histogram, and what sets it by the scan."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QGroupBox,
    QHBoxLayout,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from liverseg_gui.core.window_level import (
    HIGHEST_CENTER,
    LOWEST_CENTER,
    NARROWEST,
    PRESETS,
    WIDEST,
    Window,
)
from liverseg_gui.state.open_scan import OpenScan
from liverseg_gui.state.settings import Settings
from liverseg_gui.state.view import ViewState
from liverseg_gui.system.plain_text import one_line
from liverseg_gui.ui.panels.histogram_plot import HistogramPlot
from liverseg_gui.ui.widgets.input_filters import NumberKeys
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.number_box import NumberBox
from liverseg_gui.ui.widgets.theme import set_tone

BUTTONS = {
    "auto_window": "Auto",
    "region_window": "Region",
    "invert": "Invert",
    "reset_window": "Reset",
}
"""Commands that have a button, and what it says."""

PRESET_COMMANDS = ("save_preset", "rename_preset", "delete_preset")


class WindowNumberBox(NumberBox):
    """A number in HU that is taken on Enter or when the box is left."""

    def __init__(self, name: str, least: float, most: float, step: int) -> None:
        super().__init__(least, most, step, whole=True, nearest=True)
        self.setAccessibleName(name)
        self.setToolTip(f"{name} in HU: type it and press Enter")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def show_value(self, value: float) -> None:
        """Show a number that was set elsewhere; what is being typed goes only for another one."""
        if round(value) == self.value():
            return
        self.blockSignals(True)
        self.setValue(round(value))
        self.blockSignals(False)


class WindowLevelPanel(QGroupBox):
    """Follows `ViewState.window` and changes it. `done` tells that a number was entered."""

    done = Signal()
    auto_requested = Signal()

    def __init__(self, study: OpenScan, view: ViewState, settings: Settings) -> None:
        super().__init__("Window/level")
        self._study, self._view, self._settings = study, view, settings
        self._build()
        study.volume_changed.connect(self._show_study)
        settings.changed.connect(self._list_presets)
        view.events.window.connect(self.refresh)
        view.events.inverted.connect(self.refresh)
        self._show_study()

    def _build(self) -> None:
        self._presets = QComboBox()
        self._presets.setAccessibleName("Window preset")
        self._presets.setPlaceholderText("Own values")
        self._presets.setMinimumContentsLength(12)
        self._presets.activated.connect(self._choose)
        self._more = _button("Presets of your own", "...")
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._width = WindowNumberBox("Window width", NARROWEST, WIDEST, 10)
        self._center = WindowNumberBox("Window center (level)", LOWEST_CENTER, HIGHEST_CENTER, 5)
        for box, set_it in ((self._width, self._set_width), (self._center, self._set_center)):
            box.valueChanged.connect(set_it)
            NumberKeys(box).done.connect(self.done)
        self.plot = HistogramPlot()
        self.plot.window_set.connect(lambda window: setattr(self._view, "window", window))
        self.plot.auto_requested.connect(self.auto_requested)
        self._buttons = {key: _button(text, text) for key, text in BUTTONS.items()}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addLayout(_row((self._presets, 1), (self._more, 0)))
        numbers = ((PlainLabel("W"), 0), (self._width, 1), (PlainLabel("L"), 0), (self._center, 1))
        layout.addLayout(_row(*numbers))
        layout.addWidget(self.plot)
        layout.addLayout(_row(*((button, 1) for button in self._buttons.values())))

    def take_actions(self, actions: Mapping[str, QAction]) -> None:
        """Let the buttons be the window's commands: they say why when they cannot be used."""
        for key, button in self._buttons.items():
            actions[key].setIconText(BUTTONS[key])
            button.setDefaultAction(actions[key])
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        menu.addActions([actions[key] for key in PRESET_COMMANDS])
        self._more.setMenu(menu)

    def _show_study(self) -> None:
        volume = self._study.volume
        self.plot.show_histogram(self._study.histogram)
        for widget in (self._presets, self._more, self._width, self._center):
            widget.setEnabled(volume is not None)
        self._list_presets()

    def _list_presets(self) -> None:
        """The program's presets, the reader's and the file's, a line between them."""
        volume = self._study.volume
        stated = volume.origin.windows if volume is not None else ()
        groups: list[list[tuple[str, Window]]] = [
            list(PRESETS.items()),
            list(self._settings.values.user_presets.items()),
            [(f"File {named.name}".strip(), named.window) for named in stated],
        ]
        self._presets.clear()
        for group in filter(None, groups):
            if self._presets.count():
                self._presets.insertSeparator(self._presets.count())
            for name, window in group:
                self._presets.addItem(
                    one_line(f"{name}  {window.width:g} / {window.center:g}"), window
                )
        self.refresh()

    def refresh(self, *_: object) -> None:
        """Show the present window."""
        window = self._view.window
        self._width.show_value(window.width)
        self._center.show_value(window.center)
        same = (n for n in range(self._presets.count()) if self._presets.itemData(n) == window)
        self._presets.setCurrentIndex(next(same, -1))
        inverted = self._view.inverted
        self.plot.show_window(window, inverted)
        # a pressed button is hardly seen in the dark theme
        set_tone(self._buttons["invert"], "accent" if inverted else None, strong=inverted)

    def _choose(self, at: int) -> None:
        self._view.window = self._presets.itemData(at)

    def _set_width(self, width: float) -> None:
        self._view.window = Window(width, self._view.window.center)

    def _set_center(self, center: float) -> None:
        self._view.window = Window(self._view.window.width, center)


def _button(name: str, text: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setAccessibleName(name)
    button.setToolTip(name)
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return button


def _row(*widgets: tuple[QWidget, int]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(4)
    for widget, share in widgets:
        row.addWidget(widget, share)
    return row
