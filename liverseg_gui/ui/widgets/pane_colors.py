"""The colors on the panes, which are black in every theme."""

from __future__ import annotations

from liverseg_gui.core.planes import Plane

PLANE_COLORS = {Plane.AXIAL: "#ff6b6b", Plane.CORONAL: "#7bd88f", Plane.SAGITTAL: "#f2c94c"}
READING, READING_CHOSEN = "#6fd3ff", "#fff27a"
PANE_BACKGROUND, PANE_TEXT, PANE_LETTERS = "#000000", "#c8c8c8", "#ffdc78"
