"""What every row of the table of commands does, and when it can be used."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from liverseg_gui.core.slabs import THICKEST_MM, THINNEST_MM, Slab, SlabMode
from liverseg_gui.state.preferences import QUALITIES, MouseProfile
from liverseg_gui.state.settings import MOST_RECENT, Settings
from liverseg_gui.state.view import Layout, Pane, Tool, ViewState
from liverseg_gui.system import resources
from liverseg_gui.system.clear_caches import clear_caches
from liverseg_gui.system.features import has_training
from liverseg_gui.system.paths import log_folder
from liverseg_gui.ui.annotations.texts import KINDS
from liverseg_gui.ui.main_window.actions import ROWS, tool_tip
from liverseg_gui.ui.main_window.reading_commands import (
    reading_handlers,
    refresh_readings,
    tool_checks,
)
from liverseg_gui.ui.main_window.window_commands import refresh_window_commands, window_handlers
from liverseg_gui.ui.widgets.open_externally import open_outside
from liverseg_gui.ui.widgets.patient_display import text_shown
from liverseg_gui.ui.widgets.scan_facts import no_segmentation

if TYPE_CHECKING:
    from liverseg_gui.ui.main_window.window import MainWindow

_LONGEST_NAME = 60
_USER_GUIDE = "user-guide"


def handlers(window: MainWindow) -> dict[str, Callable[..., object]]:
    """The handler of each command, by its key."""
    tools = {f"tool {kind.value}": tool for tool, kind in KINDS.items()}
    return {
        **_file_handlers(window),
        **_look_handlers(window),
        **_layout_handlers(window),
        **{key: partial(_choose_tool, window, tool) for key, tool in tools.items()},
        **reading_handlers(window),
        **_overlay_handlers(window),
        **_own_handlers(window),
    }


def _file_handlers(window: MainWindow) -> dict[str, Callable[..., object]]:
    control, settings, dialogs = window.controller, window.settings, window.bench.dialogs
    return {
        "open_file": partial(_ask_then, dialogs.scan_file, control.open),
        "open_folder": partial(_ask_then, dialogs.scan_folder, control.open),
        **{f"recent {n + 1}": partial(control.opener.open_recent, n) for n in range(MOST_RECENT)},
        "clear_recent": partial(_clear_recent, window),
        "reopen_last": partial(setattr, settings, "reopen_last"),
        "state_geometry": control.state_geometry,
        "open_mask": partial(_ask_then, dialogs.mask_file, control.open_mask),
        "save_mask": control.save_mask,
        "save_slices": control.saver.save_slices,
        "save_report": control.saver.save_report,
        "copy_pane": partial(window.copy_picture, False),
        "copy_layout": partial(window.copy_picture, True),
        "save_picture": window.save_picture,
        "export": control.saver.export_anonymized,
        "forget_labels": partial(_forget_labels, window),
        "clear_traces": partial(_clear_traces, window),
        "quit": window.close,
        "segment": control.segment,
        "about": window.about,
    }


def _look_handlers(window: MainWindow) -> dict[str, Callable[..., object]]:
    state, settings = window.view_state, window.settings
    return {
        "navigate": partial(_choose_tool, window, Tool.NAVIGATE),
        "window_tool": partial(_choose_tool, window, Tool.WINDOW),
        "swap_tools": state.toggle_tool,
        "pacs": partial(_set_pacs, settings),
        "hide_patient": partial(setattr, settings, "hide_patient"),
        "crosshair": partial(setattr, state, "crosshair_visible"),
        "center": window.center_views,
        "reset": window.reset_views,
        "invert": partial(setattr, state, "inverted"),
        "next_slice": partial(window.step, 1),
        "previous_slice": partial(window.step, -1),
        "up_ten": partial(window.step, 10),
        "down_ten": partial(window.step, -10),
        "first_slice": partial(window.step, -(10**6)),
        "last_slice": partial(window.step, 10**6),
        **window_handlers(window),
    }


def _overlay_handlers(window: MainWindow) -> dict[str, Callable[..., object]]:
    state, comparer = window.view_state, window.controller.comparer
    return {
        **{f"quality {name}": partial(_choose_quality, window, name) for name in QUALITIES},
        "models": partial(_show_models, window),
        "train": partial(show_training, window),
        "cancel": partial(_cancel, window),
        "overlay": partial(setattr, state, "overlay_visible"),
        "opacity_down": partial(state.change_opacity, -0.1),
        "opacity_up": partial(state.change_opacity, 0.1),
        "flicker": window.flicker.set_running,
        "compare_file": partial(_ask_then, window.bench.dialogs.mask_file, comparer.open),
        "compare_model": comparer.with_model,
        "compare_before": comparer.with_before,
        "stop_comparing": comparer.stop,
    }


def _layout_handlers(window: MainWindow) -> dict[str, Callable[..., object]]:
    state, cine = window.view_state, window.cine
    return {
        **{
            f"layout {layout.name.lower()}": partial(_choose_layout, window, layout)
            for layout in Layout
        },
        "maximize": partial(setattr, state, "maximized"),
        "next_pane": partial(window.panes.next_pane, 1),
        "previous_pane": partial(window.panes.next_pane, -1),
        "linked": partial(setattr, state, "linked"),
        **{f"slab {mode.name.lower()}": partial(_choose_slab, window, mode) for mode in SlabMode},
        "next_slab": partial(_next_slab, window),
        "thicker": partial(_change_slab, state, 1),
        "thinner": partial(_change_slab, state, -1),
        "cine": window.play_cine,
        "cine_faster": partial(cine.change_speed, 1),
        "cine_slower": partial(cine.change_speed, -1),
    }


def _own_handlers(window: MainWindow) -> dict[str, Callable[..., object]]:
    """What is about the program and not about the scan."""
    guide, panes = window.guide, window.panes
    return {
        "preferences": partial(_show_preferences, window),
        "full_screen": partial(_full_screen, window),
        "reset_panels": window.panels.reset,
        "user_guide": partial(_show_user_guide, window),
        "shortcuts": guide.show_shortcuts,
        "gestures": guide.show_gestures,
        "log_folder": partial(_show_log_folder, window),
        **{
            f"crosshair {way}": lambda right=right, down=down: panes.active_view.nudge(right, down)
            for way, right, down in (
                ("left", -1, 0),
                ("right", 1, 0),
                ("up", 0, -1),
                ("down", 0, 1),
            )
        },
    }


def refresh_commands(window: MainWindow) -> None:
    """Bring the state of every command up to date."""
    study, actions = window.study, window.actions_by_key
    for row in ROWS:
        actions[row.key].setEnabled(study.volume is not None or not row.needs_scan)
    has_mask = study.mask is not None
    slices = study.volume.origin.source_slices if study.volume else None
    actions["save_mask"].setEnabled(has_mask)
    actions["save_slices"].setEnabled(has_mask and slices is not None)
    alone = study.mask is None and bool(window.bench.readings.items)
    actions["save_report"].setEnabled(study.measurements is not None or alone)
    refresh_readings(window)
    comparer = window.controller.comparer
    going = window.runner.busy or window.flicker.running or window.readings.unfinished
    actions["cancel"].setEnabled(going)
    actions["flicker"].setEnabled(has_mask)
    actions["compare_file"].setEnabled(has_mask)
    actions["compare_model"].setEnabled(has_mask and comparer.has_model)
    actions["compare_before"].setEnabled(has_mask and comparer.has_before)
    actions["stop_comparing"].setEnabled(study.compared is not None)
    actions["train"].setVisible(has_training())
    actions["user_guide"].setVisible(resources.page(_USER_GUIDE) is not None)
    _refresh_segment(window)
    _refresh_checks(window)
    _refresh_recent(window)
    refresh_window_commands(window)


def _refresh_segment(window: MainWindow) -> None:
    """Segmenting needs a CT and a free worker; the button says why it is off."""
    volume, action = window.study.volume, window.actions_by_key["segment"]
    reason = no_segmentation(volume.origin.modality) if volume else ""
    can = volume is not None and not reason and not window.runner.busy
    row = next(row for row in ROWS if row.key == "segment")
    for widget in (action, window.panel.segment_button):
        widget.setEnabled(can)
        widget.setToolTip(reason or tool_tip(row))


def _refresh_checks(window: MainWindow) -> None:
    state, settings = window.view_state, window.settings
    checks = {
        "overlay": state.overlay_visible,
        "flicker": window.flicker.running,
        "navigate": state.tool is Tool.NAVIGATE,
        "window_tool": state.tool is Tool.WINDOW,
        "pacs": state.mouse_profile is MouseProfile.PACS,
        "crosshair": state.crosshair_visible,
        "show_readings": state.readings_visible,
        **tool_checks(window),
        "invert": state.inverted,
        "linked": state.linked,
        "maximize": state.maximized,
        "cine": window.cine.running,
        **{f"layout {layout.name.lower()}": state.layout is layout for layout in Layout},
        **{f"slab {mode.name.lower()}": state.slab.mode is mode for mode in SlabMode},
        **{f"quality {name}": settings.preferences.quality == name for name in QUALITIES},
        "full_screen": window.isFullScreen(),
        "hide_patient": settings.hide_patient,
        "reopen_last": settings.reopen_last,
    }
    for key, checked in checks.items():
        action = window.actions_by_key[key]
        action.blockSignals(True)
        action.setChecked(checked)
        action.blockSignals(False)


def _refresh_recent(window: MainWindow) -> None:
    """The recent paths in their menu; where there are none it says so."""
    recent = window.settings.recent
    for n in range(MOST_RECENT):
        action = window.actions_by_key[f"recent {n + 1}"]
        action.setVisible(n < len(recent))
        action.setEnabled(n < len(recent))
        if n < len(recent):
            text = text_shown(str(recent[n]), window.settings)
            short = text if len(text) <= _LONGEST_NAME else f"... {text[-_LONGEST_NAME:]}"
            action.setText(f"&{n + 1}  {short.replace('&', '&&')}")
            action.setToolTip(text)
        else:
            action.setText("")
            action.setToolTip("")
    window.actions_by_key["clear_recent"].setEnabled(bool(recent))


def _ask_then(ask: Callable[[], object], do: Callable[..., object]) -> None:
    answer = ask()
    if answer is not None:
        do(answer)


def _cancel(window: MainWindow) -> None:
    """Give up the reading that is being drawn, else stop what flickers, else what runs."""
    if window.readings.give_up():
        return
    if window.flicker.running:
        window.flicker.stop()
    else:
        window.job_bar.cancel()


def _choose_tool(window: MainWindow, tool: Tool, _checked: bool) -> None:
    window.view_state.choose_tool(tool)
    refresh_commands(window)


def _choose_layout(window: MainWindow, layout: Layout, _checked: bool) -> None:
    state = window.view_state
    state.maximized = False
    if layout is Layout.STRIP:
        state.active = Pane.AXIAL
    state.layout = layout
    refresh_commands(window)


def _choose_slab(window: MainWindow, mode: SlabMode, _checked: bool) -> None:
    window.view_state.slab = replace(window.view_state.slab, mode=mode)
    refresh_commands(window)


def _next_slab(window: MainWindow) -> None:
    modes = list(SlabMode)
    mode = modes[(modes.index(window.view_state.slab.mode) + 1) % len(modes)]
    _choose_slab(window, mode, True)


def _change_slab(state: ViewState, step: int) -> None:
    """Thicker or thinner by `step` times 2 mm; a slab is shown from then on."""
    mm = min(max(state.slab.thickness_mm + 2 * step, THINNEST_MM), THICKEST_MM)
    mode = state.slab.mode if state.slab.on else SlabMode.MAXIMUM
    state.slab = Slab(mode, mm)


def _show_preferences(window: MainWindow) -> None:
    """They take effect while the dialog is open."""
    from liverseg_gui.ui.dialogs.preferences_dialog import PreferencesDialog

    dialog = PreferencesDialog(window, window.settings)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()


def _show_user_guide(window: MainWindow) -> None:
    page = resources.page(_USER_GUIDE)
    if page is not None:
        window.bench.said.emit(f"The user guide is {page}.")
    if page is None or not open_outside(page):
        window.bench.tell(
            "The user guide cannot be shown. Look whether this computer has a web browser; "
            "if it has one, install LiverSeg again."
        )


def _show_models(window: MainWindow) -> None:
    """What is chosen there is used from the next segmentation on."""
    from liverseg_gui.ui.dialogs.models_dialog import ModelsDialog

    dialog = ModelsDialog(window, window.settings, window.bench.dialogs)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    window.closing.connect(dialog.reject)
    dialog.open()


def show_training(window: MainWindow, out: Path | None = None) -> None:
    """There is one room, and it stays beside the window; `out` is a training to show in it."""
    from liverseg_gui.ui.training_window.pages import standard_pages
    from liverseg_gui.ui.training_window.window import TrainingRoom

    room = window.findChild(TrainingRoom)
    if not isinstance(room, TrainingRoom):
        show_slice = window.controller.opener.show_slice
        watch, dialogs = window.trainings, window.bench.dialogs
        pages = standard_pages(window.settings, dialogs, watch, show_slice)
        room = TrainingRoom(window, pages)
        room.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        window.closing.connect(room.leave)
        room.finished.connect(window.trainings.look)
    room.show()
    room.raise_()
    room.activateWindow()
    window.trainings.notice.hide()
    if out is not None:
        room.open_folder(out)


def _show_log_folder(window: MainWindow) -> None:
    """In the system's file manager, and told: not every system says that it has none.

    The place is the program's own, and told where patients are hidden too.
    """
    folder = log_folder()
    place = f"The logs lie in {folder}."
    with suppress(OSError):  # then there is nothing to show, and it is told where it would be
        folder.mkdir(parents=True, exist_ok=True)
    window.bench.said.emit(place)
    if not open_outside(folder):
        window.bench.dialogs.problem(place)


def _choose_quality(window: MainWindow, quality: str, _checked: bool) -> None:
    window.settings.prefer(quality=quality)


def _full_screen(window: MainWindow, full: bool) -> None:
    """Back again the window is as large as it was."""
    state = window.windowState()
    whole = Qt.WindowState.WindowFullScreen
    window.setWindowState(state | whole if full else state & ~whole)


def _set_pacs(settings: Settings, pacs: bool) -> None:
    settings.prefer(mouse_profile=MouseProfile.PACS if pacs else MouseProfile.DEFAULT)


def _forget_labels(window: MainWindow) -> None:
    window.settings.forget_label_maps()
    window.bench.say("The next mask from another program is asked about again")


def _clear_recent(window: MainWindow) -> None:
    window.windows.forget()
    window.settings.clear_recent()


def _clear_traces(window: MainWindow) -> None:
    """Recent files at once, caches in a job."""
    _clear_recent(window)
    window.bench.submit(
        "Clearing caches",
        clear_caches,
        lambda _: window.bench.say("Caches and recent files cleared"),
    )
