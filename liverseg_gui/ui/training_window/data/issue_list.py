"""List of the issues of the data set and of the selected case."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from liverseg_gui.core.scan_issues import Severity
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.severity import ICONS, TONES
from liverseg_gui.ui.widgets.theme import Tone, set_tone

IssueLine = tuple[str, Tone | None]
_HEIGHT_PX = 96


class IssueList(QScrollArea):
    """A line for each issue, in its tone."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setMinimumHeight(_HEIGHT_PX)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAccessibleName("What is doubtful about the data")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._lines: tuple[IssueLine, ...] = ()

    @property
    def texts(self) -> list[str]:
        """The lines that are shown."""
        return [text for text, _ in self._lines]

    def show_lines(self, lines: Sequence[IssueLine]) -> None:
        """Show these lines and no others."""
        if tuple(lines) == self._lines:
            return
        self._lines = tuple(lines)
        inner = QWidget()
        layout = QVBoxLayout(inner)
        layout.setContentsMargins(6, 4, 6, 4)
        layout.setSpacing(3)
        for text, tone in lines:
            layout.addWidget(_label(text, tone))
        layout.addStretch(1)
        self.setWidget(inner)


def issue_line(severity: Severity, text: str) -> IssueLine:
    """The line of an issue with its mark."""
    return f"{ICONS[severity]} {text}", TONES[severity]


def _label(text: str, tone: Tone | None) -> QLabel:
    label = PlainLabel(text)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    set_tone(label, tone)
    return label
