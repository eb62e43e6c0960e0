"""Line editor for the text of an annotation, right on the slice."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

_WIDTH = 180


class InlineEditor(QLineEdit):
    """Tells `done` what was typed, once: at Enter or when the focus goes; nothing after Esc.

    Every key without Ctrl is typed, whatever command it stands for elsewhere.
    """

    def __init__(
        self, parent: QWidget, at: QPoint, text: str, done: Callable[[str], None]
    ) -> None:  # fmt: skip
        super().__init__(text, parent)
        self._done: Callable[[str], None] | None = done
        self.setAccessibleName("Text of the reading")
        self.setPlaceholderText("Text, then Enter")
        self.resize(_WIDTH, self.sizeHint().height())
        room = parent.rect().adjusted(0, 0, -self.width(), -self.height())
        self.move(max(min(at.x(), room.right()), 0), max(min(at.y(), room.bottom()), 0))
        self.editingFinished.connect(self._finish)
        self.selectAll()
        self.show()
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def give_up(self) -> None:
        """Close; what was typed is dropped."""
        self._done = None  # first: hiding takes the focus away, which finishes the editing
        self.hide()
        self.deleteLater()

    def event(self, event: QEvent) -> bool:
        """Keep keys from the window's commands."""
        if event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            plain = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier
            if not event.modifiers() & ~plain:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc gives up."""
        if event.key() == Qt.Key.Key_Escape:
            self.give_up()
        else:
            super().keyPressEvent(event)

    def _finish(self) -> None:
        done, text = self._done, self.text().strip()
        self.give_up()
        if done is not None:
            done(text)
