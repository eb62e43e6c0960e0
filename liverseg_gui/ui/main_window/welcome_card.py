"""The card of the first gestures: over the panes when the first scan is open, and in Help."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from liverseg_gui.state.preferences import MouseProfile
from liverseg_gui.ui.main_window.mouse_help import first_gestures
from liverseg_gui.ui.widgets.icons import icon
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.theme import set_tone

_PICTURE_PX = 30
_CLOSING = frozenset({Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter})


class WelcomeCard(QFrame):
    """Lies over `parent`, in its middle, until it is closed; what lies beside it can be used.

    `closed` tells that it was read, `shortcuts_requested` that the reader wants to see all keys.
    """

    closed = Signal()
    shortcuts_requested = Signal()

    def __init__(self, parent: QWidget, profile: MouseProfile) -> None:
        super().__init__(parent)
        self._over = parent
        self.setObjectName("card")
        self.setAutoFillBackground(True)
        self.setAccessibleName("The first five gestures")
        self.accept_button = QPushButton("Got it")
        self.accept_button.clicked.connect(self.dismiss)
        self.more_button = QPushButton("All shortcuts  (F1)")
        self.more_button.clicked.connect(self._ask_for_more)
        self._build(profile)
        parent.installEventFilter(self)
        self._place()
        self.show()
        self.raise_()
        self.accept_button.setFocus()

    def _build(self, profile: MouseProfile) -> None:
        title = PlainLabel("Five gestures to begin with")
        set_tone(title, None, strong=True)
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(8)
        for row, gesture in enumerate(first_gestures(profile)):
            how = PlainLabel(gesture.how)
            set_tone(how, "accent", strong=True)
            grid.addWidget(_Picture(gesture.picture), row, 0)
            grid.addWidget(how, row, 1)
            grid.addWidget(PlainLabel(gesture.does), row, 2)
        buttons = QHBoxLayout()
        buttons.addWidget(self.more_button)
        buttons.addStretch(1)
        buttons.addWidget(self.accept_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 16)
        layout.setSpacing(14)
        layout.addWidget(title)
        layout.addLayout(grid)
        layout.addLayout(buttons)

    def dismiss(self) -> None:
        """Take it away: it was read."""
        self._over.removeEventFilter(self)
        self.hide()
        self.closed.emit()
        self.deleteLater()

    def _ask_for_more(self) -> None:
        self.dismiss()
        self.shortcuts_requested.emit()

    def event(self, event: QEvent) -> bool:
        """Enter and Esc are the card's while it has the focus, whatever commands have them."""
        if event.type() is QEvent.Type.ShortcutOverride:
            assert isinstance(event, QKeyEvent)
            if event.key() in _CLOSING:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter and Esc close it; Enter on a button presses that."""
        if event.key() in _CLOSING:
            self.dismiss()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the middle of what it lies over."""
        if event.type() is QEvent.Type.Resize:
            self._place()
        return False

    def _place(self) -> None:
        parent, size = self._over, self.sizeHint()
        size = size.boundedTo(parent.size() - QSize(16, 16)).expandedTo(self.minimumSizeHint())
        self.resize(size)
        x, y = (parent.width() - size.width()) // 2, (parent.height() - size.height()) // 2
        self.move(max(x, 0), max(y, 0))


class _Picture(PlainLabel):
    """An icon as a picture, sharp on its screen and in the color of the theme."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._icon = icon(name)
        self.setFixedSize(_PICTURE_PX, _PICTURE_PX)
        self._draw()

    def changeEvent(self, event: QEvent) -> None:
        """The theme is another one."""
        if event.type() is QEvent.Type.PaletteChange:
            self._draw()
        super().changeEvent(event)

    def _draw(self) -> None:
        self.setPixmap(self._icon.pixmap(QSize(_PICTURE_PX, _PICTURE_PX), self.devicePixelRatioF()))
