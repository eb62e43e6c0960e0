"""Event filters for the mouse wheel and for the keys of number boxes."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QDoubleSpinBox, QWidget

_A_NOTCH = 120
"""Eighths of a degree; fine wheels and touchpads tell of parts of it."""
_ENTER = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})


class Notches:
    """Counts whole notches of what a wheel tells in parts."""

    def __init__(self) -> None:
        self._rest = 0

    def turned(self, delta: int) -> int:
        """The notches that are complete with `delta`; negative towards the reader."""
        self._rest += delta
        notches = int(self._rest / _A_NOTCH)
        self._rest -= notches * _A_NOTCH
        return notches


class WheelGuard(QObject):
    """Boxes and lists within `window` are turned only while they have the keyboard.

    Otherwise the wheel is left to what they lie on: a panel scrolls, a pane changes its slice.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        for kind in (QAbstractSpinBox, QComboBox):
            for widget in window.findChildren(kind):
                widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave the wheel alone."""
        if event.type() is not QEvent.Type.Wheel or not isinstance(watched, QWidget):
            return False
        if watched.hasFocus():
            return False
        event.ignore()
        return True


class NumberKeys(QObject):
    """Enter takes what was typed into `box`, Esc drops it; then `done` tells that the keyboard can
    go elsewhere: digits and letters are commands again."""

    done = Signal()

    def __init__(self, box: QDoubleSpinBox) -> None:
        super().__init__(box)
        self._box = box
        box.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Claim Esc, which is a command elsewhere, and act on both keys."""
        if (
            not isinstance(event, QKeyEvent)
            or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        ):
            return False
        escape = event.key() == Qt.Key.Key_Escape
        if event.type() is QEvent.Type.ShortcutOverride and escape:
            event.accept()
            return True
        if event.type() is not QEvent.Type.KeyPress or not (escape or event.key() in _ENTER):
            return False
        if escape:
            self._box.setValue(self._box.value())
        else:
            self._box.interpretText()
        self.done.emit()
        return True
