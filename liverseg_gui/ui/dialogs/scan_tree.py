"""The tree of the scan browser: patient, study, volume; what is set aside comes last."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem

from liverseg_gui.core.scan_issues import Severity
from liverseg_gui.io.entries import Role, VolumeEntry
from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.dialogs.thumbnails import SIZE_PX, empty_icon
from liverseg_gui.ui.widgets.issues_card import count_text
from liverseg_gui.ui.widgets.patient_display import (
    PATIENT_HIDDEN,
    patient_name,
    patient_shown,
    text_shown,
)
from liverseg_gui.ui.widgets.severity import ICONS, TONE_ROLE, TONES, ToneDelegate

COLUMNS = ("Series", "Modality", "Slices", "Distance / thickness", "Phase", "Date", "Check")
_CHECK = len(COLUMNS) - 1
_WIDTHS = (400, 68, 52, 136, 110, 84, 56)
_NUMBER = Qt.ItemDataRole.UserRole


class ScanTree(QTreeWidget):
    """Lists entries; `number_of` says which one an item stands for."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._items: dict[int, QTreeWidgetItem] = {}
        self.setHeaderLabels(COLUMNS)
        self.setIconSize(QSize(SIZE_PX, SIZE_PX))
        self.setIndentation(12)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setUniformRowHeights(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setAllColumnsShowFocus(True)
        self.setAccessibleName("Studies and their series")
        self.header().setStretchLastSection(False)
        self.header().setMinimumSectionSize(40)
        for column, width in enumerate(_WIDTHS):
            self.setColumnWidth(column, width)
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.setItemDelegate(ToneDelegate(self))

    def fill(self, entries: Sequence[VolumeEntry]) -> None:
        """List `entries` under their patients and studies."""
        self.clear()
        self._items = {}
        groups: dict[tuple[str, ...], QTreeWidgetItem] = {}
        aside = QTreeWidgetItem()
        for number, entry in enumerate(entries):
            parent = self._study(entry, groups) if entry.about.role is Role.VOLUME else aside
            item = QTreeWidgetItem(parent)
            self._items[number] = item
            self._describe(item, number, entry)
        self.expandAll()
        if aside.childCount():
            self.addTopLevelItem(aside)
            aside.setText(0, f"Set aside ({aside.childCount()})")
            aside.setToolTip(0, "Localizers, secondary captures, 8-bit and single images.")
            _group(aside)
            aside.setExpanded(False)

    def number_of(self, item: QTreeWidgetItem | None) -> int | None:
        """The index of the entry that `item` stands for; None for a group."""
        number = item.data(0, _NUMBER) if item is not None else None
        return number if isinstance(number, int) else None

    def item_of(self, number: int) -> QTreeWidgetItem | None:
        """The item of an entry."""
        return self._items.get(number)

    def filter(self, text: str) -> None:
        """Show only entries with every word of `text` in what is shown of them."""
        words = text.lower().split()
        for item in self._items.values():
            shown = _all_text(item)
            item.setHidden(not all(word in shown for word in words))
        _hide_empty(self.invisibleRootItem())

    def _study(
        self, entry: VolumeEntry, groups: dict[tuple[str, ...], QTreeWidgetItem]
    ) -> QTreeWidgetItem:
        """The item of the entry's study below its patient, made where it is the first."""
        about = entry.about
        patient_key = (about.patient, about.patient_id)
        if patient_key not in groups:
            groups[patient_key] = item = QTreeWidgetItem(self)
            item.setText(0, self._patient_title(entry))
            _group(item)
        study_key = (*patient_key, about.study, about.study_date)
        if study_key not in groups:
            groups[study_key] = item = QTreeWidgetItem(groups[patient_key])
            date = "" if self._settings.values.hide_patient else about.study_date
            title = "  ".join(part for part in (date, about.study) if part)
            item.setText(0, text_shown(title, self._settings) or "Study")
            _group(item)
        return groups[study_key]

    def _patient_title(self, entry: VolumeEntry) -> str:
        if self._settings.values.hide_patient:
            return f"{PATIENT_HIDDEN} ({self.topLevelItemCount()})"
        about = entry.about
        name = patient_shown(about.patient, self._settings)
        ids = about.patient_id if about.patient_id != about.patient else ""
        return "  ".join(part for part in (name, ids and f"({ids})") if part) or "Patient unknown"

    def _tooltip(self, entry: VolumeEntry) -> str:
        patient = "" if self._settings.values.hide_patient else patient_name(entry.about.patient)
        rest = (str(entry.path), entry.spacing, count_text(entry.issues), entry.problem)
        shown = (text_shown(part, self._settings) for part in rest)
        return "\n".join(part for part in (patient, *shown) if part)

    def _describe(self, item: QTreeWidgetItem, number: int, entry: VolumeEntry) -> None:
        texts = (
            text_shown(_title(entry), self._settings),
            entry.modality,
            str(entry.size[2]),
            _distance(entry),
            entry.about.phase,
            "" if self._settings.values.hide_patient else entry.about.study_date,
            _check(entry),
        )
        item.setData(0, _NUMBER, number)
        for column, text in enumerate(texts):
            item.setText(column, text)
            item.setToolTip(column, self._tooltip(entry))
        item.setIcon(0, empty_icon())
        if entry.issues:
            item.setData(_CHECK, TONE_ROLE, TONES[_gravest(entry)])
        if entry.problem:
            for column in range(_CHECK):
                item.setData(column, TONE_ROLE, "muted")


def _title(entry: VolumeEntry) -> str:
    number = entry.about.series_number
    name = entry.description or entry.path.name
    role = "" if entry.about.role is Role.VOLUME else f" ({entry.about.role})"
    return f"{number and f'{number}  '}{name}{role}"


def _distance(entry: VolumeEntry) -> str:
    """ "2 / 3.2 mm": distance of the slices and their thickness, as far as they are known."""
    distance = entry.spacing_mm[2] if entry.spacing_mm else None
    shown = "uneven" if entry.spacing_mm and distance is None else "?"
    shown = f"{distance:.3g}" if distance is not None else shown
    thick = entry.about.thickness_mm
    return f"{shown} / {thick:.3g} mm" if thick else f"{shown} mm"


def _check(entry: VolumeEntry) -> str:
    if not entry.issues:
        return ""
    gravest = _gravest(entry)
    return f"{ICONS[gravest]} {sum(f.severity is gravest for f in entry.issues)}"


def _gravest(entry: VolumeEntry) -> Severity:
    order = list(Severity)
    return max((f.severity for f in entry.issues), key=order.index)


def _group(item: QTreeWidgetItem) -> None:
    """A row that only holds others: across all columns, bold."""
    item.setFirstColumnSpanned(True)
    font = item.font(0)
    font.setBold(True)
    item.setFont(0, font)


def _all_text(item: QTreeWidgetItem) -> str:
    """What is shown of an entry, its study and patient included, in small letters."""
    texts = [item.text(column) for column in range(item.columnCount())]
    parent = item.parent()
    while parent is not None:
        texts.append(parent.text(0))
        parent = parent.parent()
    return " ".join(texts).lower()


def _hide_empty(item: QTreeWidgetItem) -> bool:
    """Hide a group with nothing left in it; whether it is hidden."""
    children = [child for n in range(item.childCount()) if (child := item.child(n)) is not None]
    if children:
        hidden = [_hide_empty(child) for child in children]
        item.setHidden(all(hidden))
    return item.isHidden()
