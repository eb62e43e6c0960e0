"""Readings in words: their figures, where they lie, and how each tool is used."""

from __future__ import annotations

from liverseg_gui.core.annotation_measures import AnnotationMeasures
from liverseg_gui.core.annotations import Annotation, AnnotationKind
from liverseg_gui.state.view import Tool
from liverseg_gui.ui.widgets.severity import SHORT_MARK

KINDS: dict[Tool, AnnotationKind] = {Tool[kind.name]: kind for kind in AnnotationKind}
"""What each drawing tool draws."""

HINTS: dict[Tool, str] = {
    Tool.PROBE: "click a voxel",
    Tool.RULER: "drag from end to end, or click both ends",
    Tool.CALIPER: "drag the long axis, then drag the short one or click where it ends",
    Tool.ANGLE: "click an end, the vertex and the other end",
    Tool.ELLIPSE: "drag from corner to corner",
    Tool.POLYGON: "click its corners; double click, Enter or the first corner closes it",
    Tool.ARROW: "drag from the tip to the tail",
    Tool.TEXT: "click, type and press Enter",
}

EMPTY = (
    "No readings yet. Choose a tool (L ruler, K caliper, G angle, O ellipse, P polygon, H HU "
    "probe, Y arrow, T text) and draw on a slice; N goes back to navigating, where a reading is "
    "moved by its line or its handles."
)


def hint(tool: Tool) -> str:
    """How a drawing tool is used."""
    return f"{tool.value}: {HINTS[tool]}. Esc gives up, N goes back to navigating."


def place(annotation: Annotation) -> str:
    """Plane and number of the slice, from 1 as everywhere on screen."""
    return f"{annotation.plane.title} {annotation.index + 1}"


def short_place(annotation: Annotation) -> str:
    """The same in a narrow column: "Ax 25"."""
    return f"{annotation.plane.title[:2]} {annotation.index + 1}"


def short_figures(figures: AnnotationMeasures) -> tuple[str, ...]:
    """The figures in a narrow column."""
    if figures.mean_hu is None:
        return figure_lines(figures)
    mark = "" if figures.mm_reliable else SHORT_MARK
    return (
        f"{figures.mean_hu:.1f} \N{PLUS-MINUS SIGN} {figures.sd_hu:.1f} HU",
        f"{figures.min_hu} to {figures.max_hu} HU",
        *_size_lines(figures, mark),
    )


def figure_lines(figures: AnnotationMeasures, slab: bool = False) -> tuple[str, ...]:
    """The figures beside a reading, a line each; `slab`: more is shown than what is measured."""
    mark = "" if figures.mm_reliable else SHORT_MARK
    lines = [*_size_lines(figures, mark), *_hu_lines(figures, " in this slice" if slab else "")]
    return (*lines, figures.note) if figures.note else tuple(lines)


def _size_lines(figures: AnnotationMeasures, mark: str) -> list[str]:
    lines = []
    if figures.length_mm is not None:
        lines.append(f"{figures.length_mm:.1f} mm{mark}")
    if figures.longest_mm is not None:
        lines.append(f"{figures.longest_mm:.1f} x {figures.perpendicular_mm:.1f} mm{mark}")
    if figures.angle_deg is not None:
        lines.append(f"{figures.angle_deg:.1f}\N{DEGREE SIGN}{mark}")
    if figures.area_mm2 is not None:
        lines.append(f"{figures.area_mm2:,.1f} mm\N{SUPERSCRIPT TWO}{mark}")
    return lines


def _hu_lines(figures: AnnotationMeasures, of: str) -> list[str]:
    if figures.hu is not None:
        return [f"{figures.hu} HU{of}"]
    if figures.mean_hu is None:
        return []
    return [
        f"Mean {figures.mean_hu:.1f}  SD {figures.sd_hu:.1f} HU{of}",
        f"Min {figures.min_hu}  Max {figures.max_hu} HU",
    ]
