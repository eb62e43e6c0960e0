"""What Enter and Esc do in a box with a number: take it, or leave it as it was."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDoubleSpinBox, QSpinBox

_ENTER = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})


class NumberKeys(QObject):
    """Enter takes what was typed into `box`, Esc drops it; then `done` tells that the keyboard can
    go elsewhere: digits and letters are commands again."""

    done = Signal()

    def __init__(self, box: QSpinBox | QDoubleSpinBox) -> None:
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
            self._box.setValue(self._box.value())  # type: ignore[arg-type]
        else:
            self._box.interpretText()
        self.done.emit()
        return True
