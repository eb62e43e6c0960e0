"""Results panel: volumes, lesions, and warnings about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFormLayout,
    QFrame,
    QGroupBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QScrollArea,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from liverseg_gui.state.open_scan import OpenScan
from liverseg_gui.state.preferences import QUALITIES
from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.widgets.patient_display import text_shown
from liverseg_gui.ui.widgets.severity import NOT_RELIABLE, SHORT_MARK, WARNING_SIGN, why_unreliable
from liverseg_gui.ui.widgets.theme import QUALITY_TIP, Tone, set_tone

if TYPE_CHECKING:
    from liverseg_gui.core.measure import Lesion, Measurements

_MARGINS = (8, 4, 8, 4)
_MOST_WARNING_PX = 90
_NO_VALUE = "\N{EN DASH}"
_COLUMNS = ("#", "ml", "mm (axial)", "Slice")


class ResultsPanel(QWidget):
    """Shows the figures of the study's mask; a click on a lesion asks to go there."""

    segment_requested = Signal()
    lesion_chosen = Signal(object)

    def __init__(self, study: OpenScan, settings: Settings) -> None:
        super().__init__()
        self._study, self._settings = study, settings
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 4)
        layout.setSpacing(4)
        self.segment_button = QPushButton("Segment  (F5)")
        self.segment_button.setMinimumHeight(34)
        self.segment_button.clicked.connect(self.segment_requested)
        layout.addLayout(self._segment_row())
        layout.addWidget(self._volume_group())
        layout.addWidget(self._lesion_group(), 1)
        self._source = _wrapped("muted")
        self._warnings = _wrapped("warning")
        self._warning_area = QScrollArea()
        self._warning_area.setWidgetResizable(True)
        self._warning_area.setFrameShape(QFrame.Shape.NoFrame)
        self._warning_area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._warning_area.setWidget(self._warnings)
        layout.addWidget(self._warning_area)
        layout.addWidget(self._source)
        study.volume_changed.connect(self.refresh)
        study.mask_changed.connect(self.refresh)
        study.measured.connect(self.refresh)
        study.saved.connect(self.refresh)
        study.preview_changed.connect(self.refresh)
        settings.changed.connect(self.refresh)
        self.refresh()

    def _segment_row(self) -> QHBoxLayout:
        """The button, and how well and how long it is to look."""
        self.quality = QComboBox()
        for quality in QUALITIES:
            self.quality.addItem(quality.title(), quality)
        self.quality.setMinimumHeight(34)
        self.quality.setAccessibleName("Quality of the segmentation")
        self.quality.setAccessibleDescription(QUALITY_TIP)
        self.quality.setToolTip(f"{QUALITY_TIP}. Takes effect with the next segmentation.")
        self.quality.activated.connect(
            lambda at: self._settings.change(quality=self.quality.itemData(at))
        )
        row = QHBoxLayout()
        row.addWidget(self.segment_button, 1)
        row.addWidget(self.quality)
        return row

    def _volume_group(self) -> QGroupBox:
        group = QGroupBox("Volumes")
        form = QFormLayout(group)
        form.setContentsMargins(*_MARGINS)
        form.setVerticalSpacing(3)
        self._values = {}
        for key, text in (
            ("liver_ml", "Liver, tumor included"),
            ("liver_without_tumor_ml", "Liver without tumor"),
            ("tumor_ml", "Tumor"),
            ("tumor_burden_percent", "Tumor burden"),
        ):
            value = QLabel(_NO_VALUE)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            self._values[key] = value
            form.addRow(text, value)
        return group

    def _lesion_group(self) -> QGroupBox:
        group = QGroupBox("Lesions")
        self._table = QTableWidget(0, len(_COLUMNS))
        self._table.setHorizontalHeaderLabels(_COLUMNS)
        self._table.setAccessibleName("Lesions")
        self._table.verticalHeader().hide()
        self._table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self._table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._table.setTabKeyNavigation(False)
        header = self._table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        self._table.currentCellChanged.connect(self._choose)
        self._table.cellClicked.connect(self._choose)
        self._table.setMinimumHeight(76)
        layout = QVBoxLayout(group)
        layout.setContentsMargins(*_MARGINS)
        layout.addWidget(self._table)
        return group

    def refresh(self) -> None:
        """Show the figures of the present mask; none while another scan is being read."""
        reading = self._study.preview is not None
        measurements = None if reading else self._study.measurements
        reason = self._unreliable_reason(measurements)
        for key, label in self._values.items():
            unit = " %" if key.endswith("percent") else f" ml{NOT_RELIABLE if reason else ''}"
            digits = ",.2f" if key.endswith("percent") else ",.1f"
            value = getattr(measurements, key, None)
            label.setText(_NO_VALUE if value is None else f"{value:{digits}}{unit}")
            label.setToolTip(reason if measurements and not key.endswith("percent") else "")
        self._fill(measurements.lesions if measurements else (), reason)
        warnings = [] if reading else self._all_warnings(measurements)
        lines = [f"{WARNING_SIGN} {warning}" for warning in warnings]
        self._warnings.setText(text_shown("\n".join(lines), self._settings))
        self._warning_area.setVisible(bool(lines))
        self._warning_area.setFixedHeight(self._height_of_warnings())
        about = "Reading another scan ..." if reading else self._about_mask()
        self._source.setText(text_shown(about, self._settings))
        self._source.setToolTip(self._study.mask_source.why)
        self.quality.setCurrentIndex(QUALITIES.index(self._settings.values.quality))

    def _height_of_warnings(self) -> int:
        """High enough for the text, as long as the table above keeps its place."""
        width = max(self.width(), 260) - 40
        return min(self._warnings.heightForWidth(width) + 4, _MOST_WARNING_PX)

    def _unreliable_reason(self, measurements: Measurements | None) -> str:
        """Why no ml and mm can be trusted, or nothing."""
        volume = self._study.volume
        if measurements is None or (
            measurements.mm_reliable and (volume is None or volume.mm_reliable)
        ):
            return ""
        return why_unreliable(volume) or "The scan does not say for certain how large it is."

    def _all_warnings(self, measurements: Measurements | None) -> list[str]:
        """What to know beside the figures; of the model's doubts only after a segmentation."""
        volume, source = self._study.volume, self._study.mask_source
        if volume is None or self._study.mask is None:
            return []
        model = volume.model_warnings if source.model else ()
        mask = measurements.warnings if measurements else ()
        return list(dict.fromkeys((*volume.warnings, *mask, *model, *source.warnings)))

    def _about_mask(self) -> str:
        source = self._study.mask_source
        if self._study.mask is None:
            return "No mask yet."
        if source.model:
            made = f"Model {source.model} on {source.device}, {source.seconds:.1f} s."
        else:
            made = f"Mask from {source.path.name}." if source.path else ""
        return (
            made
            + (f" {source.note}" if source.note else "")
            + (" Not saved yet." if self._study.unsaved else "")
        )

    def _fill(self, lesions: tuple[Lesion, ...], reason: str) -> None:
        mark = SHORT_MARK if reason else ""
        self._table.blockSignals(True)
        self._table.setRowCount(len(lesions))
        for row, lesion in enumerate(lesions):
            cells = (
                f"{lesion.number}",
                f"{lesion.volume_ml:.2f}{mark}",
                f"{lesion.longest_axial_mm:.0f} x {lesion.perpendicular_mm:.0f}{mark}",
                f"{lesion.slice_k + 1}",
            )
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setToolTip(f"{lesion.why}\nNot reliable: {reason}" if reason else lesion.why)
                item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
                self._table.setItem(row, column, item)
        self._table.setCurrentCell(-1, -1)
        self._table.blockSignals(False)

    def _choose(self, row: int, *_: int) -> None:
        measurements = self._study.measurements
        if measurements and 0 <= row < len(measurements.lesions):
            self.lesion_chosen.emit(measurements.lesions[row])

    def show_lesion(self, number: int) -> None:
        """Choose the row of a lesion that was chosen elsewhere."""
        self._table.blockSignals(True)
        self._table.setCurrentCell(number - 1, 0)
        self._table.blockSignals(False)


def _wrapped(tone: Tone) -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    set_tone(label, tone)
    return label
