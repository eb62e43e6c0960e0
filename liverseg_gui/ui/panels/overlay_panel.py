"""Overlay panel: masks shown or not, filled or outlined, and each label's color and opacity."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QColorDialog,
    QComboBox,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLayout,
    QPushButton,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from liverseg_gui.core.display import DEFAULT_STYLES, LabelStyle
from liverseg_gui.core.labels import LABEL_NAMES
from liverseg_gui.state.overlay_style import THICKEST_PX, THINNEST_PX, OverlayStyle
from liverseg_gui.state.settings import Settings
from liverseg_gui.state.view import ViewState
from liverseg_gui.ui.viewer.flicker import Flicker
from liverseg_gui.ui.widgets.input_filters import NumberKeys
from liverseg_gui.ui.widgets.number_box import NumberBox

_KEEP_AFTER_MS = 600
_MODES = {"Fill and contour": (True, True), "Fill": (True, False), "Contour": (False, True)}
_SWATCH_PX = 14


class OverlayPanel(QGroupBox):
    """Follows `ViewState` and changes it; what was chosen is kept for the next start.

    `done` tells that a number was entered.
    """

    done = Signal()

    def __init__(self, view: ViewState, settings: Settings, flicker: Flicker) -> None:
        super().__init__("Overlay")
        self._view, self._settings, self._flicker = view, settings, flicker
        settings.values.overlay.apply(view)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addLayout(self._show_row())
        layout.addLayout(self._mode_row())
        layout.addLayout(self._label_rows())
        layout.addLayout(self._button_row())
        self._keep = QTimer(self)
        self._keep.setSingleShot(True)
        self._keep.setInterval(_KEEP_AFTER_MS)
        self._keep.timeout.connect(self.keep)
        for signal in (
            view.events.overlay_visible,
            view.events.overlay_opacity,
            view.events.fill,
            view.events.contour,
            view.events.contour_px,
            view.events.voxel_edges,
            view.events.styles,
        ):
            signal.connect(self._follow)
        flicker.started.connect(self._refresh)
        flicker.stopped.connect(self._refresh)
        self._refresh()

    def _show_row(self) -> QLayout:
        self.visible = QCheckBox("Show (S)")
        self.visible.toggled.connect(partial(setattr, self._view, "overlay_visible"))
        self.opacity = _percent_slider("Overlay opacity", "Opacity (A less, D more)")
        self.opacity.valueChanged.connect(self._set_opacity)
        return _row(self.visible, self.opacity)

    def _mode_row(self) -> QLayout:
        self.mode = QComboBox()
        self.mode.setAccessibleName("How masks are drawn")
        self.mode.addItems(list(_MODES))
        self.mode.activated.connect(self._set_mode)
        self.thickness = NumberBox(THINNEST_PX, THICKEST_PX, step=0.5, nearest=True)
        self.thickness.setAccessibleName("Thickness of the contour")
        self.thickness.setToolTip("Thickness of the contour in pixels of the screen")
        self.thickness.setSuffix(" px")
        self.thickness.valueChanged.connect(partial(setattr, self._view, "contour_px"))
        NumberKeys(self.thickness).done.connect(self.done)
        return _row(self.mode, self.thickness)

    def _label_rows(self) -> QLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(2, 1)
        self.shown: dict[int, QCheckBox] = {}
        self.colors: dict[int, QToolButton] = {}
        self.opacities: dict[int, QSlider] = {}
        for row, (label, name) in enumerate(LABEL_NAMES.items()):
            shown, color = QCheckBox(name), QToolButton()
            shown.setToolTip(f"Show the {name.lower()}")
            shown.toggled.connect(lambda on, n=label: self._restyle(n, visible=on))
            color.setToolTip(f"Color of the {name.lower()} ...")
            color.setAccessibleName(f"{name} color")
            color.clicked.connect(partial(self._ask_color, label))
            opacity = _percent_slider(f"{name} opacity", f"Opacity of the {name.lower()}")
            opacity.valueChanged.connect(lambda n, of=label: self._restyle(of, opacity=n / 100))
            for column, widget in enumerate((shown, color, opacity)):
                grid.addWidget(widget, row, column)
            self.shown[label], self.colors[label], self.opacities[label] = shown, color, opacity
        return grid

    def _button_row(self) -> QLayout:
        self.exact = QCheckBox("True voxel edges")
        self.exact.setToolTip("Contours along the borders of voxels instead of smooth ones")
        self.exact.toggled.connect(partial(setattr, self._view, "voxel_edges"))
        self.defaults = QPushButton("Default colors")
        self.defaults.setToolTip("Colors that readers who are color-blind tell apart")
        self.defaults.clicked.connect(self.take_default_colors)
        self.flickering = QPushButton("Flicker (F)")
        self.flickering.setCheckable(True)
        self.flickering.setToolTip("Let the overlay go and come, or two compared masks take turns")
        self.flickering.toggled.connect(self._set_flicker)
        column = QVBoxLayout()
        column.setSpacing(4)
        column.addWidget(self.exact)
        column.addLayout(_row(self.defaults, self.flickering))
        return column

    def take_default_colors(self) -> None:
        """The color-blind safe colors, everything shown and opaque."""
        self._view.styles = dict(DEFAULT_STYLES)

    def keep(self) -> None:
        """Write how masks are drawn to the settings, if it changed."""
        self._keep.stop()
        style = OverlayStyle.of(self._view)
        if style != self._settings.values.overlay:
            self._settings.change(overlay=style)

    def _restyle(self, label: int, **changes: object) -> None:
        style: LabelStyle = replace(self._view.styles[label], **changes)  # type: ignore[arg-type]
        self._view.styles = {**self._view.styles, label: style}

    def _ask_color(self, label: int) -> None:
        color = QColorDialog.getColor(
            QColor(*self._view.styles[label].rgb),
            self,
            f"{LABEL_NAMES[label]} color",
            QColorDialog.ColorDialogOption.DontUseNativeDialog,
        )
        if color.isValid():
            self._restyle(label, rgb=(color.red(), color.green(), color.blue()))

    def _set_opacity(self, percent: int) -> None:
        self._view.overlay_opacity = percent / 100

    def _set_mode(self, at: int) -> None:
        self._view.fill, self._view.contour = list(_MODES.values())[at]

    def _set_flicker(self, on: bool) -> None:
        self._flicker.set_running(on)
        self._refresh()

    def _follow(self, *_: object) -> None:
        self._refresh()
        if OverlayStyle.of(self._view) != self._settings.values.overlay:
            self._keep.start()

    def _refresh(self) -> None:
        """Show the present state without changing it."""
        view = self._view
        controls: list[QWidget] = [
            self.visible,
            self.opacity,
            self.thickness,
            self.exact,
            self.flickering,
            *self.shown.values(),
            *self.opacities.values(),
        ]
        for control in controls:
            control.blockSignals(True)
        self.visible.setChecked(view.overlay_visible)
        self.opacity.setValue(round(view.overlay_opacity * 100))
        modes = {mode: at for at, mode in enumerate(_MODES.values())}
        self.mode.setCurrentIndex(modes.get((view.fill, view.contour), -1))
        self.thickness.setValue(view.contour_px)
        self.thickness.setEnabled(view.contour)
        self.exact.setChecked(view.voxel_edges)
        self.exact.setEnabled(view.contour)
        self.flickering.setChecked(self._flicker.running)
        for label, style in view.styles.items():
            self.shown[label].setChecked(style.visible)
            self.opacities[label].setValue(round(style.opacity * 100))
            self.colors[label].setIcon(swatch(style.rgb))
        for control in controls:
            control.blockSignals(False)


def swatch(rgb: tuple[int, int, int]) -> QIcon:
    """A square of a color."""
    pixmap = QPixmap(_SWATCH_PX, _SWATCH_PX)
    pixmap.fill(QColor(*rgb))
    return QIcon(pixmap)


def _percent_slider(name: str, tip: str) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(0, 100)
    slider.setPageStep(10)
    slider.setAccessibleName(name)
    slider.setToolTip(tip)
    return slider


def _row(first: QWidget, second: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.addWidget(first)
    row.addWidget(second, 1)
    return row
