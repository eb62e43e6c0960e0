"""What a person adds to a model's card: which data, under which license, and where it fails."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QLineEdit, QWidget

from liverseg_gui.segmentation.models.card import ModelCard

_FIELDS = (
    (
        "data",
        "&Data:",
        "Which scans: hospital, years, phase, who drew the masks. No patient's name",
    ),
    ("license", "Li&cense:", "Who may use the model and the data, e.g. CC BY-SA 4.0"),
    ("known_failures", "Known failures:", "Where it goes wrong, e.g. cysts taken for tumors"),
)


class CardWords(QWidget):
    """A line for each entry; `changed` tells that the reader has written."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[str, QLineEdit] = {}
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        for key, title, hint in _FIELDS:
            line = self._lines[key] = QLineEdit()
            line.setPlaceholderText(hint)
            line.setToolTip(hint)
            line.textEdited.connect(lambda _: self.changed.emit())
            form.addRow(title, line)
        self._kept = self._words()

    def show_card(self, card: ModelCard) -> None:
        """Show what is on the card."""
        for key, line in self._lines.items():
            text = card.about.get(key)
            line.setText(text if isinstance(text, str) else "")
        self._kept = self._words()

    def edited(self) -> dict[str, str]:
        """The entries that are other than on the card."""
        return {key: text for key, text in self._words().items() if text != self._kept[key]}

    def line(self, key: str) -> QLineEdit:
        """Where the entry `key` is written."""
        return self._lines[key]

    def _words(self) -> dict[str, str]:
        return {key: line.text().strip() for key, line in self._lines.items()}
