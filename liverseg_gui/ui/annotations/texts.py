"""Texts of annotations: what they measure, where they lie, and how each tool is used."""

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


def long_place(annotation: Annotation) -> str:
    """The same within a sentence: "axial slice 25"."""
    return f"{annotation.plane.title.lower()} slice {annotation.index + 1}"


def full_name(annotation: Annotation, measures: AnnotationMeasures | None) -> str:
    """What tells an annotation from the others: "Ruler 23.1 mm on axial slice 25"."""
    lines = measure_lines(measures) if measures is not None else ()
    said = (annotation.title, annotation.text, *lines[:1])
    return f"{' '.join(text for text in said if text)} on {long_place(annotation)}"


def short_place(annotation: Annotation) -> str:
    """The same in a narrow column: "Ax 25"."""
    return f"{annotation.plane.title[:2]} {annotation.index + 1}"


def short_measures(measures: AnnotationMeasures) -> tuple[str, ...]:
    """The figures in a narrow column."""
    if measures.mean_hu is None:
        return measure_lines(measures)
    mark = "" if measures.mm_reliable else SHORT_MARK
    return (
        f"{measures.mean_hu:.1f} \N{PLUS-MINUS SIGN} {measures.sd_hu:.1f} HU",
        f"{measures.min_hu} to {measures.max_hu} HU",
        *_size_lines(measures, mark),
    )


def measure_lines(measures: AnnotationMeasures, slab: bool = False) -> tuple[str, ...]:
    """The figures beside a reading, a line each; `slab`: more is shown than what is measured."""
    mark = "" if measures.mm_reliable else SHORT_MARK
    lines = [*_size_lines(measures, mark), *_hu_lines(measures, " in this slice" if slab else "")]
    return (*lines, measures.note) if measures.note else tuple(lines)


def _size_lines(measures: AnnotationMeasures, mark: str) -> list[str]:
    lines = []
    if measures.length_mm is not None:
        lines.append(f"{measures.length_mm:.1f} mm{mark}")
    if measures.longest_mm is not None:
        lines.append(f"{measures.longest_mm:.1f} x {measures.perpendicular_mm:.1f} mm{mark}")
    if measures.angle_deg is not None:
        lines.append(f"{measures.angle_deg:.1f}\N{DEGREE SIGN}{mark}")
    if measures.area_mm2 is not None:
        lines.append(f"{measures.area_mm2:,.1f} mm\N{SUPERSCRIPT TWO}{mark}")
    return lines


def _hu_lines(measures: AnnotationMeasures, of: str) -> list[str]:
    if measures.hu is not None:
        return [f"{measures.hu} HU{of}"]
    if measures.mean_hu is None:
        return []
    return [
        f"Mean {measures.mean_hu:.1f}  SD {measures.sd_hu:.1f} HU{of}",
        f"Min {measures.min_hu}  Max {measures.max_hu} HU",
    ]
