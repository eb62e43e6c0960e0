"""How the study is looked at: crosshair, window/level, overlay and tool."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from psygnal import SignalGroupDescriptor

from liverseg_gui.core.display import PRESETS, Window
from liverseg_gui.core.geometry import Int3


class Tool(Enum):
    """What dragging with the left button does."""

    NAVIGATE = "Navigate"
    WINDOW = "Window/level"


class MouseProfile(Enum):
    """DEFAULT drags with the chosen tool; PACS always changes window/level."""

    DEFAULT = "Default"
    PACS = "PACS"


@dataclass
class ViewState:
    """Shared by all views; assigning a field tells those that listen to `events`."""

    events = SignalGroupDescriptor()

    crosshair_ijk: Int3 = (0, 0, 0)
    window: Window = PRESETS["Abdomen"]
    inverted: bool = False
    crosshair_visible: bool = True
    overlay_visible: bool = True
    overlay_opacity: float = 0.4
    tool: Tool = Tool.NAVIGATE
    mouse_profile: MouseProfile = MouseProfile.DEFAULT

    @property
    def dragging(self) -> Tool:
        """What the left button does now, the profile considered."""
        return Tool.WINDOW if self.mouse_profile is MouseProfile.PACS else self.tool

    def move_crosshair(self, ijk: Int3, shape: Int3) -> None:
        """Move the crosshair to `ijk`, kept inside a volume of `shape`."""
        i, j, k = (min(max(n, 0), size - 1) for n, size in zip(ijk, shape, strict=True))
        self.crosshair_ijk = (i, j, k)

    def drag_window(self, right_px: float, down_px: float) -> None:
        """Window/level by a drag: right is wider, down is a higher center, 2 HU a pixel at 400.

        The step grows with the width, so that narrow windows are set finely.
        """
        step = max(self.window.width, 40.0) / 200.0
        width = self.window.width + right_px * step
        self.window = Window(width, self.window.center + down_px * step).clamped()

    def change_opacity(self, step: float) -> None:
        """Raise or lower the overlay's opacity, within 0 to 1."""
        self.overlay_opacity = round(min(max(self.overlay_opacity + step, 0.0), 1.0), 2)

    def toggle_tool(self) -> None:
        """Swap the two tools."""
        self.tool = Tool.WINDOW if self.tool is Tool.NAVIGATE else Tool.NAVIGATE
