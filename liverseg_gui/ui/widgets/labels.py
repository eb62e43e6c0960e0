"""Labels, tooltips and message boxes that show texts as they are.

Qt takes any text with a tag in it for HTML, and loads the pictures that this names: the name of a
patient could stop the program. A label that shows data is a `PlainLabel`. What Qt makes by itself,
for tooltips and message boxes, is set to plain text by `PlainTextStyle`, the style of the whole
program. `RichLabel` is for markup of ours alone; data in it goes through `escaped`.
"""

from __future__ import annotations

import html
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QLabel, QMessageBox, QProxyStyle, QWidget

from liverseg_gui.system.plain_text import one_line, printable

_MOST_PX, _UNBOUNDED = 640, 1 << 24


class PlainLabel(QLabel):
    """A label whose text is text."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)

    def setText(self, text: str) -> None:
        """Show `text`, and nothing in it acts."""
        super().setText(printable(text))

    def setToolTip(self, text: str) -> None:
        """The same beside the mouse."""
        super().setToolTip(printable(text))

    def minimumSizeHint(self) -> QSize:
        """As usual, but a name of thousands of letters does not make the window as wide."""
        return super().minimumSizeHint().boundedTo(QSize(_MOST_PX, _UNBOUNDED))


class RichLabel(QLabel):
    """A label with markup of the program's own."""

    def __init__(self, markup: str = "") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setText(markup)


class MessageBox(QMessageBox):
    """A message or question whose texts are text."""

    def __init__(
        self,
        parent: QWidget | None,
        text: str,
        icon: QMessageBox.Icon = QMessageBox.Icon.Question,
    ) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setIcon(icon)
        self.setWindowTitle("LiverSeg")
        self.setText(text)

    def setText(self, text: str) -> None:
        """Say `text`, and nothing in it acts."""
        super().setText(printable(text))

    def setInformativeText(self, text: str) -> None:
        """Say `text` below, and nothing in it acts."""
        super().setInformativeText(printable(text))


class PlainTextStyle(QProxyStyle):
    """Fusion, in which no label guesses whether its text is HTML."""

    def __init__(self) -> None:
        super().__init__("Fusion")

    def polish(self, what: Any) -> Any:
        """Set a label that would guess to plain text, before it is laid out."""
        if isinstance(what, QLabel) and what.textFormat() == Qt.TextFormat.AutoText:
            what.setTextFormat(Qt.TextFormat.PlainText)
        return super().polish(what)


def escaped(text: str) -> str:
    """`text` in a line within markup."""
    return html.escape(one_line(text))


def action_text(text: str) -> str:
    """`text` in a line on a button or in a menu, where "&" would mark a letter."""
    return one_line(text).replace("&", "&&")


def title_text(text: str) -> str:
    """`text` in the title of a window, where "[*]" would stand for unsaved changes."""
    return one_line(text).replace("[*]", "[*][*]")
