"""First steps of a reader: the card of first gestures and the list of all keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.viewer.panes import PaneGrid

if TYPE_CHECKING:
    from liverseg_gui.ui.main_window.shortcuts_dialog import ShortcutsDialog
    from liverseg_gui.ui.main_window.welcome_card import WelcomeCard


class FirstSteps(QObject):
    """Shows the card in the `middle` of `window`, by itself once in a lifetime, and the list.

    Afterwards the keyboard is on the panes again.
    """

    def __init__(
        self, window: QWidget, middle: QWidget, panes: PaneGrid, settings: Settings
    ) -> None:
        super().__init__(window)
        self._window, self._middle = window, middle
        self._panes, self._settings = panes, settings
        self.card: WelcomeCard | None = None
        self.shortcuts: ShortcutsDialog | None = None
        self._profile = settings.values.mouse_profile
        settings.changed.connect(self._follow)

    def welcome_first(self) -> None:
        """Show the card unless the reader has seen it."""
        if not self._settings.values.welcomed:
            self.show_gestures()

    def show_gestures(self) -> None:
        """Show the card, on top of what is in the middle now."""
        if self.card is None:
            from liverseg_gui.ui.main_window.welcome_card import WelcomeCard

            self.card = WelcomeCard(self._middle, self._profile)
            self.card.closed.connect(self._closed)
            self.card.shortcuts_requested.connect(self.show_shortcuts)
        self.card.raise_()

    def show_shortcuts(self) -> None:
        """Show the list, and bring it to the front where it is open."""
        if self.shortcuts is None:
            from liverseg_gui.ui.main_window.shortcuts_dialog import ShortcutsDialog

            self.shortcuts = ShortcutsDialog(self._window, self._profile)
            self.shortcuts.finished.connect(self._closed_list)
            self.shortcuts.show()
        self.shortcuts.raise_()
        self.shortcuts.activateWindow()

    def _follow(self) -> None:
        """The mouse does something else from now on."""
        profile = self._settings.values.mouse_profile
        if profile is not self._profile:
            self._profile = profile
            if self.shortcuts is not None:
                self.shortcuts.show_profile(profile)

    def _closed(self) -> None:
        self.card = None
        self._settings.change(welcomed=True)
        self._panes.active_view.setFocus()

    def _closed_list(self) -> None:
        if self.shortcuts is not None:
            self.shortcuts.deleteLater()
            self.shortcuts = None
