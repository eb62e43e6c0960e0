"""Facts of a scan, open or only listed, as rows of a card."""

from __future__ import annotations

from dataclasses import dataclass

from liverseg_gui.core.scan_issues import Concern, ScanIssue, by_severity, warning
from liverseg_gui.core.volume import Volume
from liverseg_gui.ui.widgets.severity import SHORT_MARK

_UNKNOWN = "not stated"


@dataclass(frozen=True)
class ScanFacts:
    """Rows of a name and a value, and the findings, the gravest first."""

    rows: tuple[tuple[str, str], ...]
    issues: tuple[ScanIssue, ...]


def volume_facts(volume: Volume, phase: str = "") -> ScanFacts:
    """The facts of an open scan. Sizes are in stored order, as other programs show them."""
    i_mm, j_mm, k_mm = volume.grid.affine.spacing_mm
    modality = volume.origin.modality_text
    return scan_facts(
        volume.grid.shape,
        (i_mm, j_mm, k_mm),
        volume.origin.slice_thickness_mm,
        (modality, phase),
        volume.issues,
    )


def no_segmentation(modality: str) -> str:
    """Why a scan of this modality cannot be segmented, or nothing."""
    if modality.split(" ")[0] == "CT":
        return ""
    return f"Segmentation is off: this scan is {modality}, and the model knows only CT."


def why_not_segmented(volume: Volume) -> str:
    """Why `volume` cannot be segmented, or nothing."""
    if volume.no_hu is not None:
        return f"Segmentation is off. {volume.no_hu.message}"
    return no_segmentation(volume.origin.modality)


def scan_facts(
    size: tuple[int, int, int],
    spacing_mm: tuple[float, float, float | None] | None,
    thickness_mm: float | None,
    kind: tuple[str, str],
    issues: tuple[ScanIssue, ...],
) -> ScanFacts:
    """The facts of a scan of `size` in stored order; `kind` is its modality and its phase."""
    modality, phase = kind
    mark = SHORT_MARK if any(f.spoils_mm for f in issues) else ""
    spacing = _UNKNOWN
    if spacing_mm:
        steps = ("uneven" if mm is None else f"{mm:.3g}" for mm in spacing_mm)
        spacing = f"{' x '.join(steps)} mm{mark}"
    rows = (
        ("Size", " x ".join(str(n) for n in size)),
        ("Spacing", spacing),
        ("Slice thickness", f"{thickness_mm:.3g} mm" if thickness_mm else _UNKNOWN),
        ("Modality", modality),
        *((("Phase", phase),) if phase else ()),
    )
    reason = no_segmentation(modality)
    if reason and not any(f.code.startswith("modality") for f in issues):
        issues = (*issues, warning("not-ct", reason, "It can be looked at.", Concern.MODEL))
    return ScanFacts(rows, by_severity(issues))
