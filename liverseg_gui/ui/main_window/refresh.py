"""State of the commands: which can be used and which are checked."""

from __future__ import annotations

from liverseg_gui.core.slabs import SlabMode
from liverseg_gui.core.window_level import Window
from liverseg_gui.state.preferences import QUALITIES, MouseProfile
from liverseg_gui.state.settings_values import MOST_RECENT
from liverseg_gui.state.user_presets import MOST_USER_PRESETS
from liverseg_gui.state.view import Layout, Tool
from liverseg_gui.system import paths
from liverseg_gui.system.features import has_training
from liverseg_gui.system.plain_text import one_line, printable
from liverseg_gui.ui.annotations.texts import KINDS
from liverseg_gui.ui.main_window.actions import ROWS, tool_tip
from liverseg_gui.ui.main_window.viewer_window import ViewerWindow
from liverseg_gui.ui.widgets.labels import action_text
from liverseg_gui.ui.widgets.patient_display import text_shown
from liverseg_gui.ui.widgets.scan_facts import why_not_segmented

_NONE_STATED = "The file states no window of its own"
_NOT_OWN = "Choose one of your own presets first"
_REVIEWED = (
    "You have looked at every slice and stand for this mask: once it is saved, a model may learn "
    "from it"
)
_LONGEST_NAME = 60
USER_GUIDE = "user-guide"


def tool_checks(window: ViewerWindow) -> dict[str, bool]:
    """Which tool is chosen, by the keys of their commands."""
    tool = window.view_state.tool
    return {f"tool {kind.value}": tool is each for each, kind in KINDS.items()}


def refresh_annotations(window: ViewerWindow) -> None:
    """Bring the state of these commands up to date; undo and redo say what they are about."""
    actions, annotations, history = (
        window.actions_by_key,
        window.context.annotations,
        window.context.history,
    )
    idle = window.study.preview is None
    actions["close_polygon"].setEnabled(window.annotations.can_close)
    seen = idle and window.view_state.annotations_visible
    actions["delete_reading"].setEnabled(seen and annotations.chosen is not None)
    actions["delete_readings"].setEnabled(seen and bool(annotations.items))
    actions["undo"].setEnabled(idle and (history.can_undo or window.annotations.unfinished))
    actions["redo"].setEnabled(idle and history.can_redo)
    actions["undo"].setText(f"&Undo {history.undo_name}".strip())
    actions["redo"].setText(f"&Redo {history.redo_name}".strip())


def refresh_window_commands(window: ViewerWindow) -> None:
    """Name the reader's presets in the menu; what cannot be used says why."""
    volume, actions = window.study.volume, window.actions_by_key
    presets = list(window.settings.values.user_presets.items())
    for n in range(MOST_USER_PRESETS):
        action = actions[f"user preset {n + 1}"]
        action.setVisible(n < len(presets))
        action.setEnabled(volume is not None and n < len(presets))
        if n < len(presets):
            name, preset = presets[n]
            action.setText(f"{name.replace('&', '&&')}  {_numbers(preset)}")
    stated = volume.origin.windows if volume is not None else ()
    file_window = actions["file_window"]
    file_window.setEnabled(bool(stated))
    file_window.setToolTip("" if stated or volume is None else _NONE_STATED)
    file_window.setText(f"&File  {_numbers(stated[0].window)}" if stated else "&File")
    own = volume is not None and window.windows.own_preset is not None
    for key in ("rename_preset", "delete_preset"):
        actions[key].setEnabled(own)
        actions[key].setToolTip("" if own or volume is None else _NOT_OWN)
    first = _numbers(window.windows.first)
    actions["reset_window"].setToolTip(
        one_line(f"Back to the window that studies open with: {first}")
    )


def _numbers(window: Window) -> str:
    return f"{window.width:g} / {window.center:g}"


