"""Buttons that load, save and reset a configuration and copy its command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QHBoxLayout, QWidget

from liverseg_gui.ui.widgets.buttons import push_button
from liverseg_gui.ui.widgets.file_dialogs import ask_file, ask_new_file

_KINDS = "Recipes (*.toml *.json)"
AskPath = Callable[[QWidget], Path | None]


class ConfigFileMenu(QWidget):
    """Buttons alone; the page does what they ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.load = push_button("Load ...", tip="Take all settings from a recipe's file")
        self.save = push_button("Save ...", tip="Keep all settings in a file, for another training")
        self.reset = push_button("Defaults", tip="All settings as they are recommended")
        self.copy = push_button(
            "Copy command line", tip="The same training for a terminal, with its recipe in a file"
        )
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for button in (self.load, self.save, self.reset):
            layout.addWidget(button)
        layout.addStretch(1)
        layout.addWidget(self.copy)


def ask_config_file(parent: QWidget) -> Path | None:
    """Which file to load."""
    return ask_file(parent, "Load a recipe", _KINDS)


def ask_new_config_file(parent: QWidget) -> Path | None:
    """Where to save, as TOML unless the name says otherwise."""
    path = ask_new_file(parent, "Save the recipe", "recipe.toml", _KINDS)
    return path if path is None or path.suffix else path.with_suffix(".toml")
