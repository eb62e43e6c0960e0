"""Table of all commands of the window: menus, tool bar and shortcuts are made from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from liverseg_gui.core.slabs import SlabMode
from liverseg_gui.core.window_level import PRESETS
from liverseg_gui.state.preferences import QUALITIES
from liverseg_gui.state.settings_values import MOST_RECENT
from liverseg_gui.state.user_presets import MOST_USER_PRESETS
from liverseg_gui.ui.widgets.icons import icon
from liverseg_gui.ui.widgets.mnemonics import plain, with_mnemonic


@dataclass(frozen=True)
class ActionRow:
    """A command: its key in the handlers, menu, text, shortcuts, and how it shows.

    `gap` starts a new group of its menu; `submenu` names the menu within `menu` it stands in.
    """

    key: str
    menu: str
    text: str
    shortcuts: tuple[str, ...] = ()
    icon: str = ""
    checkable: bool = False
    needs_scan: bool = True
    submenu: str = ""
    gap: bool = False


_RECENT, _SLAB, _CINE = "Open recent", "Slab", "Cine"
_MOVE, _SLICES, _QUALITY = "Move crosshair", "Go to slice", "Quality"
PANELS_MENU = "Panels"
ROWS: tuple[ActionRow, ...] = (
    ActionRow("open_file", "&File", "Open scan ...", ("Ctrl+O",), "open", needs_scan=False),
    ActionRow("open_folder", "&File", "Open folder ...", ("Ctrl+Shift+O",), needs_scan=False),
    *(
        ActionRow(
            f"recent {n}",
            "&File",
            f"Recent {n}",
            (f"Ctrl+{n}",) if n <= 5 else (),
            needs_scan=False,
            submenu=_RECENT,
        )
        for n in range(1, MOST_RECENT + 1)
    ),
    ActionRow("clear_recent", "&File", "Clear recent", needs_scan=False, submenu=_RECENT, gap=True),
    ActionRow(
        "reopen_last", "&File", "Reopen last study at start", checkable=True, needs_scan=False
    ),
    ActionRow("state_geometry", "&File", "Set spacing and orientation ...", gap=True),
    ActionRow("open_mask", "&File", "Open mask ...", ("Ctrl+M",)),
    ActionRow("save_mask", "&File", "Save mask ...", ("Ctrl+S",), "save"),
    ActionRow("save_slices", "&File", "Save mask slice by slice ..."),
    ActionRow("save_report", "&File", "Save report ...", ("Ctrl+R",), "report"),
    ActionRow("copy_pane", "&File", "Copy pane", ("Ctrl+C",), gap=True),
    ActionRow("copy_layout", "&File", "Copy all panes", ("Ctrl+Shift+C",)),
    ActionRow("save_picture", "&File", "Save picture ...", ("Ctrl+P",)),
    ActionRow("export", "&File", "Export anonymized NIfTI ..."),
    ActionRow("forget_labels", "&File", "Forget what mask labels mean", needs_scan=False, gap=True),
    ActionRow("clear_traces", "&File", "Clear caches and recent files", needs_scan=False),
    ActionRow("preferences", "&File", "Preferences ...", ("Ctrl+,",), needs_scan=False, gap=True),
    ActionRow("quit", "&File", "Quit", ("Ctrl+Q",), needs_scan=False, gap=True),
    ActionRow("segment", "&Segmentation", "Segment", ("F5",), "segment"),
    *(
        ActionRow(
            f"quality {quality}",
            "&Segmentation",
            quality.title(),
            checkable=True,
            needs_scan=False,
            submenu=_QUALITY,
        )
        for quality in QUALITIES
    ),
    ActionRow("cancel", "&Segmentation", "Cancel", ("Esc",), needs_scan=False),
    ActionRow("overlay", "&Segmentation", "Show overlay", ("S",), checkable=True),
    ActionRow("opacity_down", "&Segmentation", "Overlay opacity down", ("A",)),
    ActionRow("opacity_up", "&Segmentation", "Overlay opacity up", ("D",)),
    ActionRow("flicker", "&Segmentation", "Flicker overlay", ("F",), checkable=True),
    ActionRow("reviewed", "&Segmentation", "Mark as reviewed", checkable=True, gap=True),
    ActionRow("compare_file", "&Segmentation", "Compare with mask ...", gap=True),
    ActionRow("compare_model", "&Segmentation", "Compare with the model's mask"),
    ActionRow("compare_before", "&Segmentation", "Compare with the mask before"),
    ActionRow("stop_comparing", "&Segmentation", "Stop comparing"),
    ActionRow("models", "&Segmentation", "Models ...", needs_scan=False, gap=True),
    ActionRow("train", "&Segmentation", "Train a model ...", needs_scan=False),
    ActionRow("navigate", "&View", "Navigate", ("N",), "navigate", checkable=True),
    ActionRow("window_tool", "&View", "Window/level", ("W",), "window", checkable=True),
    ActionRow("swap_tools", "&View", "Swap tools", ("Space",)),
    ActionRow("pacs", "&View", "PACS mouse profile", (), checkable=True, needs_scan=False),
    ActionRow(
        "hide_patient", "&View", "Hide patient", ("Ctrl+H",), checkable=True, needs_scan=False
    ),
    ActionRow(
        "layout single", "&View", "One pane", ("F2",), "layout-single", checkable=True, gap=True
    ),
    ActionRow("layout one_three", "&View", "One and three", ("F3",), "layout-one-three", True),
    ActionRow("layout two_by_two", "&View", "Two by two", ("F4",), "layout-two-by-two", True),
    ActionRow("layout strip", "&View", "Axial strip", ("F6",), "layout-strip", True),
    ActionRow("maximize", "&View", "Maximize pane", ("F7",), checkable=True),
    ActionRow("next_pane", "&View", "Next pane", ("Ctrl+Tab",)),
    ActionRow("previous_pane", "&View", "Previous pane", ("Ctrl+Shift+Tab",)),
    ActionRow("crosshair", "&View", "Crosshair", ("X",), checkable=True, gap=True),
    ActionRow("center", "&View", "Center on crosshair", ("C",)),
    ActionRow("reset", "&View", "Reset views", ("R",), "reset"),
    ActionRow("linked", "&View", "Link zoom and pan", ("Z",), checkable=True),
    *(
        ActionRow(f"slab {mode.name.lower()}", "&View", mode.value, checkable=True, submenu=_SLAB)
        for mode in SlabMode
    ),
    ActionRow("next_slab", "&View", "Next kind of slab", ("M",), submenu=_SLAB, gap=True),
    ActionRow("thicker", "&View", "Thicker", ("+",), submenu=_SLAB),
    ActionRow("thinner", "&View", "Thinner", ("-",), submenu=_SLAB),
    ActionRow("cine", "&View", "Play", ("V",), checkable=True, submenu=_CINE),
    ActionRow("cine_faster", "&View", "Faster", (".",), submenu=_CINE),
    ActionRow("cine_slower", "&View", "Slower", (",",), submenu=_CINE),
    *(
        ActionRow(f"crosshair {way}", "&View", text, (f"Shift+{way.title()}",), submenu=_MOVE)
        for way, text in (("left", "Left"), ("right", "Right"), ("up", "Up"), ("down", "Down"))
    ),
    ActionRow("invert", "&View", "Invert", ("I",), checkable=True),
    ActionRow("next_slice", "&View", "Next slice up", ("Up",), submenu=_SLICES),
    ActionRow("previous_slice", "&View", "Next slice down", ("Down",), submenu=_SLICES),
    ActionRow("up_ten", "&View", "Ten slices up", ("PgUp",), submenu=_SLICES),
    ActionRow("down_ten", "&View", "Ten slices down", ("PgDown",), submenu=_SLICES),
    ActionRow("first_slice", "&View", "First slice", ("Home",), submenu=_SLICES),
    ActionRow("last_slice", "&View", "Last slice", ("End",), submenu=_SLICES),
    ActionRow("full_screen", "&View", "Full screen", ("F11",), "", True, False, gap=True),
    ActionRow("reset_panels", "&View", "Reset panels", needs_scan=False, submenu=PANELS_MENU),
    *(
        ActionRow(f"tool {kind}", "&Readings", text, (key,), kind, checkable=True)
        for kind, text, key in (
            ("probe", "HU probe", "H"),
            ("ruler", "Ruler", "L"),
            ("caliper", "Two-axis caliper", "K"),
            ("angle", "Angle", "G"),
            ("ellipse", "Ellipse", "O"),
            ("polygon", "Polygon", "P"),
            ("arrow", "Arrow", "Y"),
            ("text", "Text", "T"),
        )
    ),
    ActionRow("close_polygon", "&Readings", "Close polygon", ("Return", "Enter")),
    ActionRow("undo", "&Readings", "&Undo", ("Ctrl+Z",), gap=True),
    ActionRow("redo", "&Readings", "&Redo", ("Ctrl+Shift+Z", "Ctrl+Y")),
    ActionRow("delete_reading", "&Readings", "Delete reading", ("Del",), gap=True),
    ActionRow("delete_readings", "&Readings", "Delete all readings"),
    ActionRow("show_readings", "&Readings", "Show readings", checkable=True, gap=True),
    *(
        ActionRow(f"preset {name}", "&Window", f"{name}  {w.width:g} / {w.center:g}", (str(n),))
        for n, (name, w) in enumerate(PRESETS.items(), 1)
    ),
    ActionRow("file_window", "&Window", "&File", ("7",)),
    *(
        ActionRow(f"user preset {n}", "&Window", f"Your preset &{n}", gap=n == 1)
        for n in range(1, MOST_USER_PRESETS + 1)
    ),
    ActionRow("auto_window", "&Window", "Auto", ("0",), gap=True),
    ActionRow("region_window", "&Window", "From the region under the cursor", ("U",)),
    ActionRow("reset_window", "&Window", "Reset window"),
    ActionRow("save_preset", "&Window", "Save as preset ...", gap=True),
    ActionRow("rename_preset", "&Window", "Rename preset ..."),
    ActionRow("delete_preset", "&Window", "Delete preset ..."),
    ActionRow("user_guide", "&Help", "User guide", needs_scan=False),
    ActionRow("shortcuts", "&Help", "Keys and mouse ...", ("F1",), needs_scan=False),
    ActionRow("gestures", "&Help", "First gestures", needs_scan=False),
    ActionRow("log_folder", "&Help", "Show log folder", needs_scan=False, gap=True),
    ActionRow("about", "&Help", "About LiverSeg", needs_scan=False),
)


def make_actions(
    window: QMainWindow, handlers: Mapping[str, Callable[..., object]]
) -> dict[str, QAction]:
    """Make the actions of `ROWS` on `window`, with its menus and tool bar.

    Raises:
        KeyError: a row has no handler.
    """
    actions = {}
    menus: dict[str, QMenu] = {}
    letters: dict[QMenu, set[str]] = {}
    bar = window.addToolBar("Main")
    bar.setObjectName("main tool bar")
    bar.setMovable(False)
    for row in ROWS:
        menu = _menu(window, menus, letters, row)
        action = QAction(with_mnemonic(row.text, letters.setdefault(menu, set())), window)
        action.setShortcuts([QKeySequence(s) for s in row.shortcuts])
        action.setCheckable(row.checkable)
        handler = handlers[row.key]
        if row.checkable:
            action.toggled.connect(handler)
        else:
            action.triggered.connect(lambda _=False, call=handler: call())
        if row.gap:
            menu.addSeparator()
        menu.addAction(action)
        if row.icon:
            action.setIcon(icon(row.icon))
            action.setToolTip(tool_tip(row))
            bar.addAction(action)
        actions[row.key] = action
    return actions


def tool_tip(row: ActionRow) -> str:
    """What a command's button says: its text and its key."""
    keys = f"  ({row.shortcuts[0]})" if row.shortcuts else ""
    return row.text.removesuffix(" ...") + keys


def menu_named(window: QMainWindow, title: str) -> QMenu:
    """The menu or submenu called `title`.

    Raises:
        StopIteration: there is none.
    """
    return next(menu for menu in window.findChildren(QMenu) if plain(menu.title()) == title)


def _menu(
    window: QMainWindow, menus: dict[str, QMenu], letters: dict[QMenu, set[str]], row: ActionRow
) -> QMenu:
    """The menu a row stands in, made where it is the first."""
    if row.menu not in menus:
        menus[row.menu] = window.menuBar().addMenu(row.menu)
        menus[row.menu].setToolTipsVisible(True)
    if not row.submenu:
        return menus[row.menu]
    key = f"{row.menu}/{row.submenu}"
    if key not in menus:
        outer = menus[row.menu]
        title = with_mnemonic(row.submenu, letters.setdefault(outer, set()))
        menus[key] = outer.addMenu(title)
    return menus[key]
