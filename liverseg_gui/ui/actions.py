"""Every command of the window in one table: menus, tool bar and shortcuts are made from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtGui import QAction, QIcon, QKeySequence
from PySide6.QtWidgets import QMainWindow

from liverseg_gui.core import resources
from liverseg_gui.core.display import PRESETS


@dataclass(frozen=True)
class ActionRow:
    """A command: its key in the handlers, menu, text, shortcuts, and how it shows."""

    key: str
    menu: str
    text: str
    shortcuts: tuple[str, ...] = ()
    icon: str = ""
    checkable: bool = False
    needs_scan: bool = True


ROWS: tuple[ActionRow, ...] = (
    ActionRow("open_file", "&File", "Open scan ...", ("Ctrl+O",), "open", needs_scan=False),
    ActionRow("open_folder", "&File", "Open DICOM folder ...", ("Ctrl+Shift+O",), needs_scan=False),
    ActionRow("open_mask", "&File", "Open mask ...", ("Ctrl+M",)),
    ActionRow("save_mask", "&File", "Save mask ...", ("Ctrl+S",), "save"),
    ActionRow("save_report", "&File", "Save report ...", ("Ctrl+R",), "report"),
    ActionRow("quit", "&File", "Quit", ("Ctrl+Q",), needs_scan=False),
    ActionRow("segment", "&Segmentation", "Segment", ("F5",), "segment"),
    ActionRow("cancel", "&Segmentation", "Cancel", ("Esc",), needs_scan=False),
    ActionRow("overlay", "&Segmentation", "Show overlay", ("S",), checkable=True),
    ActionRow("opacity_down", "&Segmentation", "Overlay opacity down", ("A",)),
    ActionRow("opacity_up", "&Segmentation", "Overlay opacity up", ("D",)),
    ActionRow("navigate", "&View", "Navigate", ("N",), "navigate", checkable=True),
    ActionRow("window_tool", "&View", "Window/level", ("W",), "window", checkable=True),
    ActionRow("swap_tools", "&View", "Swap tools", ("Space",)),
    ActionRow("pacs", "&View", "PACS mouse profile", (), checkable=True, needs_scan=False),
    ActionRow("crosshair", "&View", "Crosshair", ("X",), checkable=True),
    ActionRow("center", "&View", "Center on crosshair", ("C",)),
    ActionRow("reset", "&View", "Reset views", ("R",), "reset"),
    ActionRow("invert", "&View", "Invert", ("I",), checkable=True),
    ActionRow("next_slice", "&View", "Next slice up", ("Up",)),
    ActionRow("previous_slice", "&View", "Next slice down", ("Down",)),
    ActionRow("up_ten", "&View", "Ten slices up", ("PgUp",)),
    ActionRow("down_ten", "&View", "Ten slices down", ("PgDown",)),
    ActionRow("first_slice", "&View", "First slice", ("Home",)),
    ActionRow("last_slice", "&View", "Last slice", ("End",)),
    *(
        ActionRow(f"preset {name}", "&Window", f"{name}  {w.width:g} / {w.center:g}", (str(n),))
        for n, (name, w) in enumerate(PRESETS.items(), 1)
    ),
    ActionRow("auto_window", "&Window", "Auto", ("0",)),
    ActionRow("about", "&Help", "About LiverSeg", (), needs_scan=False),
)


def make_actions(
    window: QMainWindow, handlers: Mapping[str, Callable[..., object]]
) -> dict[str, QAction]:
    """Make the actions of `ROWS` on `window`, with its menus and tool bar.

    Raises:
        KeyError: a row has no handler.
    """
    actions = {}
    menus = {}
    bar = window.addToolBar("Main")
    bar.setObjectName("main tool bar")
    bar.setMovable(False)
    for row in ROWS:
        action = QAction(row.text, window)
        action.setShortcuts([QKeySequence(s) for s in row.shortcuts])
        action.setCheckable(row.checkable)
        handler = handlers[row.key]
        if row.checkable:
            action.toggled.connect(handler)
        else:
            action.triggered.connect(lambda _=False, call=handler: call())
        if row.menu not in menus:
            menus[row.menu] = window.menuBar().addMenu(row.menu)
        menus[row.menu].addAction(action)
        if row.icon:
            action.setIcon(QIcon(str(resources.path(f"icons/{row.icon}.svg"))))
            keys = f"  ({row.shortcuts[0]})" if row.shortcuts else ""
            action.setToolTip(row.text.removesuffix(" ...") + keys)
            bar.addAction(action)
        actions[row.key] = action
    return actions
