"""Log of a training, to be read and copied."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtGui import QGuiApplication, QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

_MOST_LINES = 5000


class LogView(QWidget):
    """Follows the latest line as long as the reader has not scrolled away from it."""

    def __init__(self, shown: Callable[[str], str] = str) -> None:
        super().__init__()
        self._shown = shown
        self._lines: list[str] = []
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setMaximumBlockCount(_MOST_LINES)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName("Log of the training")
        self.copy_button = QPushButton("Cop&y log")
        self.copy_button.setAutoDefault(False)
        self.copy_button.clicked.connect(self.copy)
        row = QHBoxLayout()
        self.row = row
        row.addStretch(1)
        row.addWidget(self.copy_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text, 1)
        layout.addLayout(row)
        self._allow()

    def show_lines(self, lines: Sequence[str]) -> None:
        """Show `lines`; where they go on from those that are shown, only what is new is added."""
        shown = [self._shown(line) for line in lines]
        if shown[: len(self._lines)] != self._lines:
            self.text.clear()
            self._lines = []
        new = shown[len(self._lines) :]
        if not new:
            return self._allow()
        bar = self.text.verticalScrollBar()
        follows = bar.value() >= bar.maximum()
        self.text.appendPlainText("\n".join(new))
        self._lines = shown
        if follows:
            self.text.moveCursor(QTextCursor.MoveOperation.End)
        self._allow()

    def copy(self) -> None:
        """Put all lines on the clipboard."""
        QGuiApplication.clipboard().setText("\n".join(self._lines))

    def _allow(self) -> None:
        self.copy_button.setEnabled(bool(self._lines))
        self.copy_button.setToolTip("" if self._lines else "Nothing was said yet.")
