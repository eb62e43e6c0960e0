"""Panel of a comparison: which mask is A and which B, what the colors mean, Dice and volumes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
)

from liverseg_gui.core.labels import LABEL_NAMES, LIVER, TUMOR
from liverseg_gui.evaluation.mask_comparison import (
    AGREE,
    COMPARED_COLORS,
    ONLY_A,
    ONLY_B,
    LabelComparison,
)
from liverseg_gui.state.open_scan import OpenScan
from liverseg_gui.state.view import ViewState
from liverseg_gui.system.plain_text import one_line
from liverseg_gui.ui.controllers.compare import CompareController
from liverseg_gui.ui.widgets.labels import PlainLabel, RichLabel, escaped
from liverseg_gui.ui.widgets.severity import SHORT_MARK, why_unreliable

_CHOICES = {"Both labels": None, "Liver": LIVER, "Tumor": TUMOR}
_LEGEND = {AGREE: "Agree", ONLY_A: "Only A", ONLY_B: "Only B"}
_GAP = "&nbsp;&nbsp;&nbsp; "
_NAME_PX = 200
_NO_VALUE = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"


class ComparisonPanel(QGroupBox):
    """Seen while two masks are compared and no other scan is being read.

    `shown` says what of a file's name may be seen.
    """

    def __init__(
        self,
        study: OpenScan,
        view: ViewState,
        comparer: CompareController,
        shown: Callable[[str], str] = str,
    ) -> None:
        super().__init__("Comparison")
        self._study, self._view, self._comparer, self._shown = study, view, comparer, shown
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        self.names = {ONLY_A: RichLabel(), ONLY_B: RichLabel()}
        for label in self.names.values():
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            layout.addWidget(label)
        self.legend = RichLabel(
            _GAP.join(f"{_square(n)}&nbsp;{text}" for n, text in _LEGEND.items())
        )
        layout.addWidget(self.legend)
        layout.addLayout(self._choice_row())
        layout.addLayout(self._value_grid())
        comparer.changed.connect(self.refresh)
        study.compared_changed.connect(self.refresh)
        study.preview_changed.connect(self.refresh)
        view.events.comparing.connect(self.refresh)
        view.events.compared_label.connect(self.refresh)
        self.refresh()

    def _choice_row(self) -> QHBoxLayout:
        self.colored = QCheckBox("Show")
        self.colored.setToolTip("Color agreement and difference; else mask A is shown as always")
        self.colored.toggled.connect(partial(setattr, self._view, "comparing"))
        self.label = QComboBox()
        self.label.setAccessibleName("Which label is compared")
        self.label.setToolTip("What is compared: the liver is meant with its tumors")
        self.label.addItems(list(_CHOICES))
        self.label.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.label.activated.connect(self._choose)
        stop = QPushButton("Stop")
        stop.setToolTip("Stop comparing")
        stop.clicked.connect(self._comparer.stop)
        row = QHBoxLayout()
        row.addWidget(self.colored)
        row.addWidget(self.label, 1)
        row.addWidget(stop)
        return row

    def _value_grid(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(0, 1)
        self.cells: dict[tuple[str, int], QLabel] = {}
        for column, label in enumerate((LIVER, TUMOR), 1):
            head = PlainLabel(LABEL_NAMES[label])
            head.setAlignment(Qt.AlignmentFlag.AlignRight)
            if label == LIVER:
                head.setToolTip("Tumor included")
            grid.addWidget(head, 0, column)
        for row, text in enumerate(("Dice", "A, ml", "B, ml", "B - A, ml", "B - A, %"), 1):
            grid.addWidget(PlainLabel(text.replace("-", _MINUS)), row, 0)
            for column, label in enumerate((LIVER, TUMOR), 1):
                cell = PlainLabel()
                cell.setAlignment(Qt.AlignmentFlag.AlignRight)
                cell.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                cell.setMinimumWidth(70)
                grid.addWidget(cell, row, column)
                self.cells[text, label] = cell
        return grid

    def refresh(self, *_: object) -> None:
        """Show the present comparison, or nothing."""
        comparer = self._comparer
        seen = self._study.compared is not None and self._study.preview is None
        self.setVisible(seen)
        if not seen:
            return
        for which, letter, name, note in (
            (ONLY_A, "A", comparer.name_a, self._study.mask_source.note),
            (ONLY_B, "B", comparer.name_b, comparer.note_b),
        ):
            shown = one_line(self._shown(name))
            short = QFontMetrics(self.font()).elidedText(
                shown, Qt.TextElideMode.ElideMiddle, _NAME_PX
            )
            self.names[which].setText(f"{_square(which)} {letter}: {escaped(short)}")
            self.names[which].setToolTip("\n".join(filter(None, (shown, self._shown(note)))))
        self.colored.blockSignals(True)
        self.colored.setChecked(self._view.comparing)
        self.colored.blockSignals(False)
        self.label.setCurrentIndex(list(_CHOICES.values()).index(self._view.compared_label))
        self._show_values()

    def _show_values(self) -> None:
        volume, comparisons = self._study.volume, self._comparer.comparisons
        reason = "" if volume is None or volume.mm_reliable else why_unreliable(volume)
        mark = SHORT_MARK if reason else ""
        for (text, label), cell in self.cells.items():
            ml = text.endswith("ml")
            cell.setToolTip(reason if ml else "")
            value = (
                _value_text(text, comparisons[label]) + (mark if ml else "") if comparisons else ""
            )
            cell.setText(value or _NO_VALUE)

    def _choose(self, at: int) -> None:
        self._view.compared_label = list(_CHOICES.values())[at]


def _value_text(text: str, of: LabelComparison) -> str:
    percent = of.difference_percent
    shown = {
        "Dice": f"{of.dice:.3f}",
        "A, ml": f"{of.a_ml:,.1f}",
        "B, ml": f"{of.b_ml:,.1f}",
        "B - A, ml": f"{of.difference_ml:+,.1f}",
        "B - A, %": _NO_VALUE if percent is None else f"{percent:+.1f}",
    }[text]
    return shown.replace("-", _MINUS)


def _square(which: int) -> str:
    red, green, blue = COMPARED_COLORS[which]
    return f'<span style="color: rgb({red},{green},{blue})">\N{BLACK SQUARE}</span>'
