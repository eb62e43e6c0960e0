"""Signs and tones for the severity of issues and for measurements that cannot be trusted."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from liverseg_gui.core.scan_issues import Severity
from liverseg_gui.core.volume import Volume
from liverseg_gui.system.plain_text import printable
from liverseg_gui.ui.widgets.theme import Tone, tone_color

WARNING_SIGN = "\N{WARNING SIGN}"
NOT_RELIABLE = f" {WARNING_SIGN} not reliable"
SHORT_MARK = f" {WARNING_SIGN}"
ICONS = {
    Severity.ERROR: "\N{HEAVY MULTIPLICATION X}",
    Severity.WARNING: WARNING_SIGN,
    Severity.INFO: "i",
}
TONES: dict[Severity, Tone] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "info",
}
SEVERITY_NAMES = {Severity.ERROR: "Error", Severity.WARNING: "Warning", Severity.INFO: "Note"}
TONE_ROLE = Qt.ItemDataRole.UserRole + 100
"""The role a cell's tone is kept in; its color is looked up when it is painted."""


def why_unreliable(volume: Volume | None) -> str:
    """Why no mm and ml measured on `volume` can be trusted, or nothing."""
    if volume is None:
        return ""
    return printable("\n".join(str(issue) for issue in volume.issues if issue.spoils_mm))


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
