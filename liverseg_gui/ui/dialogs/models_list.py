"""The list of models and the card of the one that is selected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTextBrowser,
    QTreeWidget,
    QTreeWidgetItem,
)

from liverseg_gui.segmentation.models.description import card_facts, figure_text, model_figures
from liverseg_gui.segmentation.models.registry import InstalledModel
from liverseg_gui.system.plain_text import one_line, printable
from liverseg_gui.ui.widgets.labels import escaped
from liverseg_gui.ui.widgets.severity import TONE_ROLE, ToneDelegate

_COLUMNS = ("Model", "In use", "From", "Patients", "Liver Dice", "Tumor Dice", "MB")
_TIPS = {
    "In use": "The model that segments from the next time on",
    "Patients": "How many patients it was trained on",
    "Liver Dice": "Mean Dice of the liver in held-out patients, as the card says",
    "Tumor Dice": "Mean Dice of tumors in held-out patients, as the card says",
    "MB": "Size on disk",
}
_IN_USE = "\N{CHECK MARK}"
_FOLDER = Qt.ItemDataRole.UserRole


class ModelsList(QTreeWidget):
    """A row for each model; `folder` is that of the selected one, for two may have one name."""

    def __init__(self) -> None:
        super().__init__()
        self.setHeaderLabels(_COLUMNS)
        self.setRootIsDecorated(False)
        self.setAccessibleName("Models")
        self.setAllColumnsShowFocus(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setItemDelegate(ToneDelegate(self))
        head = self.header()
        head.setStretchLastSection(False)
        head.setMinimumSectionSize(44)
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column, title in enumerate(_COLUMNS):
            self.headerItem().setToolTip(column, _TIPS.get(title, ""))
            if column:
                self.headerItem().setTextAlignment(column, Qt.AlignmentFlag.AlignCenter)

    @property
    def folder(self) -> Path | None:
        """The folder of the selected model."""
        item = self.currentItem()
        return None if item is None else Path(item.data(0, _FOLDER))

    def fill(
        self, models: Sequence[InstalledModel], used: Path | None, select: Path | None
    ) -> None:
        """List `models`; `used` is the folder of the one in use, `select` of the one to select."""
        self.blockSignals(True)
        self.clear()
        for model in models:
            item = QTreeWidgetItem(self, list(_cells(model, model.folder == used)))
            item.setData(0, _FOLDER, str(model.folder))
            for column in range(1, len(_COLUMNS)):
                item.setTextAlignment(column, Qt.AlignmentFlag.AlignCenter)
            if model.card is None:
                item.setData(0, TONE_ROLE, "error")
            if model.folder == select or self.currentItem() is None:
                self.setCurrentItem(item)
        self.blockSignals(False)


def _cells(model: InstalledModel, used: bool) -> tuple[str, ...]:
    mark = _IN_USE if used else ""
    megabytes = f"{model.weights_bytes / 1e6:.0f}"
    if model.card is None:
        return f"{one_line(model.name)} (cannot be used)", mark, model.origin, "", "", "", megabytes
    figures = model_figures(model.card)
    patients = "" if figures.patients is None else str(figures.patients)
    dice = figure_text(figures.liver_dice), figure_text(figures.tumor_dice)
    return one_line(model.name), mark, model.origin, patients, *dice, megabytes


class ModelCardView(QTextBrowser):
    """What is on the card of a model, to be read. `shown` says what of a text may be seen."""

    def __init__(self, shown: Callable[[str], str]) -> None:
        super().__init__()
        self._shown = shown
        self.setOpenLinks(False)
        self.setAccessibleName("Card of the model")
        self.setTabChangesFocus(True)

    def show_model(self, model: InstalledModel | None) -> None:
        """Show the card of `model`, or why it cannot be used."""
        if model is None:
            self.clear()
            return
        facts = card_facts(model.card) if model.card else [("Cannot be used", model.problem)]
        parts = [f"<h3>{escaped(model.name)}</h3>"]
        for heading, text in facts:
            parts.append(
                f"<p><b>{escaped(heading)}</b><br>{escape(printable(self._shown(text)))}</p>"
            )
        self.setHtml("".join(parts))
