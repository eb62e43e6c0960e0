"""Docks of the panels: moved, floated and closed as the reader likes, and remembered."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QEvent, QObject, QSettings, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDockWidget,
    QFrame,
    QMainWindow,
    QMenu,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

STATE_VERSION = 1
"""Raise it when panels are added or renamed: a state of another version is not taken."""
_STATE, _CARD = "panels", "scan check"
_FEATURES = (
    QDockWidget.DockWidgetFeature.DockWidgetMovable
    | QDockWidget.DockWidgetFeature.DockWidgetFloatable
    | QDockWidget.DockWidgetFeature.DockWidgetClosable
)


class Docks(QObject):
    """The docks of `window`, made before. `card` has content only while a scan is open."""

    def __init__(self, window: QMainWindow, card: QDockWidget) -> None:
        super().__init__(window)
        self._window, self._card = window, card
        self._card_enabled = True
        self._has_scan = False
        for dock in self.docks:
            dock.setFeatures(_FEATURES)
        card.installEventFilter(self)
        card.toggleViewAction().triggered.connect(self._enable_card)
        self._default = window.saveState(STATE_VERSION)

    @property
    def docks(self) -> list[QDockWidget]:
        """All panels."""
        return self._window.findChildren(QDockWidget)

    def add_toggles(self, menu: QMenu) -> None:
        """An entry for each panel above what `menu` has, which shows or closes it."""
        first = menu.actions()[0] if menu.actions() else None
        # Qt appends where `first` is None; PySide's stubs do not know that
        for dock in self.docks:
            menu.insertAction(first, dock.toggleViewAction())  # type: ignore[arg-type]
        menu.insertSeparator(first)  # type: ignore[arg-type]

    def show_card(self, has_scan: bool) -> None:
        """Show the card while a scan is open, unless the reader has closed it."""
        self._has_scan = has_scan
        self._card.setVisible(has_scan and self._card_enabled)

    def reset(self) -> None:
        """Every panel where it was at the first start."""
        self._card_enabled = True
        self._window.restoreState(self._default, STATE_VERSION)
        self.show_card(self._has_scan)

    def restore(self, stored: QSettings) -> None:
        """Put the panels where `keep` found them; a state that is damaged is left aside."""
        state = stored.value(_STATE)
        if not isinstance(state, QByteArray):
            return
        if not self._window.restoreState(state, STATE_VERSION):
            self.reset()
            return
        self._card_enabled = stored.value(_CARD) in (True, "true")
        for dock in self.docks:
            if dock.isFloating() and not _is_on_a_screen(dock):
                dock.setFloating(False)
        self.show_card(self._has_scan)

    def keep(self, stored: QSettings) -> None:
        """Remember where the panels are."""
        stored.setValue(_STATE, self._window.saveState(STATE_VERSION))
        stored.setValue(_CARD, self._card_enabled)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The reader closes the card: opening a scan does not bring it back."""
        if watched is self._card and event.type() is QEvent.Type.Close:
            self._card_enabled = False
        return False

    def _enable_card(self, enabled: bool) -> None:
        self._card_enabled = enabled


def _is_on_a_screen(dock: QDockWidget) -> bool:
    frame = dock.frameGeometry()
    return any(
        screen.availableGeometry().contains(frame.topLeft()) for screen in QGuiApplication.screens()
    )


class DisplayPanel(QScrollArea):
    """Scrolls where the window is too low for all of `parts`."""

    def __init__(self, *parts: QWidget) -> None:
        super().__init__()
        inner = QWidget()
        layout = QVBoxLayout(inner)
        layout.setContentsMargins(6, 2, 6, 4)
        for part in parts:
            layout.addWidget(part)
        layout.addStretch(1)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(inner)
