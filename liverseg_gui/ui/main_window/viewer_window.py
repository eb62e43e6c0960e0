"""The parts of the main window: planes, panels and status line, before any command acts on them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QImage
from PySide6.QtWidgets import (
    QDockWidget,
    QMainWindow,
    QStackedWidget,
    QTabWidget,
    QWidget,
)

from liverseg_gui.core.geometry import Int3
from liverseg_gui.segmentation.segmenter import Segmenter
from liverseg_gui.state.open_scan import OpenScan
from liverseg_gui.state.settings import Settings
from liverseg_gui.state.view import Pane, ViewState
from liverseg_gui.ui.controllers.annotations import AnnotationController
from liverseg_gui.ui.controllers.app_context import AppContext
from liverseg_gui.ui.controllers.scan import ScanController
from liverseg_gui.ui.controllers.surface import SurfaceController
from liverseg_gui.ui.controllers.window_level import WindowLevelController
from liverseg_gui.ui.dialogs.prompts import Dialogs
from liverseg_gui.ui.jobs.job_bar import JobBar
from liverseg_gui.ui.jobs.job_runner import JobRunner
from liverseg_gui.ui.main_window.docks import DisplayPanel, Docks
from liverseg_gui.ui.main_window.first_steps import FirstSteps
from liverseg_gui.ui.main_window.status_bar import NOTICE, StatusBar
from liverseg_gui.ui.panels.annotations_panel import AnnotationsPanel
from liverseg_gui.ui.panels.comparison_panel import ComparisonPanel
from liverseg_gui.ui.panels.overlay_panel import OverlayPanel
from liverseg_gui.ui.panels.results_panel import ResultsPanel
from liverseg_gui.ui.panels.slab_panel import SlabPanel
from liverseg_gui.ui.panels.window_level_panel import WindowLevelPanel
from liverseg_gui.ui.training_window.run_watcher import RunWatcher
from liverseg_gui.ui.viewer.cine import Cine
from liverseg_gui.ui.viewer.flicker import Flicker
from liverseg_gui.ui.viewer.overlay_layer import OverlayLayer
from liverseg_gui.ui.viewer.panes import PaneGrid
from liverseg_gui.ui.viewer.screenshot import ScreenshotOptions, screenshot
from liverseg_gui.ui.viewer.slice_view import SliceView
from liverseg_gui.ui.viewer.surface3d.view import SurfaceView
from liverseg_gui.ui.widgets.issues_card import IssuesCard
from liverseg_gui.ui.widgets.labels import RichLabel
from liverseg_gui.ui.widgets.patient_display import text_shown

_WELCOME = (
    "<h2>Open an abdominal CT</h2>"
    "<p>Drop a file, a folder or a zip archive here, or press Ctrl+O.</p>"
    "<p>Then press F5 to segment liver and tumors.</p>"
)


class ViewerWindow(QMainWindow):
    """Builds the views, the panels and the status line, and what moves and copies the views.

    `MainWindow` puts the commands in; their handlers take this class. `closing` tells that it is
    about to close, while everything is still where it was.
    """

    closing = Signal()

    def __init__(
        self,
        segmenter: Segmenter,
        dialogs: Dialogs | None = None,
        settings: Settings | None = None,
    ) -> None:
        super().__init__()
        self.setWindowTitle("LiverSeg")
        right = Qt.DockWidgetArea.RightDockWidgetArea
        self.setTabPosition(right, QTabWidget.TabPosition.North)
        self.resize(QSize(1280, 800).boundedTo(self.screen().availableSize()))
        self.study, self.view_state = OpenScan(), ViewState()
        self.settings = settings or Settings()
        self.runner = JobRunner()
        dialogs = dialogs or Dialogs(self, self.settings)
        self.context = AppContext(self.study, self.view_state, self.settings, self.runner, dialogs)
        self.controller = ScanController(self.context, segmenter)
        # before the views: a new scan is then drawn with its own window at once
        self.windows = WindowLevelController(self.context)
        self.actions_by_key: dict[str, QAction] = {}
        self._build_views()
        self._build_panels()
        self._build_status()
        self.guide = FirstSteps(self, self._stack, self.panes, self.settings)
        self.panels = Docks(self, self.card_dock)
        self.panels.show_card(False)

    def _build_views(self) -> None:
        self.surface = SurfaceView(self.study, self.view_state)
        self.surfaces = SurfaceController(self.context, self.surface)
        self.panes = PaneGrid(self.study, self.view_state, self.surface)
        self.views = self.panes.views
        self.flicker = Flicker(self.study, self.view_state)
        self.overlays = {
            plane: OverlayLayer(view.box, view.schedule, self.study, self.view_state, self.flicker)
            for plane, view in self.views.items()
        }
        for plane, view in self.views.items():
            view.hovered.connect(partial(self._hover, view))
            view.read_again.connect(partial(self._read, view))
            view.add_layer(self.overlays[plane])
        self.annotations = AnnotationController(self.context, self.panes)
        self.cine = Cine(self._cine_step)
        self._cine_view = self.panes.active_view
        welcome = RichLabel(_WELCOME)
        welcome.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack = QStackedWidget()
        self._stack.addWidget(welcome)
        self._stack.addWidget(self.panes)
        self.setCentralWidget(self._stack)

    def _build_panels(self) -> None:
        self.card = IssuesCard(self._shown)
        self.panel = ResultsPanel(self.study, self.settings)
        self.panel.segment_requested.connect(self.controller.segment)
        self.panel.lesion_chosen.connect(self.controller.go_to_lesion)
        self.panel.lesion_chosen.connect(lambda lesion: self.surface.choose_lesion(lesion.number))
        self.surface.lesion_chosen.connect(self.controller.go_to_lesion)
        self.surface.lesion_chosen.connect(lambda lesion: self.panel.show_lesion(lesion.number))
        self.card_dock = self._dock("Scan check", "scan check", self.card)
        self._results_dock = self._dock("Results", "results", self.panel)
        self.display_dock = self.add_panel("Display", "display", self._build_display())
        self.annotations_panel = AnnotationsPanel(self.study, self.context.annotations)
        self.annotations_panel.requested.connect(self.annotations.go_to)
        self.annotations_panel.deletion_requested.connect(self.annotations.delete_listed)
        self.annotations_dock = self.add_panel("Readings", "readings", self.annotations_panel)
        self._results_dock.raise_()
        self._fit_card = QTimer(self)
        self._fit_card.setSingleShot(True)
        self._fit_card.timeout.connect(self._resize_card)
        self.card.preferred_size_changed.connect(self._fit_card.start)

    def _build_display(self) -> QWidget:
        self.window_panel = WindowLevelPanel(self.study, self.view_state, self.settings)
        self.window_panel.auto_requested.connect(self.windows.auto)
        self.overlay_panel = OverlayPanel(self.view_state, self.settings, self.flicker)
        self.comparison_panel = ComparisonPanel(
            self.study, self.view_state, self.controller.comparer, self._shown
        )
        slab = SlabPanel(self.view_state)
        for panel in (self.window_panel, self.overlay_panel, slab):
            panel.done.connect(self.panes.take_keyboard)
        return DisplayPanel(self.window_panel, self.overlay_panel, self.comparison_panel, slab)

    def add_panel(self, title: str, name: str, widget: QWidget) -> QDockWidget:
        """A panel as a tab beside the results."""
        dock = self._dock(title, name, widget)
        self.tabifyDockWidget(self._results_dock, dock)
        return dock

    def _dock(self, title: str, name: str, widget: QWidget) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(name)
        dock.setWidget(widget)
        dock.setMinimumWidth(290)
        self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
        return dock

    def _resize_card(self) -> None:
        """Give the card what it needs, and the results the rest."""
        if not self.card_dock.isVisible() or self.study.preview is not None:
            return
        docks = [self.card_dock, self._results_dock]
        areas = {self.dockWidgetArea(dock) for dock in docks}
        if len(areas) > 1 or any(dock.isFloating() for dock in docks):
            return
        title = self.card_dock.height() - self.card.height()
        needed, whole = self.card.preferred_height + title, sum(dock.height() for dock in docks)
        self.resizeDocks(docks, [needed, max(whole - needed, 1)], Qt.Orientation.Vertical)

    def _build_status(self) -> None:
        self.job_bar = JobBar(self.runner, self._shown)
        self.trainings = RunWatcher(self.context.dialogs, self._shown)
        self.statusBar().addPermanentWidget(self.trainings.notice)
        self.status = StatusBar(self.statusBar(), self.study, self.view_state, self.job_bar)

    def _shown(self, text: str) -> str:
        return text_shown(text, self.settings)

    def step(self, slices: int) -> None:
        """Move the plane that keys act on by `slices`."""
        self.panes.active_view.step(slices)

    def play_cine(self, on: bool) -> None:
        """Scroll the active plane by itself: that one, wherever the mouse goes meanwhile."""
        self._cine_view = self.panes.active_view
        self.cine.play(on)

    def _cine_step(self, slices: int) -> bool:
        """Move by one slice; whether there was another one."""
        view = self._cine_view
        if view.pane not in self.panes.shown:
            view = self._cine_view = self.panes.active_view
        before = view.index
        view.step(slices)
        return view.index != before

    def reset_views(self) -> None:
        """Show the whole slices, and the surfaces from the front."""
        self.panes.fit()
        self.surface.reset()

    def center_views(self) -> None:
        """Bring the crosshair to the middle of all views."""
        self.panes.center()

    def copy_picture(self, layout: bool) -> None:
        """The active pane, or all panes, to the clipboard; with what the last saved one showed."""
        saver = self.controller.saver
        saver.copy_picture(self._picture(replace(saver.picture_options, layout=layout)))

    def save_picture(self) -> None:
        """A picture as a file."""
        pane, view = self.view_state.active, self.panes.active_view
        name = "3d" if pane is Pane.SURFACE else f"{pane.value.lower()}_{view.index + 1}"
        self.controller.saver.save_picture(self._picture, name)

    def _picture(self, options: ScreenshotOptions) -> QImage:
        hidden = self.settings.values.hide_patient
        allowed = replace(options, patient=options.patient and not hidden)
        return screenshot(self.panes, self.view_state, allowed, NOTICE)

    def _hover(self, view: SliceView, voxel: Int3 | None) -> None:
        if voxel is not None and len(self.panes.shown) > 1:
            self.view_state.active = view.pane
        self._read(view, voxel)

    def _read(self, view: SliceView, voxel: Int3 | None) -> None:
        self.status.show_cursor(view, voxel)
