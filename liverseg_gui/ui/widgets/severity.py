"""Marks for figures that cannot be trusted, and for the gravity of findings."""

from __future__ import annotations

from liverseg_gui.core.scan_issues import Severity
from liverseg_gui.core.volume import Volume
from liverseg_gui.ui.widgets.theme import Tone

WARNING_SIGN = "\N{WARNING SIGN}"
NOT_RELIABLE = f" {WARNING_SIGN} not reliable"
SHORT_MARK = f" {WARNING_SIGN}"

ICONS = {Severity.ERROR: "\N{CROSS MARK}", Severity.WARNING: WARNING_SIGN, Severity.INFO: "i"}
TONES: dict[Severity, Tone] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "info",
}
WORDS = {Severity.ERROR: "Error", Severity.WARNING: "Warning", Severity.INFO: "Note"}


def why_unreliable(volume: Volume | None) -> str:
    """Why no mm and ml measured on `volume` can be trusted, or nothing."""
    if volume is None:
        return ""
    return "\n".join(str(finding) for finding in volume.findings if finding.spoils_mm)
