"""List of the folders of labelled cases, with a check box for the corrected studies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from liverseg_gui.core.scan_issues import Severity
from liverseg_gui.system.plain_text import one_line
from liverseg_gui.ui.widgets.severity import ICONS, TONE_ROLE, TONES, ToneDelegate

_HEIGHT_PX = 84
_PATH = Qt.ItemDataRole.UserRole
_NONE_CORRECTED = (
    "None yet. Open or segment a scan, look at the mask, mark it as reviewed (Segmentation menu) "
    "and save it (Ctrl+S): from then on it is here."
)
_CORRECTED = (
    "The studies of which a mask was marked as reviewed and saved in this program. One that nobody "
    "reviewed is listed, and left out."
)
_REVIEW = "You have looked at every slice of the mask and stand for it: a model may learn from it."
_NOTHING_TO_REVIEW = "Select a study whose mask is not reviewed in the table below."
_FORGET = "Take it off the list of corrected studies; scan and mask stay where they are."
_NOTHING_TO_FORGET = "Select one of the studies corrected here in the table below."


class FolderList(QWidget):
    """`changed` is emitted when other folders are chosen or are to be scanned again, `add_asked`
    when one is to be asked for, `forget_asked` when the selected corrected study is to go from
    the program's list, and `review_asked` when its mask is to be marked as reviewed.

    `shown` hides names of patients in a text where they must not be seen.
    """

    changed = Signal()
    add_asked = Signal()
    forget_asked = Signal()
    review_asked = Signal()

    def __init__(self, shown: Callable[[str], str] = str) -> None:
        super().__init__()
        self._shown = shown
        self._problems: dict[Path, str] = {}
        self.list = QListWidget()
        self.list.setFixedHeight(_HEIGHT_PX)
        self.list.setAccessibleName("Folders of labelled cases")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setItemDelegate(ToneDelegate(self.list))
        self.list.itemSelectionChanged.connect(self._refresh)
        self.add_button = QPushButton("&Add folder ...")
        self.add_button.clicked.connect(lambda: self.add_asked.emit())
        self.remove_button = QPushButton("Re&move")
        self.remove_button.setToolTip("Take the selected folders off; nothing is deleted.")
        self.remove_button.clicked.connect(self._remove)
        self.again_button = QPushButton("Look a&gain")
        self.again_button.setToolTip("Read what has changed on the disk, or was not read yet.")
        self.again_button.clicked.connect(lambda: self.changed.emit())
        self.corrected = QCheckBox()
        self.corrected.toggled.connect(self._take_corrected)
        self.forget_button = QPushButton("Fo&rget this study ...")
        self.forget_button.setAutoDefault(False)
        self.forget_button.clicked.connect(lambda: self.forget_asked.emit())
        self.review_button = QPushButton("Mar&k as reviewed ...")
        self.review_button.setAutoDefault(False)
        self.review_button.clicked.connect(lambda: self.review_asked.emit())
        self.offer_forgetting(False)
        self.offer_review(False)
        self._lay_out()
        self.show_corrected(0)
        self._refresh()

    def _lay_out(self) -> None:
        buttons = QVBoxLayout()
        for button in (self.add_button, self.remove_button, self.again_button):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        buttons.addStretch(1)
        row = QHBoxLayout()
        row.addWidget(self.list, 1)
        row.addLayout(buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        own = QHBoxLayout()
        own.addWidget(self.corrected)
        own.addStretch(1)
        own.addWidget(self.review_button)
        own.addWidget(self.forget_button)
        layout.addLayout(own)

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders, in the order in which they were added."""
        items = (self.list.item(n) for n in range(self.list.count()))
        return tuple(Path(item.data(_PATH)) for item in items)

    def add(self, folders: Sequence[Path]) -> None:
        """Add those that are not in the list yet."""
        new = [folder for folder in dict.fromkeys(folders) if folder not in self.folders]
        for folder in new:
            item = QListWidgetItem()
            item.setData(_PATH, str(folder))
            self.list.addItem(item)
        self.refresh()
        if new:
            self.changed.emit()

    def show_problems(self, problems: Mapping[Path, str]) -> None:
        """Mark folders from which nothing can be read, with the reason."""
        self._problems = dict(problems)
        self.refresh()

    def show_corrected(self, count: int, waiting: int = 0, problem: str = "") -> None:
        """Offer the studies corrected here, where there are any: `count` can be trained on, and
        `waiting` others nobody has reviewed."""
        also = f", and {waiting} not reviewed" if waiting else ""
        self.corrected.setText(f"Studies &corrected here ({count}{also})")
        there = count + waiting > 0
        self.corrected.setEnabled(there)
        self.corrected.setToolTip(
            self._shown(problem) or (_CORRECTED if there else _NONE_CORRECTED)
        )
        if not there:
            self.corrected.setChecked(False)

    def offer_review(self, can: bool) -> None:
        """Whether a study whose mask nobody has reviewed is selected among the cases."""
        self.review_button.setEnabled(can)
        self.review_button.setToolTip(_REVIEW if can else _NOTHING_TO_REVIEW)

    def offer_forgetting(self, can: bool) -> None:
        """Whether a study that was corrected here is selected among the cases."""
        self.forget_button.setEnabled(can)
        self.forget_button.setToolTip(_FORGET if can else _NOTHING_TO_FORGET)

    def refresh(self) -> None:
        """Show the folders as they may be shown now."""
        for n in range(self.list.count()):
            item = self.list.item(n)
            folder = Path(item.data(_PATH))
            problem = self._problems.get(folder, "")
            mark = f"{ICONS[Severity.ERROR]} " if problem else ""
            item.setText(one_line(f"{mark}{self._shown(str(folder))}"))
            item.setToolTip(self._shown(problem or str(folder)))
            item.setData(TONE_ROLE, TONES[Severity.ERROR] if problem else None)
        self._refresh()

    def _refresh(self) -> None:
        self.remove_button.setEnabled(bool(self.list.selectedItems()))
        self.again_button.setEnabled(self.list.count() > 0 or self.corrected.isChecked())

    def _take_corrected(self, _: bool) -> None:
        self._refresh()
        self.changed.emit()

    def _remove(self) -> None:
        for item in self.list.selectedItems():
            self.list.takeItem(self.list.row(item))
        self._refresh()
        self.changed.emit()