def refresh_commands(window: ViewerWindow) -> None:
    """Bring the state of every command up to date."""
    study, actions = window.study, window.actions_by_key
    for row in ROWS:
        actions[row.key].setEnabled(study.volume is not None or not row.needs_scan)
    has_mask = study.mask is not None
    slices = study.volume.origin.source_slices if study.volume else None
    actions["save_mask"].setEnabled(has_mask)
    actions["save_slices"].setEnabled(has_mask and slices is not None)
    alone = study.mask is None and bool(window.context.annotations.items)
    actions["save_report"].setEnabled(study.measurements is not None or alone)
    refresh_annotations(window)
    comparer = window.controller.comparer
    going = window.runner.busy or window.flicker.running or window.annotations.unfinished
    actions["cancel"].setEnabled(going)
    actions["flicker"].setEnabled(has_mask)
    _refresh_reviewed(window)
    actions["compare_file"].setEnabled(has_mask)
    actions["compare_model"].setEnabled(has_mask and comparer.has_model)
    actions["compare_before"].setEnabled(has_mask and comparer.has_before)
    actions["stop_comparing"].setEnabled(study.compared is not None)
    actions["train"].setVisible(has_training())
    actions["user_guide"].setVisible(paths.document_page(USER_GUIDE) is not None)
    _refresh_segment(window)
    _refresh_checks(window)
    _refresh_recent(window)
    refresh_window_commands(window)


def _refresh_segment(window: ViewerWindow) -> None:
    """Segmenting needs a CT and a free worker; the button says why it is off."""
    volume, action = window.study.volume, window.actions_by_key["segment"]
    reason = why_not_segmented(volume) if volume else ""
    can = volume is not None and not reason and not window.runner.busy
    row = next(row for row in ROWS if row.key == "segment")
    for widget in (action, window.panel.segment_button):
        widget.setEnabled(can)
        widget.setToolTip(printable(reason) or tool_tip(row))


def _refresh_reviewed(window: ViewerWindow) -> None:
    study, action = window.study, window.actions_by_key["reviewed"]
    action.setEnabled(study.mask is not None and study.preview is None)
    action.setToolTip(_REVIEWED)


def _refresh_checks(window: ViewerWindow) -> None:
    state, settings = window.view_state, window.settings
    checks = {
        "overlay": state.overlay_visible,
        "flicker": window.flicker.running,
        "reviewed": bool(window.study.mask_source.reviewed),
        "navigate": state.tool is Tool.NAVIGATE,
        "window_tool": state.tool is Tool.WINDOW,
        "pacs": state.mouse_profile is MouseProfile.PACS,
        "crosshair": state.crosshair_visible,
        "show_readings": state.annotations_visible,
        **tool_checks(window),
        "invert": state.inverted,
        "linked": state.linked,
        "maximize": state.maximized,
        "cine": window.cine.running,
        **{f"layout {layout.name.lower()}": state.layout is layout for layout in Layout},
        **{f"slab {mode.name.lower()}": state.slab.mode is mode for mode in SlabMode},
        **{f"quality {name}": settings.values.quality == name for name in QUALITIES},
        "full_screen": window.isFullScreen(),
        "hide_patient": settings.values.hide_patient,
        "reopen_last": settings.values.reopen_last,
    }
    for key, checked in checks.items():
        action = window.actions_by_key[key]
        action.blockSignals(True)
        action.setChecked(checked)
        action.blockSignals(False)


def _refresh_recent(window: ViewerWindow) -> None:
    """The recent paths in their menu; where there are none it says so."""
    recent = window.settings.values.recent
    for n in range(MOST_RECENT):
        action = window.actions_by_key[f"recent {n + 1}"]
        action.setVisible(n < len(recent))
        action.setEnabled(n < len(recent))
        if n < len(recent):
            text = text_shown(str(recent[n]), window.settings)
            short = text if len(text) <= _LONGEST_NAME else f"... {text[-_LONGEST_NAME:]}"
            action.setText(f"&{n + 1}  {action_text(short)}")
            action.setToolTip(text)
        else:
            action.setText("")
            action.setToolTip("")
    window.actions_by_key["clear_recent"].setEnabled(bool(recent))
