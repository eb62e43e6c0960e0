"""Columns of the case table: cell texts and sort keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from liverseg_gui.core.labels import TUMOR
from liverseg_gui.core.scan_issues import ScanIssue, Severity
from liverseg_gui.io.dataset_names import natural
from liverseg_gui.state.corrected_studies import CorrectedStudy
from liverseg_gui.ui.training_window.data.scan_cases import ScannedCase
from liverseg_gui.ui.widgets.severity import ICONS, TONES
from liverseg_gui.ui.widgets.theme import Tone

if TYPE_CHECKING:
    from training.data.data_check import CaseStats

COLUMNS = (
    *("Case", "Patient", "Part", "Reviewed", "Slices", "Spacing", "Liver", "Tumor", "Problems"),
)
CASE, PATIENT, PART, REVIEWED, SLICES, SPACING, LIVER, TUMORS, PROBLEMS = range(len(COLUMNS))
TIPS = {
    CASE: "Checked cases are taken. Space checks or unchecks what is selected.",
    PATIENT: "All scans of a patient are on one side of the split",
    PART: "Held-out patients are never trained on: they show what the model has learned",
    REVIEWED: "When somebody marked the mask of a study corrected here as reviewed",
    LIVER: "Volume of the liver with its tumors",
    TUMORS: "Volume of all tumors, and how many there are",
}
_UNKNOWN = "unknown"


@dataclass(frozen=True)
class Cell:
    """A text, what it is sorted by, and its tone."""

    text: str
    key: tuple[object, ...] = ()
    tone: Tone | None = None
    tip: str = ""


def cells(case: ScannedCase, hidden_number: int | None = None) -> dict[int, Cell]:
    """The cells of a row, but for its part. Where patients are hidden, `hidden_number` stands in
    their place."""
    checked = case.seen.case
    name, patient = checked.name, checked.patient
    if hidden_number is not None:
        name, patient = f"Case {hidden_number}", "hidden"
    row = {CASE: Cell(name, natural(name)), PATIENT: Cell(patient, natural(patient))}
    row[PROBLEMS] = _problems(case.issues)
    if case.study is not None:
        row[REVIEWED] = _reviewed(case.study, case.why_not)
    if checked.figures is None:
        return row
    return row | _stats_cells(checked.figures)


def _reviewed(study: CorrectedStudy, why_not: str) -> Cell:
    made = f"Made by the model {study.model}" if study.model else "Opened from a file"
    if not study.reviewed:
        return Cell("unknown", ("",), "warning", why_not)
    text = "changed" if why_not else study.reviewed
    return Cell(text, (study.reviewed,), "warning" if why_not else None, why_not or made)


def _stats_cells(stats: CaseStats) -> dict[int, Cell]:
    n = stats.size[2]
    size = " x ".join(str(v) for v in stats.size)
    spacing = stats.spacing_mm
    spacing_text = " x ".join(f"{mm:.3g}" for mm in spacing) + " mm" if spacing else _UNKNOWN
    known = {
        SPACING: Cell(spacing_text, spacing[::-1] if spacing else (), None if spacing else "muted")
    }
    liver = _ml(stats.liver_ml) if any(stats.voxels[1:]) else "no liver"
    return {
        SLICES: Cell(str(n), (n,), tip=f"{size} voxels"),
        LIVER: Cell(liver, (stats.liver_ml or 0.0,)),
        TUMORS: _tumors(stats),
        **known,
    }


def _tumors(stats: CaseStats) -> Cell:
    if not stats.voxels[TUMOR]:
        return Cell("no tumor", (-1.0, 0), "muted")
    lesions = "1 lesion" if stats.lesions == 1 else f"{stats.lesions} lesions"
    volume = f"{_ml(stats.tumor_ml)}, " if stats.tumor_ml is not None else ""
    return Cell(f"{volume}{lesions}", (stats.tumor_ml or 0.0, stats.lesions))


def _ml(ml: float | None) -> str:
    if ml is None:
        return _UNKNOWN
    return f"{ml:.0f} ml" if ml >= 100 else f"{ml:.1f} ml"


def _problems(issues: tuple[ScanIssue, ...]) -> Cell:
    """The gravest as text; all of them in the tool tip."""
    if not issues:
        return Cell("", (0, 0))
    gravest = issues[0]
    more = f" (and {len(issues) - 1} more)" if len(issues) > 1 else ""
    key = (1 + list(Severity).index(gravest.severity), len(issues))
    text = f"{ICONS[gravest.severity]} {gravest.message}{more}"
    return Cell(text, key, TONES[gravest.severity], "\n".join(str(f) for f in issues))
