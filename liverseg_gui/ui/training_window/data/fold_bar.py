"""Choice of the folds: their number, the one held out, and the seed."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from liverseg_gui.ui.training_window.data.split_preview import NOT_YET, SplitPreview
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.number_box import NumberBox
from liverseg_gui.ui.widgets.theme import Tone, set_tone
from training.data.selection import FOLDS, SPLIT_SEED

_MOST_FOLDS, _LAST_SEED = 20, 9999


class FoldBar(QWidget):
    """Spin boxes for the split; `changed` is emitted when it is to be another one."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._folds = _spin(1, _MOST_FOLDS, "Parts")
        self._folds.setToolTip(
            "Patients are dealt into so many parts, one of which is held out. With 1 nobody is "
            "held out: for the last training, once the recipe is known to be good."
        )
        self._fold = _spin(1, FOLDS, "Part that is held out")
        self._fold.setToolTip("The patients of this part are not trained on")
        self._seed = _spin(0, _LAST_SEED, "Shuffle")
        self._seed.setToolTip(
            "The same number deals the same patients the same way every time. Keep it to compare "
            "trainings: then they are judged by the same patients. Another one shuffles them anew."
        )
        self._of = PlainLabel()
        self._text = PlainLabel()
        self._text.setWordWrap(True)
        self._lay_out()
        self.set(FOLDS, 0, SPLIT_SEED)
        for spin in (self._folds, self._fold, self._seed):
            spin.valueChanged.connect(self._change)

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        row = (
            _label("&Parts:", self._folds),
            self._folds,
            _label("&Held out: part", self._fold),
            self._fold,
            self._of,
            _label("&Shuffle:", self._seed),
            self._seed,
        )
        for column, widget in enumerate(row):
            grid.addWidget(widget, 0, column)
        grid.setColumnStretch(len(row), 1)
        grid.addWidget(self._text, 1, 0, 1, len(row) + 1)

    @property
    def folds(self) -> int:
        """The number of folds."""
        return int(self._folds.typed)

    @property
    def fold(self) -> int:
        """The fold that is held out, from 0; 0 where none is."""
        return int(self._fold.typed) - 1

    @property
    def seed(self) -> int:
        """The seed of the shuffle."""
        return int(self._seed.typed)

    @property
    def text(self) -> str:
        """The line about the split."""
        return self._text.text()

    def set(self, folds: int, fold: int, seed: int) -> None:
        """Show these values."""
        self._folds.setValue(folds)
        self._fold.setMaximum(folds)
        self._fold.setValue(fold + 1)
        self._seed.setValue(seed)
        self._refresh()

    def show_split(self, split: SplitPreview) -> None:
        """Show how the patients are split now."""
        self._text.setText(split.text)
        tone: Tone = "muted" if split is NOT_YET else "warning"
        set_tone(self._text, None if split.ready else tone)

    def _change(self) -> None:
        self._fold.setMaximum(self.folds)
        self._refresh()
        self.changed.emit()

    def _refresh(self) -> None:
        self._of.setText(f"of {self.folds}" if self.folds > 1 else "(none is held out)")
        self._fold.setEnabled(self.folds > 1)


def _spin(low: int, high: int, name: str) -> NumberBox:
    spin = NumberBox(low, high, step=1, whole=True)
    spin.setAccessibleName(name)
    return spin


def _label(text: str, buddy: QWidget) -> QLabel:
    label = PlainLabel(text)
    label.setBuddy(buddy)
    return label
