"""Collapsible section of a page."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSizePolicy, QToolButton, QVBoxLayout, QWidget

from liverseg_gui.ui.widgets.theme import set_tone


class Section(QWidget):
    """Shows or hides `inside`; closed at first unless it is `opened`."""

    def __init__(self, title: str, inside: QWidget, opened: bool = False) -> None:
        super().__init__()
        self.inside = inside
        self.header = QToolButton()
        self.header.setObjectName("header")
        self.header.setText(title)
        self.header.setCheckable(True)
        self.header.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.header.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        set_tone(self.header, None, strong=True)
        self.header.toggled.connect(self._show)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.header)
        layout.addWidget(inside)
        self.header.setChecked(opened)
        self._show(opened)

    def _show(self, opened: bool) -> None:
        arrow = Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow
        self.header.setArrowType(arrow)
        self.inside.setVisible(opened)
