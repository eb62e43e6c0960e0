"""A line in the status bar: a training runs, was interrupted, or is done meanwhile."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from liverseg_gui.ui.widgets.theme import Tone, set_tone


class TrainingNotice(QWidget):
    """Hidden until there is something to say. `asked` to show the training, `dismissed` not to."""

    asked = Signal()
    dismissed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.label, self.show_button, self.close_button = QLabel(), QToolButton(), QToolButton()
        self.show_button.setText("Show")
        self.show_button.setToolTip("Open the training room at it")
        self.show_button.clicked.connect(self.asked)
        self.close_button.setText("✕")
        self.close_button.setAutoRaise(True)
        self.close_button.setToolTip("Do not say this again")
        self.close_button.setAccessibleName("Dismiss")
        self.close_button.clicked.connect(self.dismissed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 0, 8, 0)
        for widget in (self.label, self.show_button, self.close_button):
            layout.addWidget(widget)
        self.hide()

    def say(self, text: str, tone: Tone) -> None:
        """Show `text`."""
        self.label.setText(text)
        set_tone(self.label, tone)
        self.show()
