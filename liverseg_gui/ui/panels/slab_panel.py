"""Slab panel: kind and thickness of several slices shown as one."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QGroupBox, QHBoxLayout

from liverseg_gui.core.slabs import THICKEST_MM, THINNEST_MM, SlabMode
from liverseg_gui.state.view import ViewState
from liverseg_gui.ui.widgets.input_filters import NumberKeys
from liverseg_gui.ui.widgets.number_box import NumberBox


class SlabPanel(QGroupBox):
    """Follows `ViewState.slab` and changes it. `done` tells that a number was entered."""

    done = Signal()

    def __init__(self, view: ViewState) -> None:
        super().__init__("Slab")
        self._view = view
        self._mode = QComboBox()
        self._mode.setAccessibleName("Kind of slab")
        self._mode.setToolTip("Several slices shown as one (M)")
        for mode in SlabMode:
            self._mode.addItem(mode.value, mode)
        self._mode.activated.connect(self._choose)
        self._thickness = NumberBox(THINNEST_MM, THICKEST_MM, step=1, nearest=True)
        self._thickness.setAccessibleName("Thickness of the slab")
        self._thickness.setToolTip("Thickness of the slab (+ and -)")
        self._thickness.setSuffix(" mm")
        self._thickness.valueChanged.connect(self._set_thickness)
        NumberKeys(self._thickness).done.connect(self.done)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 4)
        row.addWidget(self._mode, 1)
        row.addWidget(self._thickness)
        view.events.slab.connect(self._refresh)
        self._refresh()

    def _choose(self, at: int) -> None:
        self._view.slab = replace(self._view.slab, mode=self._mode.itemData(at))

    def _set_thickness(self, mm: float) -> None:
        self._view.slab = replace(self._view.slab, thickness_mm=mm)

    def _refresh(self, *_: object) -> None:
        slab = self._view.slab
        self._mode.setCurrentIndex(list(SlabMode).index(slab.mode))
        self._thickness.blockSignals(True)
        self._thickness.setValue(slab.thickness_mm)
        self._thickness.blockSignals(False)
        self._thickness.setEnabled(slab.on)
