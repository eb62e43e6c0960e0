"""The main window: three linked planes, the results beside them, jobs and status below."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QDockWidget,
    QLabel,
    QMainWindow,
    QMessageBox,
    QSplitter,
    QStackedWidget,
    QWidget,
)

from liverseg_gui import __version__
from liverseg_gui.core.display import auto_window
from liverseg_gui.core.geometry import Int3
from liverseg_gui.core.planes import Plane
from liverseg_gui.segmentation.segmenter import Segmenter
from liverseg_gui.state.settings import Settings
from liverseg_gui.state.study import Study
from liverseg_gui.state.view import ViewState
from liverseg_gui.ui.actions import make_actions
from liverseg_gui.ui.commands import handlers, refresh_commands
from liverseg_gui.ui.dialogs import Dialogs
from liverseg_gui.ui.dropped import sort_dropped
from liverseg_gui.ui.findings_card import FindingsCard
from liverseg_gui.ui.hiding import patient_shown, study_title, text_shown
from liverseg_gui.ui.job_bar import JobBar
from liverseg_gui.ui.jobs import JobRunner
from liverseg_gui.ui.marks import SHORT_MARK
from liverseg_gui.ui.results_panel import ResultsPanel
from liverseg_gui.ui.scan_facts import volume_facts
from liverseg_gui.ui.slice_view import SliceView
from liverseg_gui.ui.study_controller import StudyController
from liverseg_gui.ui.workbench import Workbench

NOTICE = "Research use only. Not a medical device."
_WELCOME = (
    "<h2>Open an abdominal CT</h2>"
    "<p>Drop a file, a folder or a zip archive here, or press Ctrl+O.</p>"
    "<p>Then press F5 to segment liver and tumors.</p>"
)
_SAID_MS = 6000


class MainWindow(QMainWindow):
    """Puts views, panels and commands together; `segmenter` does the work of F5."""

    def __init__(
        self,
        segmenter: Segmenter,
        dialogs: Dialogs | None = None,
        settings: Settings | None = None,
    ) -> None:
        super().__init__()
        self.setWindowTitle("LiverSeg")
        self.setAcceptDrops(True)
        self.resize(QSize(1280, 800).boundedTo(self.screen().availableSize()))
        self.study, self.view_state = Study(), ViewState()
        self.settings = settings or Settings()
        self.runner = JobRunner()
        dialogs = dialogs or Dialogs(self, self.settings)
        self.bench = Workbench(self.study, self.view_state, self.settings, self.runner, dialogs)
        self.controller = StudyController(self.bench, segmenter)
        self._build_views()
        self._build_panels()
        self._build_status()
        self.actions_by_key = make_actions(self, handlers(self))
        self._listen()
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

    def _build_panels(self) -> None:
        self.card = FindingsCard(self._shown)
        self.panel = ResultsPanel(self.study, self.view_state, self.settings)
        self.panel.segment_asked.connect(self.controller.segment)
        self.panel.lesion_chosen.connect(self.controller.go_to_lesion)
        self.card_dock = self._dock("Scan check", "scan check", self.card)
        self._results_dock = self._dock("Results", "results", self.panel)
        self.card_dock.hide()
        self._fit_card = QTimer(self)
        self._fit_card.setSingleShot(True)
        self._fit_card.timeout.connect(self._resize_card)
        self.card.size_wanted.connect(self._fit_card.start)

    def _resize_card(self) -> None:
        """Give the card what it needs, and the results the rest."""
        if not self.card_dock.isVisible() or self.study.preview is not None:
            return
        docks = [self.card_dock, self._results_dock]
        title = self.card_dock.height() - self.card.height()
        wanted, whole = self.card.height_wanted + title, sum(dock.height() for dock in docks)
        self.resizeDocks(docks, [wanted, max(whole - wanted, 1)], Qt.Orientation.Vertical)

    def _dock(self, title: str, name: str, widget: QWidget) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(name)
        dock.setWidget(widget)
        dock.setFeatures(QDockWidget.DockWidgetFeature.DockWidgetMovable)
        dock.setMinimumWidth(290)
        self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
        return dock

    def _build_status(self) -> None:
        self._cursor = QLabel()
        self._cursor.setMinimumWidth(380)
        self.job_bar = JobBar(self.runner, self._shown)
        notice = QLabel(NOTICE)
        notice.setStyleSheet("color: #f2c94c;")
        bar = self.statusBar()
        bar.addWidget(self._cursor)
        bar.addPermanentWidget(self.job_bar)
        bar.addPermanentWidget(notice)

    def _listen(self) -> None:
        self.study.volume_changed.connect(self._show_study)
        self.study.preview_changed.connect(self._show_preview)
        for signal in (self.study.mask_changed, self.study.measured, self.study.saved):
            signal.connect(self._refresh)
        self.view_state.events.connect(self._refresh)
        self.settings.changed.connect(self._show_settings)
        self.settings.failed.connect(self.bench.say)
        self.runner.job_started.connect(self._refresh)
        self.runner.became_idle.connect(self._refresh)
        self.bench.said.connect(lambda text: self.statusBar().showMessage(text, _SAID_MS))

    def _shown(self, text: str) -> str:
        return text_shown(text, self.settings)

    def _show_study(self) -> None:
        volume = self.study.volume
        if volume is None:
            return
        self._stack.setCurrentIndex(1)
        self.card.show_facts(volume_facts(volume, self.study.phase))
        self.card_dock.show()
        self._show_patient()
        self.reset_views()

    def _show_preview(self) -> None:
        """While another scan is read, nothing beside its slice speaks of the open one."""
        reading = self.study.preview is not None
        volume = self.study.volume
        facts = volume_facts(volume, self.study.phase) if volume and not reading else None
        self.card.show_facts(facts)
        self.card_dock.setEnabled(not reading)
        self._results_dock.setEnabled(not reading)
        self._stack.setCurrentIndex(1 if reading or self.study.volume is not None else 0)
        self._show_patient()

    def _show_patient(self) -> None:
        volume = self.study.volume
        if self.study.preview is not None:
            self.setWindowTitle("Reading ... - LiverSeg")
        elif volume is not None:
            self.setWindowTitle(f"{study_title(volume.origin, self.settings)} - LiverSeg")
            patient = volume.origin.patient
            shown = patient_shown(patient, self.settings) if patient else ""
            self.views[Plane.AXIAL].set_patient(shown)
        else:
            self.setWindowTitle("LiverSeg")

    def _show_settings(self) -> None:
        if self.settings.hide_patient:
            self.statusBar().clearMessage()
        self.card.refresh()
        self.job_bar.refresh()
        self._show_patient()
        self._refresh()

    def _refresh(self, *_: object) -> None:
        refresh_commands(self)

    def auto_window(self) -> None:
        """Window/level from the scan's own values."""
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
        mark = "" if volume.mm_reliable else SHORT_MARK
        self._cursor.setText(
            f"{volume.hu[voxel]} HU    voxel {i}, {j}, {k}    "
            f"R {x:.1f}  A {y:.1f}  S {z:.1f} mm{mark}"
        )

    def step(self, slices: int) -> None:
        """Move the view that is looked at by `slices`."""
        self._active.step(slices)

    def _maximize(self, view: SliceView) -> None:
        """Show one view alone, or all again."""
        alone = all(other is view or other.isHidden() for other in self.views.values())
        for other in self.views.values():
            other.setVisible(alone or other is view)
        self._side.setVisible(alone or view is not self.views[Plane.AXIAL])

    def reset_views(self) -> None:
        """Show the whole slices."""
        for view in self.views.values():
            view.fit()

    def center_views(self) -> None:
        """Bring the crosshair to the middle of all views."""
        for view in self.views.values():
            view.center()

    def about(self) -> None:
        """Say what this program is."""
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
        """Open dropped scans, and a mask dropped with one, in whichever order they come."""
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        scans, mask = sort_dropped(paths)
        QTimer.singleShot(0, lambda: self.controller.open(scans, mask))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask about unsaved work, then stop all jobs."""
        if not self.controller.may_close():
            event.ignore()
            return
        self.runner.shutdown()
        event.accept()
