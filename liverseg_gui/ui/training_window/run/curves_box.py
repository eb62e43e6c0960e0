"""The curves of a training: loss, Dice, accuracy and learning rate over the epochs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGridLayout, QWidget

from liverseg_gui.core.display import LABEL_COLORS
from liverseg_gui.core.labels import LIVER, TUMOR
from liverseg_gui.ui.training_window.process.run_progress import RunStep
from liverseg_gui.ui.training_window.run.curve_plot import CurvePlot, Series
from liverseg_gui.ui.widgets.theme import Tone, tone_color

_ACCURACY = (
    "The share of pixels that are right. Most are background: a mask without any tumor scores "
    "about 0.995 here, so read the Dice beside it."
)
_NOTE = "no tumor found: .995"
_COLUMNS = 2


class CurvesBox(QWidget):
    """Four plots with one axis of epochs; the mouse over one reads the same epoch in all."""

    def __init__(self) -> None:
        super().__init__()
        self._drawn: object = None
        self.loss = CurvePlot(
            "Loss",
            (
                Series("training", lambda r: r.train_loss, _tone("accent")),
                Series("validation", lambda r: r.valid_loss, _tone("warning")),
            ),
            "{:.3f}",
        )
        self.dice = CurvePlot(
            "Dice",
            (
                Series("liver", lambda r: r.liver_dice, _label(LIVER)),
                Series("tumor", lambda r: r.tumor_dice, _label(TUMOR)),
            ),
            "{:.3f}",
        )
        accuracy = Series("", lambda r: r.accuracy, _tone("info"))
        self.accuracy = CurvePlot("Accuracy", (accuracy,), "{:.4f}", _NOTE)
        rate = Series("", lambda r: r.learning_rate, _tone("accent"))
        self.rate = CurvePlot("Learning rate", (rate,), "{:.2g}", from_zero=True)
        self.loss.setToolTip("What the training makes small, on its cases and on the held-out ones")
        self.dice.setToolTip(
            "Overlap with the true masks, all validation slices together; 1 is all"
        )
        self.accuracy.setToolTip(_ACCURACY)
        self.rate.setToolTip("The size of the last learning step of each epoch")
        self.plots = (self.loss, self.dice, self.accuracy, self.rate)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for n, plot in enumerate(self.plots):
            layout.addWidget(plot, n // _COLUMNS, n % _COLUMNS)
            plot.pointed.connect(self._read)

    def show_steps(
        self, steps: Sequence[RunStep], stage_starts: Sequence[tuple[str, int]], epochs: int
    ) -> None:
        """Draw the epochs that are done, of so many."""
        drawn = tuple(steps), tuple(stage_starts), epochs
        if drawn == self._drawn:
            return
        self._drawn = drawn
        for plot in self.plots:
            plot.show_steps(steps, stage_starts, epochs)

    def _read(self, at: int | None) -> None:
        for plot in self.plots:
            plot.read(at)


def _tone(tone: Tone) -> Callable[[], QColor]:
    return lambda: tone_color(tone)


def _label(label: int) -> Callable[[], QColor]:
    return lambda: QColor(*LABEL_COLORS[label])
