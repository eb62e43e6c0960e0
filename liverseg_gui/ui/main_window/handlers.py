"""Handlers of the commands in the table of actions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt

from liverseg_gui.core.slabs import THICKEST_MM, THINNEST_MM, Slab, SlabMode
from liverseg_gui.core.window_level import PRESETS
from liverseg_gui.state.preferences import QUALITIES, MouseProfile
from liverseg_gui.state.settings import Settings
from liverseg_gui.state.settings_values import MOST_RECENT
from liverseg_gui.state.user_presets import MOST_USER_PRESETS
from liverseg_gui.state.view import Layout, Pane, Tool, ViewState
from liverseg_gui.system import paths
from liverseg_gui.system.clear_caches import clear_caches
from liverseg_gui.system.paths import log_folder
from liverseg_gui.ui.annotations.texts import KINDS
from liverseg_gui.ui.main_window.about_dialog import AboutDialog
from liverseg_gui.ui.main_window.refresh import USER_GUIDE, refresh_commands
from liverseg_gui.ui.main_window.viewer_window import ViewerWindow
from liverseg_gui.ui.widgets.file_dialogs import forget_visited_folders
from liverseg_gui.ui.widgets.open_externally import open_externally


def annotation_handlers(window: ViewerWindow) -> dict[str, Callable[..., object]]:
    """The handlers of all of them but the tools, by key."""
    control = window.annotations
    return {
        "close_polygon": control.close_polygon,
        "undo": control.undo,
        "redo": control.redo,
        "delete_reading": control.delete,
        "delete_readings": control.delete_all,
        "show_readings": partial(setattr, window.view_state, "annotations_visible"),
    }


def window_handlers(window: ViewerWindow) -> dict[str, Callable[..., object]]:
    """The handlers of the Window menu by their keys."""
    control = window.windows
    return {
        **{f"preset {name}": partial(control.set, preset) for name, preset in PRESETS.items()},
        **{
            f"user preset {n + 1}": partial(control.use_own_preset, n)
            for n in range(MOST_USER_PRESETS)
        },
        "file_window": control.from_file,
        "auto_window": control.auto,
        "region_window": lambda: control.from_region(window.panes.voxel_under_cursor),
        "reset_window": control.reset,
        "save_preset": control.save_preset,
        "rename_preset": control.rename_preset,
        "delete_preset": control.delete_preset,
    }


def handlers(window: ViewerWindow) -> dict[str, Callable[..., object]]:
    """The handler of each command, by its key."""
    tools = {f"tool {kind.value}": tool for tool, kind in KINDS.items()}
    return {
        **_file_handlers(window),
        **_view_handlers(window),
        **_layout_handlers(window),
        **{key: partial(_choose_tool, window, tool) for key, tool in tools.items()},
        **annotation_handlers(window),
        **_overlay_handlers(window),
        **_program_handlers(window),
    }


def _file_handlers(window: ViewerWindow) -> dict[str, Callable[..., object]]:
    control, settings, dialogs = window.controller, window.settings, window.context.dialogs
    return {
        "open_file": partial(_ask_then, dialogs.scan_file, control.open),
        "open_folder": partial(_ask_then, dialogs.scan_folder, control.open),
        **{f"recent {n + 1}": partial(control.opener.open_recent, n) for n in range(MOST_RECENT)},
        "clear_recent": partial(_clear_recent, window),
        "reopen_last": lambda reopen: settings.change(reopen_last=reopen),
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
        "about": partial(_about, window),
    }


def _view_handlers(window: ViewerWindow) -> dict[str, Callable[..., object]]:
    state, settings = window.view_state, window.settings
    return {
        "navigate": partial(_choose_tool, window, Tool.NAVIGATE),
        "window_tool": partial(_choose_tool, window, Tool.WINDOW),
        "swap_tools": state.toggle_tool,
        "pacs": partial(_set_pacs, settings),
        "hide_patient": lambda hide: settings.change(hide_patient=hide),
        "crosshair": partial(setattr, state, "crosshair_visible"),
        "center": window.center_views,
        "reset": window.reset_views,
        "invert": partial(setattr, state, "inverted"),
        "next_slice": partial(window.step, 1),
        "previous_slice": partial(window.step, -1),
        "up_ten": partial(window.step, 10),
        "down_ten": partial(window.step, -10),
        # farther than any scan: the view clamps it
        "first_slice": partial(window.step, -(10**6)),
        "last_slice": partial(window.step, 10**6),
        **window_handlers(window),
    }


def _overlay_handlers(window: ViewerWindow) -> dict[str, Callable[..., object]]:
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
        "reviewed": window.controller.review.mark,
        "compare_file": partial(_ask_then, window.context.dialogs.mask_file, comparer.open),
        "compare_model": comparer.with_model,
        "compare_before": comparer.with_before,
        "stop_comparing": comparer.stop,
    }


def _layout_handlers(window: ViewerWindow) -> dict[str, Callable[..., object]]:
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


def _program_handlers(window: ViewerWindow) -> dict[str, Callable[..., object]]:
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


def _ask_then(ask: Callable[[], object], do: Callable[..., object]) -> None:
    answer = ask()
    if answer is not None:
        do(answer)


def _cancel(window: ViewerWindow) -> None:
    """Give up the reading that is being drawn, else stop what flickers, else what runs."""
    if window.annotations.give_up():
        return
    if window.flicker.running:
        window.flicker.stop()
    else:
        window.job_bar.cancel()


def _choose_tool(window: ViewerWindow, tool: Tool, _checked: bool) -> None:
    window.view_state.choose_tool(tool)
    refresh_commands(window)


def _choose_layout(window: ViewerWindow, layout: Layout, _checked: bool) -> None:
    state = window.view_state
    state.maximized = False
    if layout is Layout.STRIP:
        state.active = Pane.AXIAL
    state.layout = layout
    refresh_commands(window)


def _choose_slab(window: ViewerWindow, mode: SlabMode, _checked: bool) -> None:
    window.view_state.slab = replace(window.view_state.slab, mode=mode)
    refresh_commands(window)


def _next_slab(window: ViewerWindow) -> None:
    modes = list(SlabMode)
    mode = modes[(modes.index(window.view_state.slab.mode) + 1) % len(modes)]
    _choose_slab(window, mode, True)


def _change_slab(state: ViewState, step: int) -> None:
    """Thicker or thinner by `step` times 2 mm; a slab is shown from then on."""
    mm = min(max(state.slab.thickness_mm + 2 * step, THINNEST_MM), THICKEST_MM)
    mode = state.slab.mode if state.slab.on else SlabMode.MAXIMUM
    state.slab = Slab(mode, mm)


def _show_preferences(window: ViewerWindow) -> None:
    """They take effect while the dialog is open."""
    from liverseg_gui.ui.dialogs.preferences_dialog import PreferencesDialog

    dialog = PreferencesDialog(window, window.settings)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()


def _show_user_guide(window: ViewerWindow) -> None:
    page = paths.document_page(USER_GUIDE)
    if page is not None:
        window.context.status_message.emit(f"The user guide is {page}.")
    if page is None or not open_externally(page):
        window.context.tell(
            "The user guide cannot be shown. Look whether this computer has a web browser; "
            "if it has one, install LiverSeg again."
        )


def _show_models(window: ViewerWindow) -> None:
    """What is chosen there is used from the next segmentation on."""
    from liverseg_gui.ui.dialogs.models_dialog import ModelsDialog

    dialog = ModelsDialog(window, window.settings, window.context.dialogs)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    window.closing.connect(dialog.reject)
    dialog.open()


def show_training(window: ViewerWindow, out: Path | None = None) -> None:
    """There is one training window, beside this one; `out` is a training to show in it."""
    from liverseg_gui.ui.training_window.pages import standard_pages
    from liverseg_gui.ui.training_window.window import TrainingWindow

    training = window.findChild(TrainingWindow)
    if not isinstance(training, TrainingWindow):
        show_slice = window.controller.opener.show_slice
        watch, dialogs = window.trainings, window.context.dialogs
        pages = standard_pages(window.settings, dialogs, watch, show_slice)
        training = TrainingWindow(window, pages)
        training.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        window.closing.connect(training.leave)
        training.finished.connect(window.trainings.look)
    training.show()
    training.raise_()
    training.activateWindow()
    window.trainings.notice.hide()
    if out is not None:
        training.open_folder(out)


def _show_log_folder(window: ViewerWindow) -> None:
    """In the system's file manager, and told: not every system says that it has none.

    The place is the program's own, and told where patients are hidden too.
    """
    folder = log_folder()
    place = f"The logs lie in {folder}."
    with suppress(OSError):  # then there is nothing to show, and it is told where it would be
        folder.mkdir(parents=True, exist_ok=True)
    window.context.status_message.emit(place)
    if not open_externally(folder):
        window.context.dialogs.problem(place)


def _choose_quality(window: ViewerWindow, quality: str, _checked: bool) -> None:
    window.settings.change(quality=quality)


def _about(window: ViewerWindow) -> None:
    AboutDialog(window).exec()


def _full_screen(window: ViewerWindow, full: bool) -> None:
    """Back again the window is as large as it was."""
    state = window.windowState()
    whole = Qt.WindowState.WindowFullScreen
    window.setWindowState(state | whole if full else state & ~whole)


def _set_pacs(settings: Settings, pacs: bool) -> None:
    settings.change(mouse_profile=MouseProfile.PACS if pacs else MouseProfile.DEFAULT)


def _forget_labels(window: ViewerWindow) -> None:
    window.settings.change(label_maps={})
    window.context.say("The next mask from another program is asked about again")


def _clear_recent(window: ViewerWindow) -> None:
    window.windows.forget()
    window.settings.clear_recent()


def _clear_traces(window: ViewerWindow) -> None:
    """Recent files at once, caches in a job."""
    _clear_recent(window)
    forget_visited_folders()
    window.context.submit(
        "Clearing caches",
        clear_caches,
        lambda _: window.context.say("Caches and recent files cleared"),
    )
