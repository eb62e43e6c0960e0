"""Spin box for numbers of any size: 0.002, 1e-6, 4096."""

from __future__ import annotations

import math
import re

from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox

_PARTIAL_NUMBER = re.compile(r"[-+]?\d*\.?\d*(e[-+]?\d*)?")
_DIGITS = 12


class NumberBox(QDoubleSpinBox):
    """From `low` to `high`; steps of a tenth of the number's size unless `step` is given.

    `zero` is what 0 is called. Numbers are typed with a point, whatever the system's language,
    for that is how configuration files are written.
    """

    def __init__(
        self, low: float, high: float, step: float = 0.0, whole: bool = False, zero: str = ""
    ) -> None:
        super().__init__()
        self._zero = zero
        self.setDecimals(0 if whole else _DIGITS)
        self.setRange(low, high)
        self.setKeyboardTracking(False)
        if step:
            self.setSingleStep(step)
        else:
            self.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)

    def textFromValue(self, value: float) -> str:
        """The number as short as possible."""
        return self._zero if self._zero and not value else f"{value:.10g}"

    def valueFromText(self, text: str) -> float:
        """What was typed; 0 where that is no number."""
        try:
            return float(text)
        except ValueError:
            return 0.0

    def validate(self, text: str, at: int) -> tuple[QValidator.State, str, int]:
        """Take numbers within the range, and what may become one."""
        states = QValidator.State
        if self._zero and self._zero.startswith(text):
            state = states.Acceptable if text == self._zero else states.Intermediate
        elif not _PARTIAL_NUMBER.fullmatch(text.lower()):
            state = states.Invalid
        else:
            value = _number(text)
            within = self.minimum() <= value <= self.maximum()
            state = states.Acceptable if within else states.Intermediate
        return state, text, at


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
