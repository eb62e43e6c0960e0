"""The main window: three linked planes, the results beside them, jobs and status below."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QDockWidget,
    QLabel,
    QMainWindow,
    QMessageBox,
    QSplitter,
    QStackedWidget,
)

from liverseg_gui import __version__
from liverseg_gui.core.display import PRESETS, auto_window
from liverseg_gui.core.geometry import Int3
from liverseg_gui.core.planes import Plane
from liverseg_gui.segmentation.segmenter import Segmenter
from liverseg_gui.state.study import Study
from liverseg_gui.state.view import MouseProfile, Tool, ViewState
from liverseg_gui.ui.actions import ROWS, make_actions
from liverseg_gui.ui.dialogs import Dialogs
from liverseg_gui.ui.job_bar import JobBar
from liverseg_gui.ui.jobs import JobRunner
from liverseg_gui.ui.results_panel import ResultsPanel
from liverseg_gui.ui.slice_view import SliceView
from liverseg_gui.ui.study_controller import StudyController

NOTICE = "Research use only. Not a medical device."
_WELCOME = (
    "<h2>Open an abdominal CT</h2>"
    "<p>Drop a NIfTI file or a DICOM folder here, or press Ctrl+O.</p>"
    "<p>Then press F5 to segment liver and tumors.</p>"
)


class MainWindow(QMainWindow):
    """Puts views, panels and commands together; `segmenter` does the work of F5."""

    def __init__(self, segmenter: Segmenter, dialogs: Dialogs | None = None) -> None:
        super().__init__()
        self.setWindowTitle("LiverSeg")
        self.setAcceptDrops(True)
        self.resize(1280, 800)
        self.study, self.view_state = Study(), ViewState()
        self.runner = JobRunner()
        self._dialogs = dialogs or Dialogs(self)
        self.controller = StudyController(
            self.study, self.view_state, self.runner, self._dialogs, segmenter
        )
        self._build_views()
        self._build_panel()
        self._build_status()
        self.actions_by_key = make_actions(self, self._handlers())
        self.study.volume_changed.connect(self._show_study)
        self.study.mask_changed.connect(self._refresh)
        self.study.measured.connect(self._refresh)
        self.study.saved.connect(self._refresh)
        self.view_state.events.connect(self._refresh)
        self.runner.job_started.connect(self._refresh)
        self.runner.became_idle.connect(self._refresh)
        self._refresh()

    def _build_views(self) -> None:
        self.views = {plane: SliceView(plane, self.study, self.view_state) for plane in Plane}
        self._active = self.views[Plane.AXIAL]
        side = QSplitter(Qt.Orientation.Vertical)
        side.addWidget(self.views[Plane.CORONAL])
        side.addWidget(self.views[Plane.SAGITTAL])
        planes = QSplitter(Qt.Orientation.Horizontal)
        planes.addWidget(self.views[Plane.AXIAL])
        planes.addWidget(side)
        planes.setSizes([620, 380])
        side.setSizes([400, 400])
        self._side = side
        for view in self.views.values():
            view.hovered.connect(partial(self._hover, view))
            view.maximize_asked.connect(partial(self._maximize, view))
        welcome = QLabel(_WELCOME)
        welcome.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack = QStackedWidget()
        self._stack.addWidget(welcome)
        self._stack.addWidget(planes)
        self.setCentralWidget(self._stack)

    def _build_panel(self) -> None:
        panel = ResultsPanel(self.study, self.view_state)
        panel.segment_asked.connect(self.controller.segment)
        panel.lesion_chosen.connect(self.controller.go_to_lesion)
        self.panel = panel
        dock = QDockWidget("Results", self)
        dock.setObjectName("results")
        dock.setWidget(panel)
        dock.setFeatures(QDockWidget.DockWidgetFeature.DockWidgetMovable)
        dock.setMinimumWidth(280)
        self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)

    def _build_status(self) -> None:
        self._cursor = QLabel()
        self._cursor.setMinimumWidth(380)
        self.job_bar = JobBar(self.runner)
        notice = QLabel(NOTICE)
        notice.setStyleSheet("color: #f2c94c;")
        bar = self.statusBar()
        bar.addWidget(self._cursor)
        bar.addPermanentWidget(self.job_bar)
        bar.addPermanentWidget(notice)
        self.controller.said.connect(lambda text: bar.showMessage(text, 6000))

    def _handlers(self) -> dict[str, Callable[..., object]]:
        control, state = self.controller, self.view_state
        return {
            "open_file": self._open_file,
            "open_folder": self._open_folder,
            "open_mask": self._open_mask,
            "save_mask": control.save_mask,
            "save_report": control.save_report,
            "quit": self.close,
            "segment": control.segment,
            "cancel": self.job_bar.cancel,
            "overlay": partial(setattr, state, "overlay_visible"),
            "opacity_down": partial(state.change_opacity, -0.1),
            "opacity_up": partial(state.change_opacity, 0.1),
            "navigate": partial(self._choose_tool, Tool.NAVIGATE),
            "window_tool": partial(self._choose_tool, Tool.WINDOW),
            "swap_tools": state.toggle_tool,
            "pacs": self._set_pacs,
            "crosshair": partial(setattr, state, "crosshair_visible"),
            "center": self._center,
            "reset": self._reset,
            "invert": partial(setattr, state, "inverted"),
            "next_slice": partial(self._step, 1),
            "previous_slice": partial(self._step, -1),
            "up_ten": partial(self._step, 10),
            "down_ten": partial(self._step, -10),
            "first_slice": partial(self._step, -(10**6)),
            "last_slice": partial(self._step, 10**6),
            **{
                f"preset {name}": partial(setattr, state, "window", window)
                for name, window in PRESETS.items()
            },
            "auto_window": self._auto_window,
            "about": self._about,
        }

    def _show_study(self) -> None:
        volume = self.study.volume
        if volume is None:
            return
        title = volume.origin.patient or volume.origin.description or volume.origin.path.name
        self.setWindowTitle(f"{title} - LiverSeg")
        self._stack.setCurrentIndex(1)
        self._reset()

    def _refresh(self, *_: object) -> None:
        """Bring the state of every command up to date."""
        has_scan, state = self.study.volume is not None, self.view_state
        for row in ROWS:
            self.actions_by_key[row.key].setEnabled(has_scan or not row.needs_scan)
        self.actions_by_key["save_mask"].setEnabled(self.study.mask is not None)
        self.actions_by_key["save_report"].setEnabled(self.study.measurements is not None)
        can_segment = has_scan and not self.runner.busy
        self.actions_by_key["segment"].setEnabled(can_segment)
        self.panel.segment_button.setEnabled(can_segment)
        self.actions_by_key["cancel"].setEnabled(self.runner.busy)
        checks = {
            "overlay": state.overlay_visible,
            "navigate": state.tool is Tool.NAVIGATE,
            "window_tool": state.tool is Tool.WINDOW,
            "pacs": state.mouse_profile is MouseProfile.PACS,
            "crosshair": state.crosshair_visible,
            "invert": state.inverted,
        }
        for key, checked in checks.items():
            action = self.actions_by_key[key]
            action.blockSignals(True)
            action.setChecked(checked)
            action.blockSignals(False)

    def _choose_tool(self, tool: Tool, _checked: bool) -> None:
        self.view_state.tool = tool
        self._refresh()

    def _set_pacs(self, pacs: bool) -> None:
        self.view_state.mouse_profile = MouseProfile.PACS if pacs else MouseProfile.DEFAULT

    def _auto_window(self) -> None:
        if self.study.volume is not None:
            self.view_state.window = auto_window(self.study.volume.hu)

    def _hover(self, view: SliceView, voxel: Int3 | None) -> None:
        self._active = view
        volume = self.study.volume
        if voxel is None or volume is None:
            self._cursor.setText("")
            return
        x, y, z = volume.affine.to_mm(voxel)
        i, j, k = voxel
        self._cursor.setText(
            f"{volume.hu[voxel]} HU    voxel {i}, {j}, {k}    R {x:.1f}  A {y:.1f}  S {z:.1f} mm"
        )

    def _step(self, slices: int) -> None:
        self._active.step(slices)

    def _maximize(self, view: SliceView) -> None:
        """Show one view alone, or all again."""
        alone = all(other is view or other.isHidden() for other in self.views.values())
        for other in self.views.values():
            other.setVisible(alone or other is view)
        self._side.setVisible(alone or view is not self.views[Plane.AXIAL])

    def _reset(self) -> None:
        for view in self.views.values():
            view.fit()

    def _center(self) -> None:
        for view in self.views.values():
            view.center()

    def _open_file(self) -> None:
        path = self._dialogs.scan_file()
        if path is not None:
            self.controller.open(path)

    def _open_folder(self) -> None:
        path = self._dialogs.scan_folder()
        if path is not None:
            self.controller.open(path)

    def _open_mask(self) -> None:
        path = self._dialogs.mask_file()
        if path is not None:
            self.controller.open_mask(path)

    def _about(self) -> None:
        QMessageBox.about(
            self,
            "About LiverSeg",
            f"<h3>LiverSeg {__version__}</h3><p>Liver and tumor segmentation in abdominal CT.</p>"
            f"<p>{NOTICE}</p><p>Apache License 2.0</p>",
        )

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and folders."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open a dropped scan, and a mask dropped with it, in whichever order they come."""
        from liverseg_gui.io.nifti import looks_like_mask

        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        if len(paths) > 1:
            paths.sort(key=looks_like_mask)
        mask = paths[1] if len(paths) > 1 else None
        QTimer.singleShot(0, lambda: self.controller.open(paths[0], mask))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask about unsaved work, then stop all jobs."""
        if not self.controller.may_close():
            event.ignore()
            return
        self.runner.shutdown()
        event.accept()
