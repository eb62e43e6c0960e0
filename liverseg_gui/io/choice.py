"""Which of several volumes is the likeliest abdominal CT."""

from __future__ import annotations

import re
from collections.abc import Sequence

from liverseg_gui.core.scan_issues import Severity
from liverseg_gui.io.entries import Role, VolumeEntry

_LIVER = re.compile(r"liver|hepat|abd|leber|foie|ventre|\bap\b|tap\b|portal|venous", re.IGNORECASE)
_ELSEWHERE = re.compile(
    r"lung|chest|thorax|head|brain|neck|bone|spine|knee|hip|sinus", re.IGNORECASE
)
_COVERAGE_MM = (150.0, 700.0)
_THIN_MM = (0.8, 5.0)


def likeliest(entries: Sequence[VolumeEntry]) -> int | None:
    """The index of the volume a liver reader most likely wants; None where none can be opened.

    Of equals the first wins.
    """
    offered = [n for n, e in enumerate(entries) if e.about.role is Role.VOLUME and not e.problem]
    if not offered:
        return None
    return max(offered, key=lambda n: (_score(entries[n]), -n))


def _score(entry: VolumeEntry) -> float:
    words = f"{entry.description} {entry.about.study}"
    score = 8.0 if entry.modality == "CT" else 0.0
    score += 2.0 * bool(_LIVER.search(words)) - 3.0 * bool(_ELSEWHERE.search(entry.description))
    score += {"portal venous": 2.0, "delayed": 0.5, "unenhanced": -1.0}.get(entry.about.phase, 0.0)
    distance = entry.spacing_mm[2] if entry.spacing_mm else None
    if distance is None:
        distance = entry.about.thickness_mm or 0.0
    covered = distance * entry.size[2]
    score += 3.0 * (_COVERAGE_MM[0] <= covered <= _COVERAGE_MM[1])
    score += 1.0 * (_THIN_MM[0] <= distance <= _THIN_MM[1])
    score -= 2.0 * (entry.size[2] < 8)
    return score - 0.5 * sum(f.severity is Severity.WARNING for f in entry.findings)
