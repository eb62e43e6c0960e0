"""What the table of cases says of each: short texts, and keys to sort by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from liverseg_gui.core.labels import TUMOR
from liverseg_gui.core.scan_issues import ScanIssue, Severity
from liverseg_gui.io.dataset_names import natural
from liverseg_gui.ui.training_window.data.scan_cases import ScannedCase
from liverseg_gui.ui.widgets.severity import ICONS, TONES
from liverseg_gui.ui.widgets.theme import Tone

if TYPE_CHECKING:
    from training.data.data_check import CaseStats

COLUMNS = ("Case", "Patient", "Part", "Slices", "Spacing", "Liver", "Tumor", "Problems")
CASE, PATIENT, PART, SLICES, SPACING, LIVER, TUMORS, PROBLEMS = range(len(COLUMNS))
TIPS = {
    CASE: "Checked cases are taken. Space checks or unchecks what is selected.",
    PATIENT: "All scans of a patient are on one side of the split",
    PART: "Held-out patients are never trained on: they show what the model has learned",
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
    row[PROBLEMS] = _problems(checked.issues)
    if checked.figures is None:
        return row
    return row | _figures(checked.figures)


def _figures(figures: CaseStats) -> dict[int, Cell]:
    n = figures.size[2]
    size = " x ".join(str(v) for v in figures.size)
    spacing = figures.spacing_mm
    words = " x ".join(f"{mm:.3g}" for mm in spacing) + " mm" if spacing else _UNKNOWN
    known = {SPACING: Cell(words, spacing[::-1] if spacing else (), None if spacing else "muted")}
    liver = _ml(figures.liver_ml) if any(figures.voxels[1:]) else "no liver"
    return {
        SLICES: Cell(str(n), (n,), tip=f"{size} voxels"),
        LIVER: Cell(liver, (figures.liver_ml or 0.0,)),
        TUMORS: _tumors(figures),
        **known,
    }


def _tumors(figures: CaseStats) -> Cell:
    if not figures.voxels[TUMOR]:
        return Cell("no tumor", (-1.0, 0), "muted")
    lesions = "1 lesion" if figures.lesions == 1 else f"{figures.lesions} lesions"
    volume = f"{_ml(figures.tumor_ml)}, " if figures.tumor_ml is not None else ""
    return Cell(f"{volume}{lesions}", (figures.tumor_ml or 0.0, figures.lesions))


def _ml(ml: float | None) -> str:
    if ml is None:
        return _UNKNOWN
    return f"{ml:.0f} ml" if ml >= 100 else f"{ml:.1f} ml"


def _problems(issues: tuple[ScanIssue, ...]) -> Cell:
    """The gravest in words; all of them in the tool tip."""
    if not issues:
        return Cell("", (0, 0))
    gravest = issues[0]
    more = f" (and {len(issues) - 1} more)" if len(issues) > 1 else ""
    key = (1 + list(Severity).index(gravest.severity), len(issues))
    text = f"{ICONS[gravest.severity]} {gravest.message}{more}"
    return Cell(text, key, TONES[gravest.severity], "\n".join(str(f) for f in issues))
