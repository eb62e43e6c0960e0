"""Contrast phase of a series, by its description and contrast agent."""

from __future__ import annotations

import re

from liverseg_gui.core.scan_checks import PHASE_UNKNOWN
from liverseg_gui.core.scan_issues import Concern, ScanIssue, warning

UNENHANCED, ARTERIAL, PORTAL, DELAYED, ENHANCED = (
    "unenhanced",
    "arterial",
    "portal venous",
    "delayed",
    "enhanced",
)
_PATTERNS = (
    (
        UNENHANCED,
        r"non[- _]?(con|enh)|without|w/o|\bwo\b|unenh|\bnativ|\bplain\b|pre[- _]?con|\bnc\b",
    ),
    (ARTERIAL, r"arter|\bart\b|\bhap\b"),
    (PORTAL, r"portal|venous|\bpvp?\b|\bpven"),
    (DELAYED, r"delay|equilib|\blate\b"),
)
_NO_AGENT = ("", "no", "none", "n/a", "na", "null", "without")


def contrast_phase(description: str, agent: str) -> str:
    """The phase by the series `description`; "enhanced" where only the contrast agent is known.

    Empty where nothing is known, or the description names several phases.
    """
    text = description.lower()
    named = [phase for phase, pattern in _PATTERNS if re.search(pattern, text)]
    if len(named) == 1:
        return named[0]
    if not named and agent.strip().lower() not in _NO_AGENT:
        return ENHANCED
    return ""


def phase_issues(phase: str) -> list[ScanIssue]:
    """What the model makes of a scan in `phase` that a reader should know."""
    if phase == UNENHANCED:
        return [
            warning(
                "unenhanced",
                "The scan is unenhanced by its description.",
                "Expect missed tumors: the model has seen mostly portal venous scans.",
                Concern.MODEL,
            )
        ]
    if phase == ENHANCED:
        return [
            warning(
                "phase-unknown",
                "The scan is enhanced, but the file does not say in which phase.",
                "Check the phase: the model has seen mostly portal venous scans.",
                Concern.MODEL,
            )
        ]
    return [] if phase else [PHASE_UNKNOWN]
