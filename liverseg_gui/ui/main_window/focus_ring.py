"""Focus indicator: a ring around the widget that has the keyboard, in every window."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from liverseg_gui.ui.viewer.slice_view import SliceView
from liverseg_gui.ui.viewer.surface3d.view import SurfaceView
from liverseg_gui.ui.widgets.theme import tone_color

RING_PX = 2
_ROUND_PX = 4.0
_MOVING = frozenset(
    {
        QEvent.Type.Move,
        QEvent.Type.Resize,
        QEvent.Type.Show,
        QEvent.Type.Hide,
        QEvent.Type.ParentChange,
        QEvent.Type.ZOrderChange,
    }
)


class FocusRing(QWidget):
    """Lies over its widget and as much of what is around as the ring is wide.

    Unlike QFocusFrame it is seen on every side of a list that fills its panel, too.
    """

    def __init__(self, around: QWidget) -> None:
        super().__init__()
        self._around = around
        for attribute in (
            Qt.WidgetAttribute.WA_TransparentForMouseEvents,
            Qt.WidgetAttribute.WA_NoSystemBackground,
            Qt.WidgetAttribute.WA_NoChildEventsForParent,  # a splitter would make it a part
        ):
            self.setAttribute(attribute)
        around.installEventFilter(self)
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Go where the widget goes; one that is being deleted hides, and is gone for Python."""
        if event.type() in _MOVING and isValid(self._around):
            self._place()
        return False

    def _place(self) -> None:
        parent = self._around.parentWidget()
        if parent is None:
            self.hide()
            return
        if self.parentWidget() is not parent:
            self.setParent(parent)
        wide = self._around.geometry().adjusted(-RING_PX, -RING_PX, RING_PX, RING_PX)
        self.setGeometry(wide.intersected(parent.rect()))
        self.setVisible(not self._around.isHidden())
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A rounded line in the accent color, so close that neighbors stay readable."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(tone_color("accent"), RING_PX))
        half = RING_PX / 2
        line = self.rect().toRectF().adjusted(half, half, -half, -half)
        painter.drawRoundedRect(line, _ROUND_PX, _ROUND_PX)
        painter.end()


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
        if now is not None and not now.isWindow() and not isinstance(now, SliceView | SurfaceView):
            self.ring = FocusRing(now)
