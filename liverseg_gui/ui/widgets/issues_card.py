"""Scan check card: what a scan is, and what is remarkable about it, the gravest first."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from liverseg_gui.core.scan_issues import ScanIssue, Severity
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.scan_facts import ScanFacts
from liverseg_gui.ui.widgets.severity import ICONS, SEVERITY_NAMES, TONES
from liverseg_gui.ui.widgets.theme import Tone, set_tone

NOTHING = "Nothing remarkable found."
# the first is Qt's QWIDGETSIZE_MAX: no limit
_ANY_HEIGHT, _OPEN_HEIGHT, _MOST_HEIGHT = 16777215, 120, 230


class IssuesCard(QWidget):
    """Shows the facts and findings of one scan; its header folds it away where `foldable`.

    `shown` says what of a text may be seen.
    """

    preferred_size_changed = Signal()

    def __init__(self, shown: Callable[[str], str] = str, foldable: bool = True) -> None:
        super().__init__()
        self._shown = shown
        self._facts: ScanFacts | None = None
        self.header = QToolButton()
        self.header.setObjectName("header")
        self.header.setCheckable(True)
        self.header.setChecked(True)
        self.header.setVisible(foldable)
        self._title = PlainLabel()
        self._title.setVisible(not foldable)
        self.header.setAutoRaise(True)
        self.header.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.header.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.header.toggled.connect(self._fold)
        self.header.setAccessibleName("Scan check: show or hide details")
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setAccessibleName("Scan check")
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 4)
        layout.setSpacing(2)
        layout.addWidget(self.header)
        layout.addWidget(self._title)
        layout.addWidget(self._area, 1)
        self.show_facts(None)

    def show_facts(self, facts: ScanFacts | None) -> None:
        """Show the facts of a scan, or that there is none."""
        self._facts = facts
        gravest = facts.issues[0].severity if facts and facts.issues else None
        for widget in (self.header, self._title):
            widget.setText(_summary(facts))
            set_tone(widget, TONES[gravest] if gravest else None, strong=True)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(2, 2, 6, 2)
        layout.setSpacing(8)
        if facts is not None:
            layout.addLayout(self._rows(facts))
            for issue in facts.issues:
                layout.addWidget(self._issue(issue))
            if not facts.issues:
                layout.addWidget(_text(NOTHING, "good"))
        layout.addStretch(1)
        self._area.setWidget(content)
        self._fold(self.header.isChecked())

    @property
    def preferred_height(self) -> int:
        """The height that shows everything, as far as that is reasonable."""
        if not self.header.isChecked():
            return self._folded_height
        content = self._area.widget()
        needed = content.heightForWidth(max(self.width() - 30, 220)) if content else 0
        return self._folded_height + min(max(needed, _OPEN_HEIGHT), _MOST_HEIGHT)

    @property
    def _folded_height(self) -> int:
        return self.header.sizeHint().height() + 8

    def refresh(self) -> None:
        """Show the same facts again: what may be seen has changed."""
        self.show_facts(self._facts)

    def _rows(self, facts: ScanFacts) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(1)
        grid.setColumnStretch(1, 1)
        for row, (name, value) in enumerate(facts.rows):
            grid.addWidget(_text(name, "muted"), row, 0)
            shown = _text(self._shown(value))
            shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(shown, row, 1)
        return grid

    def _issue(self, issue: ScanIssue) -> QWidget:
        """Icon and message, and below them what can be done."""
        widget = QWidget()
        widget.setAccessibleName(f"{SEVERITY_NAMES[issue.severity]}: {self._shown(str(issue))}")
        widget.setToolTip(SEVERITY_NAMES[issue.severity])
        grid = QGridLayout(widget)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(1)
        grid.setColumnStretch(1, 1)
        icon = _text(ICONS[issue.severity], TONES[issue.severity])
        icon.setFixedWidth(16)
        icon.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
        grid.addWidget(icon, 0, 0)
        grid.addWidget(_text(self._shown(issue.message)), 0, 1)
        if issue.remedy:
            grid.addWidget(_text(self._shown(issue.remedy), "muted"), 1, 1)
        return widget

    def _fold(self, open_: bool) -> None:
        self._area.setVisible(open_)
        arrow = Qt.ArrowType.DownArrow if open_ else Qt.ArrowType.RightArrow
        self.header.setArrowType(arrow)
        self.setMaximumHeight(_ANY_HEIGHT if open_ else self._folded_height)
        self.setMinimumHeight(_OPEN_HEIGHT if open_ else 0)
        self.preferred_size_changed.emit()


def count_text(issues: tuple[ScanIssue, ...]) -> str:
    """E.g. "1 error, 2 warnings", or nothing."""
    counts = {s: sum(f.severity is s for f in issues) for s in reversed(Severity)}
    return ", ".join(
        f"{n} {SEVERITY_NAMES[s].lower()}{'s' if n > 1 else ''}" for s, n in counts.items() if n
    )


def _summary(facts: ScanFacts | None) -> str:
    if facts is None:
        return "No findings yet"
    return count_text(facts.issues) or "No findings"


def _text(text: str, tone: Tone | None = None) -> QLabel:
    label = PlainLabel(text)
    label.setWordWrap(True)
    set_tone(label, tone)
    label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
    return label
