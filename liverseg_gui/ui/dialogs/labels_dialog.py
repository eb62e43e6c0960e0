"""Dialog on what a foreign mask's labels mean: asked once for each set of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from liverseg_gui.core.labels import BACKGROUND, LIVER, TUMOR
from liverseg_gui.system.plain_text import one_line
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.theme import set_tone

if TYPE_CHECKING:
    from liverseg_gui.io.masks.read import FileLabel

_MEANINGS = ((BACKGROUND, "Background"), (LIVER, "Liver"), (TUMOR, "Tumor"))
_COLUMNS = ("Value", "Name in the file", "Voxels", "Is here")


@dataclass(frozen=True)
class LabelChoice:
    """What the file's values mean here, and whether that holds for such masks from now on."""

    mapping: dict[int, int]
    remember: bool


class LabelsDialog(QDialog):
    """A row for each label of the file, prefilled with `proposal`."""

    def __init__(
        self,
        parent: QWidget | None,
        name: str,
        labels: Sequence[FileLabel],
        proposal: Mapping[int, int],
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Labels of the mask")
        self.resize(560, 420)
        self.boxes = {label.value: _box(label, proposal.get(label.value, 0)) for label in labels}
        self.remember = QCheckBox("Remember for masks with these labels")
        self.remember.setChecked(True)
        self._missing = PlainLabel("Choose at least one label as liver or tumor.")
        set_tone(self._missing, "warning")
        self.accept_button = QPushButton("Open mask")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        buttons.addButton(self.accept_button, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        explanation = PlainLabel(
            f"{name} was made by another program. Say what its labels mean here; other programs "
            "number organs differently: check before you go on."
        )
        explanation.setWordWrap(True)
        layout = QVBoxLayout(self)
        for widget in (explanation, self._table(labels), self._missing, self.remember, buttons):
            layout.addWidget(widget)
        buttons.button(QDialogButtonBox.StandardButton.Cancel).setAutoDefault(False)
        self.accept_button.setDefault(True)
        for box in self.boxes.values():
            box.currentIndexChanged.connect(self._check)
        self._check()

    @property
    def choice(self) -> LabelChoice:
        """What the reader chose."""
        mapping = {value: int(box.currentData()) for value, box in self.boxes.items()}
        return LabelChoice(mapping, self.remember.isChecked())

    def _table(self, labels: Sequence[FileLabel]) -> QTableWidget:
        table = QTableWidget(len(labels), len(_COLUMNS))
        table.setHorizontalHeaderLabels(_COLUMNS)
        table.verticalHeader().hide()
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(3, QHeaderView.ResizeMode.Fixed)
        table.setColumnWidth(3, 130)
        for row, label in enumerate(labels):
            for column, text in enumerate(
                (str(label.value), one_line(label.name), f"{label.voxels:,}")
            ):
                item = QTableWidgetItem(text)
                if column != 1:
                    item.setTextAlignment(
                        Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                    )
                table.setItem(row, column, item)
            table.setCellWidget(row, 3, self.boxes[label.value])
        return table

    def _check(self) -> None:
        """A mask of background alone is no mask."""
        enough = any(box.currentData() != BACKGROUND for box in self.boxes.values())
        self.accept_button.setEnabled(enough)
        self._missing.setVisible(not enough)


def _box(label: FileLabel, proposed: int) -> QComboBox:
    box = QComboBox()
    for meaning, name in _MEANINGS:
        box.addItem(name, meaning)
    box.setCurrentIndex(box.findData(proposed))
    box.setAccessibleName(one_line(f"Label {label.value} {label.name}").strip())
    return box
