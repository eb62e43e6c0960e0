"""View state: layout, crosshair, window/level, overlay, slab and tool."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from psygnal import SignalGroupDescriptor

from liverseg_gui.core.display import DEFAULT_STYLES, LabelStyle
from liverseg_gui.core.geometry import Int3
from liverseg_gui.core.slabs import ONE_SLICE, Slab
from liverseg_gui.core.window_level import PRESETS, Window
from liverseg_gui.state.preferences import MouseProfile


class Tool(Enum):
    """What the left button does."""

    NAVIGATE = "Navigate"
    WINDOW = "Window/level"
    PROBE = "HU probe"
    RULER = "Ruler"
    CALIPER = "Two-axis caliper"
    ANGLE = "Angle"
    ELLIPSE = "Ellipse"
    POLYGON = "Polygon"
    ARROW = "Arrow"
    TEXT = "Text"

    @property
    def draws(self) -> bool:
        """Whether it puts something on the slice."""
        return self not in (Tool.NAVIGATE, Tool.WINDOW)


class Pane(Enum):
    """A part of the layout."""

    AXIAL = "Axial"
    CORONAL = "Coronal"
    SAGITTAL = "Sagittal"
    SURFACE = "3D"


class Layout(Enum):
    """How the panes are arranged."""

    SINGLE = "One pane"
    ONE_THREE = "One large, three small"
    TWO_BY_TWO = "Two by two"
    STRIP = "Axial with its neighbors"


@dataclass
class ViewState:
    """Shared by all views; assigning a field emits its signal of `events`.

    `active` is the pane keys act on; SINGLE shows it alone, and so does any layout while
    `maximized`. `linked` panes zoom and pan together. `styles` is replaced, never changed.
    `comparing` shows two masks as agreement and difference: of `compared_label`, or of both labels.
    `window_up` raises the center by dragging up instead of down.
    """

    events = SignalGroupDescriptor()

    crosshair_ijk: Int3 = (0, 0, 0)
    window: Window = PRESETS["Abdomen"]
    window_up: bool = False
    inverted: bool = False
    layout: Layout = Layout.ONE_THREE
    active: Pane = Pane.AXIAL
    maximized: bool = False
    linked: bool = False
    slab: Slab = ONE_SLICE
    crosshair_visible: bool = True
    overlay_visible: bool = True
    overlay_opacity: float = 0.4
    styles: dict[int, LabelStyle] = field(default_factory=lambda: dict(DEFAULT_STYLES))
    fill: bool = True
    contour: bool = True
    contour_px: float = 1.5
    voxel_edges: bool = False
    comparing: bool = False
    compared_label: int | None = None
    annotations_visible: bool = True
    tool: Tool = Tool.NAVIGATE
    tool_before: Tool = Tool.WINDOW
    mouse_profile: MouseProfile = MouseProfile.DEFAULT

    @property
    def dragging(self) -> Tool:
        """What the left button does now, the profile considered."""
        if self.mouse_profile is MouseProfile.PACS and not self.tool.draws:
            return Tool.WINDOW
        return self.tool

    def move_crosshair(self, ijk: Int3, shape: Int3) -> None:
        """Move the crosshair to `ijk`, kept inside a volume of `shape`."""
        i, j, k = (min(max(n, 0), size - 1) for n, size in zip(ijk, shape, strict=True))
        self.crosshair_ijk = (i, j, k)

    def drag_window(self, right_px: float, down_px: float) -> None:
        """Window/level by a drag: right is wider, down (or up) a higher center, 2 HU a pixel at
        400.

        The step grows with the width, so that narrow windows are set finely.
        """
        step = max(self.window.width, 40.0) / 200.0
        width = self.window.width + right_px * step
        rise = -down_px if self.window_up else down_px
        self.window = Window(width, self.window.center + rise * step).clamped()

    def change_opacity(self, step: float) -> None:
        """Raise or lower the overlay's opacity, within 0 to 1."""
        self.overlay_opacity = round(min(max(self.overlay_opacity + step, 0.0), 1.0), 2)

    def choose_tool(self, tool: Tool) -> None:
        """Take `tool`; `toggle_tool` goes back to the one before."""
        if tool is not self.tool:
            self.tool_before = self.tool
            self.tool = tool

    def toggle_tool(self) -> None:
        """Swap the last two tools."""
        self.choose_tool(self.tool_before)

    def maximize(self, pane: Pane) -> None:
        """Show `pane` alone, or all panes again."""
        self.active = pane
        self.maximized = not self.maximized
