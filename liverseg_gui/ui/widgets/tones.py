"""Tones for the cells of lists and tables, which have no style sheet."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from liverseg_gui.ui.widgets.theme import tone_color

TONE_ROLE = Qt.ItemDataRole.UserRole + 100
"""The role a cell's tone is kept in; its color is looked up when it is painted."""


class ToneDelegate(QStyledItemDelegate):
    """Paints a cell's text in the color its tone has in the present theme."""

    def initStyleOption(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """As usual, but for the color of the text."""
        super().initStyleOption(option, index)
        tone = index.data(TONE_ROLE)
        if tone is not None:
            option.palette.setColor(QPalette.ColorRole.Text, tone_color(tone))
