"""The texts over a plane: title, patient, slice and window, orientation letters, scale bar."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget

from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.theme import PANE_LETTERS, PANE_TEXT

_GAP = 6
_SIDES = ("left", "right", "top", "bottom")
_BAR_SHARE = 0.22
_STEPS = (1, 2, 5)
_BACKING = QColor(0, 0, 0, 140)
"""Behind texts and bar: what is light on white, as air is where it is inverted, is not seen."""


class CornerTexts:
    """Labels on `parent`, placed by `place` whenever it or a text changes size."""

    def __init__(self, parent: QWidget, title: str, color: str) -> None:
        self._parent = parent
        self._labels = {
            "title": self._label(color),
            "info": self._label(PANE_TEXT),
            "patient": self._label(PANE_TEXT),
            "hu": self._label(PANE_TEXT),
            **{side: self._label(PANE_LETTERS) for side in _SIDES},
        }
        self._labels["hu"].setAlignment(Qt.AlignmentFlag.AlignRight)
        self._labels["patient"].setAlignment(Qt.AlignmentFlag.AlignRight)
        self._labels["title"].setText(title)
        self.scale = ScaleBar(parent)
        self._texts = self._patient = True
        self._patient_text = ""

    def _label(self, color: str) -> QLabel:
        label = PlainLabel(parent=self._parent)
        shade = _BACKING
        backing = f"rgba({shade.red()}, {shade.green()}, {shade.blue()}, {shade.alpha()})"
        label.setStyleSheet(f"color: {color}; background: {backing}; font-weight: 600;")
        label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        return label

    def __getitem__(self, name: str) -> QLabel:
        return self._labels[name]

    @property
    def taken(self) -> list[QRectF]:
        """Where texts stay while the cursor moves, for what else is written on the slice."""
        stay = (each for name, each in self._labels.items() if name != "hu" and each.text())
        scale = [] if self.scale.isHidden() else [QRectF(self.scale.geometry())]
        return [*(QRectF(each.geometry()) for each in stay), *scale]

    def set(self, **texts: str) -> None:
        """Change texts by their place; nothing is done where they are the same."""
        changed = False
        for name, text in texts.items():
            if self._labels[name].text() != text:
                self._labels[name].setText(text)
                changed = True
        if changed:
            self.place()

    def set_letters(self, letters: tuple[str, str, str, str]) -> None:
        """The orientation letters at left, right, top and bottom."""
        self.set(**dict(zip(_SIDES, letters, strict=True)))

    def set_patient(self, text: str) -> None:
        """Whose scan this is, a line for each thing; shortened where the pane is narrow."""
        self._patient_text = text
        self.place()

    def _shorten_patient(self) -> None:
        metrics, right = self._labels["patient"].fontMetrics(), Qt.TextElideMode.ElideRight
        most = max(self._parent.width() // 2 - 4 * _GAP, 40)
        lines = [metrics.elidedText(line, right, most) for line in self._patient_text.splitlines()]
        self._labels["patient"].setText("\n".join(lines))

    def dress(self, texts: bool, patient: bool) -> None:
        """Show all texts, or the orientation letters alone; and the patient, or not."""
        self._texts, self._patient = texts, patient
        self.place()

    def _is_shown(self, name: str) -> bool:
        if name == "patient":
            return self._patient
        return self._texts or name in _SIDES

    def place(self) -> None:
        """Put every text at its edge."""
        width, height = self._parent.width(), self._parent.height()
        self._shorten_patient()
        for name, label in self._labels.items():
            label.adjustSize()
            label.setVisible(bool(label.text()) and self._is_shown(name))
            w, h = label.width(), label.height()
            x, y = {
                "title": (_GAP, _GAP),
                "info": (_GAP, height - h - _GAP),
                "patient": (width - w - _GAP, _GAP),
                "hu": (width - w - _GAP, height - h - _GAP),
                "left": (_GAP, (height - h) // 2),
                "right": (width - w - _GAP, (height - h) // 2),
                "top": ((width - w) // 2, _GAP),
                "bottom": ((width - w) // 2, height - h - _GAP),
            }[name]
            label.move(x, y)
        info, hu = self._labels["info"], self._labels["hu"]
        if hu.geometry().intersects(info.geometry()):  # in a narrow pane
            hu.move(hu.x(), info.y() - hu.height())
        self.scale.place(self._texts)


class ScaleBar(QWidget):
    """A bar of a round number of mm at the right edge, as long as fits."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._px_per_mm = 0.0
        self._mark = ""
        self.mm = 0.0

    def show_scale(self, px_per_mm: float, mark: str) -> None:
        """Take the magnification; `mark` stands behind a length that is not reliable."""
        if (px_per_mm, mark) != (self._px_per_mm, self._mark):
            self._px_per_mm, self._mark = px_per_mm, mark
            self.place()

    @property
    def caption(self) -> str:
        """What the bar says of its length."""
        length = f"{self.mm / 10:g} cm" if self.mm >= 10 else f"{self.mm:g} mm"
        return length + self._mark

    def place(self, visible: bool = True) -> None:
        """Find a round length and the place at the lower right, above the text there."""
        parent = self._parent
        self.setVisible(visible and self._px_per_mm > 0 and parent.height() > 120)
        if self.isHidden():
            return
        self.mm = round_length(parent.height() * _BAR_SHARE / self._px_per_mm)
        length = round(self.mm * self._px_per_mm)
        width = self.fontMetrics().horizontalAdvance(self.caption) + 14
        self.resize(width, length + 1)
        line = self.fontMetrics().height()
        self.move(parent.width() - width - 4, parent.height() - length - 2 * line - _GAP)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The bar with a tick at either end, its length beside it."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), _BACKING)
        painter.setPen(QColor(PANE_TEXT))
        right, bottom = self.width() - 3, self.height() - 1
        painter.drawLine(right, 0, right, bottom)
        for y in (0, bottom):
            painter.drawLine(right - 4, y, right, y)
        line = self.fontMetrics().height()
        box = QRect(QPoint(0, (self.height() - line) // 2), self.size())
        box.setSize(self.size().boundedTo(box.size()))
        box.setWidth(self.width() - 10)
        box.setHeight(line)
        painter.drawText(box, Qt.AlignmentFlag.AlignRight, self.caption)


def round_length(most_mm: float) -> float:
    """The longest of 1, 2, 5, 10, ... mm (or a tenth, and so on) that is not over `most_mm`."""
    if not most_mm > 0:
        return 0.0
    power = 1.0
    while power > most_mm:
        power /= 10
    while power * 10 <= most_mm:
        power *= 10
    return max(step * power for step in _STEPS if step * power <= most_mm)
