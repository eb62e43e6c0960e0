"""Where the keyboard is: a ring around the widget that has the focus, in every window."""

from __future__ import annotations

from PySide6.QtCore import QObject, QRect
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QFocusFrame, QWidget
from shiboken6 import isValid

from liverseg_gui.ui.slice_view import SliceView
from liverseg_gui.ui.theme import tone_color

RING_PX = 2
_ROUND_PX = 4.0


class FocusRing(QFocusFrame):
    """Drawn around a widget, over what lies beside it."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """A rounded line in the accent color, so close that neighbors stay readable."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(tone_color("accent")), RING_PX))
        half = RING_PX / 2
        around = self._seen().toRectF().adjusted(half, half, -half, -half)
        painter.drawRoundedRect(around, _ROUND_PX, _ROUND_PX)
        painter.end()

    def _seen(self) -> QRect:
        """What its parent leaves of it: a list that fills a panel has its ring inside."""
        parent = self.parentWidget()
        if parent is None:
            return self.rect()
        return self.rect().intersected(parent.rect().translated(-self.pos()))


class FocusWatch(QObject):
    """Puts the ring around what the keyboard acts on.

    A pane of slices draws a frame of its own, and a window or menu as a whole needs none.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.ring: FocusRing | None = None
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._follow)

    def _follow(self, _before: QWidget | None, now: QWidget | None) -> None:
        if self.ring is not None and isValid(self.ring):
            self.ring.hide()
            self.ring.deleteLater()
        self.ring = None
        if now is None or now.isWindow() or isinstance(now, SliceView):
            return
        self.ring = FocusRing()
        self.ring.setWidget(now)
