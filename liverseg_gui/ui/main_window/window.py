"""The main window: its parts, the commands that act on them, and what follows their changes."""

from __future__ import annotations

from pathlib import Path

from psygnal import EmissionInfo
from PySide6.QtCore import QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent

from liverseg_gui.segmentation.segmenter import Segmenter
from liverseg_gui.state.settings import Settings
from liverseg_gui.state.settings_values import SettingsValues
from liverseg_gui.system.plain_text import one_line
from liverseg_gui.ui.dialogs.prompts import Dialogs
from liverseg_gui.ui.main_window.actions import PANELS_MENU, make_actions, menu_named
from liverseg_gui.ui.main_window.apply_preferences import apply_preferences
from liverseg_gui.ui.main_window.drop_handling import sort_dropped
from liverseg_gui.ui.main_window.focus_ring import FocusWatch
from liverseg_gui.ui.main_window.handlers import handlers, show_training
from liverseg_gui.ui.main_window.keyboard_navigation import KeyGuard, take_focus_by_tab
from liverseg_gui.ui.main_window.refresh import refresh_commands, refresh_window_commands
from liverseg_gui.ui.main_window.viewer_window import ViewerWindow
from liverseg_gui.ui.widgets.input_filters import WheelGuard
from liverseg_gui.ui.widgets.labels import title_text
from liverseg_gui.ui.widgets.patient_display import patient_shown, study_title
from liverseg_gui.ui.widgets.scan_facts import volume_facts

_MESSAGE_MS = 6000
FLICKERS = "The overlay flickers. F or Esc stops it."


class MainWindow(ViewerWindow):
    """Puts the parts and the commands together; `segmenter` does the work of F5."""

    def __init__(
        self,
        segmenter: Segmenter,
        dialogs: Dialogs | None = None,
        settings: Settings | None = None,
    ) -> None:
        super().__init__(segmenter, dialogs, settings)
        self.setAcceptDrops(True)
        self._preferred: SettingsValues | None = None
        self.actions_by_key = make_actions(self, handlers(self))
        self.annotations_panel.add_buttons(self.actions_by_key)
        self.window_panel.take_actions(self.actions_by_key)
        self.panels.add_toggles(menu_named(self, PANELS_MENU))
        self._listen()
        FocusWatch(self)
        KeyGuard(self)
        WheelGuard(self)
        take_focus_by_tab(self)
        self.setFocus()
        self._show_settings()

    def _listen(self) -> None:
        self.study.volume_changed.connect(self._show_study)
        self.study.preview_changed.connect(self._show_preview)
        study = self.study
        for signal in (study.mask_changed, study.measured, study.saved, study.reviewed_changed):
            signal.connect(self._refresh)
        self.view_state.events.connect(self._follow_view)
        self.settings.changed.connect(self.comparison_panel.refresh)
        self.settings.changed.connect(self._show_settings)
        for view in self.views.values():
            view.box.sigRangeChanged.connect(self._show_view)
        self.trainings.show_requested.connect(lambda out: show_training(self, out))
        self.cine.changed.connect(self._refresh)
        self.annotations.changed.connect(self._refresh)
        self.closing.connect(self.flicker.stop)
        self.closing.connect(self.overlay_panel.keep)
        self.flicker.started.connect(self._show_flicker)
        self.flicker.stopped.connect(self._show_flicker)
        self.study.compared_changed.connect(self._show_comparison)
        self.settings.failed.connect(self.context.say)
        self.runner.job_started.connect(self._refresh)
        self.runner.became_idle.connect(self._refresh)
        self.context.status_message.connect(
            lambda text: self.statusBar().showMessage(one_line(text), _MESSAGE_MS)
        )

    def _show_study(self) -> None:
        volume = self.study.volume
        if volume is None:
            return
        self.cine.play(False)
        self._stack.setCurrentIndex(1)
        self.card.show_facts(volume_facts(volume, self.study.phase))
        self.panels.show_card(True)
        self._show_patient()
        self.reset_views()
        if self.focusWidget() in (None, self):
            self.panes.active_view.setFocus()
        self.guide.welcome_first()

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
            self.setWindowTitle(
                f"{title_text(study_title(volume.origin, self.settings))} - LiverSeg"
            )
            patient, series = volume.origin.patient, volume.origin.description
            name = patient_shown(patient, self.settings) if patient else ""
            lines = (name, one_line(self._shown(series)) if series != patient else "")
            shown = "\n".join(line for line in lines if line)
            for view in self.views.values():
                view.set_patient(shown if self.study.preview is None else "")
        else:
            self.setWindowTitle("LiverSeg")

    def _show_settings(self) -> None:
        if self.settings.values.hide_patient:
            self.statusBar().clearMessage()
        self._preferred = apply_preferences(self.settings, self._preferred, self.view_state)
        self.card.refresh()
        self.job_bar.refresh()
        self._show_patient()
        self._refresh()

    def _follow_view(self, info: EmissionInfo) -> None:
        """Bring up to date what a change can have touched: a drag brings very many of them."""
        changed = info.signal.name
        if changed == "crosshair_ijk":
            return
        if changed == "window":
            refresh_window_commands(self)
            self._show_view()
        else:
            self._refresh()

    def _refresh(self, *_: object) -> None:
        refresh_commands(self)
        self._show_view()

    def _show_comparison(self) -> None:
        """Bring the legend and the figures of a comparison to the front."""
        if self.study.compared is not None:
            self.display_dock.raise_()
        self._refresh()

    def _show_flicker(self) -> None:
        """Say that the overlay flickers, as long as it does."""
        self.statusBar().showMessage(FLICKERS if self.flicker.running else "")
        self._refresh()

    def _show_view(self, *_: object) -> None:
        self.status.show_view(self.panes.active_view)

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
        """Ask about unsaved work and trainings, then stop all jobs."""
        if not self.controller.may_close() or not self.trainings.may_leave():
            event.ignore()
            return
        self.windows.keep()
        self.context.unsaved_masks.close()
        self.closing.emit()
        self.trainings.stop()
        self.runner.shutdown()
        self.surfaces.shutdown()
        event.accept()
