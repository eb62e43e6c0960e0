"""Dialog to choose a scan from what a folder, archive or file holds."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLineEdit,
    QPushButton,
    QSplitter,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from liverseg_gui.io.entries import VolumeEntry, likeliest
from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.dialogs.scan_tree import ScanTree
from liverseg_gui.ui.dialogs.thumbnails import Picture, Thumbnails, thumbnail_icon
from liverseg_gui.ui.widgets.issues_card import IssuesCard
from liverseg_gui.ui.widgets.labels import PlainLabel, title_text
from liverseg_gui.ui.widgets.patient_display import text_shown
from liverseg_gui.ui.widgets.scan_facts import ScanFacts, scan_facts
from liverseg_gui.ui.widgets.theme import set_tone


class ScanBrowser(QDialog):
    """Shows `entries`; `chosen` carries the index of the one to open. Shown with `open()`."""

    chosen = Signal(int)

    def __init__(
        self, parent: QWidget | None, title: str, entries: Sequence[VolumeEntry], settings: Settings
    ) -> None:
        super().__init__(parent)
        self._entries, self._settings = list(entries), settings
        hidden = settings.values.hide_patient
        self.setWindowTitle("Choose a scan" if hidden else f"Choose a scan: {title_text(title)}")
        self.resize(QSize(1240, 740).boundedTo(self.screen().availableSize() * 0.95))
        self._build()
        self._thumbnails = Thumbnails()
        self._thumbnails.made.connect(self._set_picture)
        self.finished.connect(self._thumbnails.stop)
        self._list()
        self._make_pictures()

    def _build(self) -> None:
        self.search = QLineEdit()
        self.search.setPlaceholderText("Filter: words of patient, study, series, phase ...")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Filter")
        self.tree = ScanTree(self._settings)
        self.card = IssuesCard(lambda text: text_shown(text, self._settings), foldable=False)
        self.card.setMinimumWidth(250)
        self.hint = PlainLabel()
        set_tone(self.hint, "muted")
        self.hint.setWordWrap(True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.open_button = QPushButton("Open")
        self.buttons.addButton(self.open_button, QDialogButtonBox.ButtonRole.AcceptRole)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.tree)
        split.addWidget(self.card)
        split.setStretchFactor(0, 1)
        split.setSizes([950, 270])
        split.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        for widget in (self.search, split, self.hint, self.buttons):
            layout.addWidget(widget, 1 if widget is split else 0)
        self.buttons.button(QDialogButtonBox.StandardButton.Cancel).setAutoDefault(False)
        self.open_button.setDefault(True)
        self.search.textChanged.connect(self._filter)
        self.tree.currentItemChanged.connect(self._select)
        self.tree.itemDoubleClicked.connect(self._double_click)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)

    def _list(self) -> None:
        self.tree.fill(self._entries)
        best = likeliest(self._entries)
        self._go_to(best if best is not None else 0)
        self.tree.setFocus()

    def _go_to(self, number: int) -> None:
        item = self.tree.item_of(number)
        if item is not None:
            self.tree.setCurrentItem(item)
            self.tree.scrollToItem(item)

    def _make_pictures(self) -> None:
        """The likeliest first, then from the top."""
        current = self.selected
        for number in sorted(range(len(self._entries)), key=lambda n: n != current):
            make = self._entries[number].thumbnail
            if make is not None:
                self._thumbnails.make(number, make)

    @property
    def selected(self) -> int | None:
        """The index of the selected entry."""
        return self.tree.number_of(self.tree.currentItem())

    def _set_picture(self, number: int, picture: Picture) -> None:
        item = self.tree.item_of(number)
        if item is not None:
            item.setIcon(0, thumbnail_icon(picture))

    def _select(self, *_: object) -> None:
        number = self.selected
        entry = self._entries[number] if number is not None else None
        self.card.show_facts(_facts(entry) if entry is not None else None)
        self.open_button.setEnabled(entry is not None and not entry.problem)
        hint = entry.problem if entry is not None else "Select a series to open it."
        self.hint.setText(text_shown(hint, self._settings))
        self.hint.setVisible(bool(hint))

    def _filter(self, text: str) -> None:
        self.tree.filter(text)
        current = self.tree.currentItem()
        if current is None or current.isHidden():
            shown = (n for n in range(len(self._entries)) if not self._hidden(n))
            self._go_to(next(shown, -1))

    def _hidden(self, number: int) -> bool:
        item = self.tree.item_of(number)
        return item is None or item.isHidden()

    def _double_click(self, item: QTreeWidgetItem, _column: int) -> None:
        if self.tree.number_of(item) is not None:
            self._accept()

    def _accept(self) -> None:
        number = self.selected
        if number is None or self._entries[number].problem:
            return
        self.accept()
        self.chosen.emit(number)


def _facts(entry: VolumeEntry) -> ScanFacts:
    """What the headers of a listed scan say."""
    about = entry.about
    kind = entry.modality_text, about.phase
    return scan_facts(entry.size, entry.spacing_mm, about.thickness_mm, kind, entry.issues)
