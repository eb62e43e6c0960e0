"""Spin box for numbers, read alike in every language."""

from __future__ import annotations

import math
import re

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtGui import QKeyEvent, QValidator
from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox

from liverseg_gui.ui.widgets.theme import set_tone

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?")
_AS_POINT = str.maketrans({",": ".", "\N{ARABIC DECIMAL SEPARATOR}": ".", "\N{MINUS SIGN}": "-"})
_DIGITS = 12


def parse_number(text: str) -> float | None:
    """The number that `text` is, None where it is none.

    Point and comma are both the decimal mark, and there is no separator of thousands: "1.5" and
    "1,5" are the same number in every language, "1.234,5" is none.
    """
    plain = text.strip().lower().translate(_AS_POINT)
    if not _NUMBER.fullmatch(plain):
        return None
    number = float(plain)  # digits of every script
    return number if math.isfinite(number) else None


class NumberBox(QDoubleSpinBox):
    """From `low` to `high`; steps of a tenth of the number's size unless `step` is given.

    `zero` is what 0 is called. Numbers are shown with a point, whatever the system's language, and
    taken on Enter or when the box is left. Whatever is typed stays until then, colored where it is
    no number of the range: a key that is refused would leave quite another number. Then the last
    number comes back; where `nearest`, one beyond the range is the limit that it passed. `checked`
    tells that what stands in the box has become acceptable, or may have ceased to be.
    """

    checked = Signal()

    def __init__(
        self,
        low: float,
        high: float,
        step: float = 0.0,
        whole: bool = False,
        zero: str = "",
        nearest: bool = False,
    ) -> None:
        super().__init__()
        self._zero, self._whole, self._nearest = zero, whole, nearest
        self.setLocale(QLocale.c())
        self.setDecimals(0 if whole else _DIGITS)
        self.setRange(low, high)
        self.setKeyboardTracking(False)
        if step:
            self.setSingleStep(step)
        else:
            self.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
        for signal in (self.lineEdit().textEdited, self.editingFinished, self.valueChanged):
            signal.connect(self._check)

    @property
    def typed(self) -> float:
        """The number that stands in the box, also before Enter; else the last one that did."""
        text, last = self.text(), self.value()
        if self._bare(text) == self.textFromValue(last):
            return last
        return self.valueFromText(text) if self.hasAcceptableInput() else last

    def setValue(self, value: float) -> None:
        """Show `value`; what was being typed goes."""
        super().setValue(value)
        self._check()

    def textFromValue(self, value: float) -> str:
        """The number as short as possible."""
        return self._zero if self._zero and not value else f"{value:.10g}"

    def valueFromText(self, text: str) -> float:
        """What was typed; 0 where that is no number."""
        return parse_number(self._bare(text)) or 0.0

    def validate(self, text: str, at: int) -> tuple[QValidator.State, str, int]:
        """Let everything be typed; numbers within the range are taken."""
        bare, states = self._bare(text), QValidator.State
        number = 0.0 if self._zero and bare == self._zero else parse_number(bare)
        taken = number is not None and number == self._limited(number)
        return states.Acceptable if taken else states.Intermediate, text, at

    def fixup(self, text: str) -> str:
        """The last number, or the limit that was passed."""
        number = parse_number(self._bare(text)) if self._nearest else None
        if number is None or (self._whole and number % 1):
            return self.textFromValue(self.value())
        return self.textFromValue(self._limited(number))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter closes no dialog on a number that comes back instead of the one typed."""
        taken = self.hasAcceptableInput()
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not taken:
            event.accept()

    def _limited(self, number: float) -> float:
        """The nearest one that this box can hold."""
        limited = min(max(number, self.minimum()), self.maximum())
        return float(round(limited)) if self._whole else limited

    def _bare(self, text: str) -> str:
        """`text` without what stands behind the number."""
        return text.strip().removesuffix(self.suffix().strip()).strip()

    def _check(self) -> None:
        set_tone(self, None if self.hasAcceptableInput() else "error")
        self.checked.emit()
