"""A case of a cohort and its result, as values that travel between computers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

ALREADY = "already done"


class Status(StrEnum):
    """What became of a case. NO_LIVER is done, too: the mask is empty, and nothing is measured."""

    DONE = "done"
    NO_LIVER = "no liver"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class CohortCase:
    """One CT volume to segment.

    `number` counts it in the cohort's input, as `liverseg info` does; `fingerprint` is that of
    its files when they were listed.
    """

    name: str
    path: Path
    number: int | None
    fingerprint: str


@dataclass(frozen=True)
class CaseResult:
    """What became of one volume or file; measurements are None where there is no mask.

    `seconds` is what segmenting, saving and measuring took.
    """

    name: str
    path: Path
    number: int | None
    status: Status
    reason: str = ""
    liver_ml: float | None = None
    tumor_ml: float | None = None
    tumor_burden_percent: float | None = None
    lesions: int | None = None
    largest_lesion_longest_axial_mm: float | None = None
    mm_reliable: bool | None = None
    warnings: tuple[str, ...] = field(default=())
    model: str = ""
    device: str = ""
    seconds: float | None = None


def done(case: CohortCase, report: Mapping[str, Any], reason: str = "") -> CaseResult:
    """The result of a case whose report (its JSON values) is this.

    Raises:
        KeyError, TypeError: it is no report of a mask.
    """
    lesions = report["lesions"]
    values: dict[str, Any] = {}
    found = bool(report["liver_ml"])  # a mask without liver once had a 0 in place of null
    if found:
        values = {
            "liver_ml": float(report["liver_ml"]),
            "tumor_ml": float(report["tumor_ml"]),
            "tumor_burden_percent": float(report["tumor_burden_percent"]),
            "lesions": len(lesions),
            "largest_lesion_longest_axial_mm": (
                float(lesions[0]["longest_axial_mm"]) if lesions else None
            ),
        }
    return CaseResult(
        case.name,
        case.path,
        case.number,
        Status.DONE if found else Status.NO_LIVER,
        reason,
        **values,
        mm_reliable=bool(report["mm_reliable"]),
        warnings=tuple(report["warnings"]),
        model=str(report["model"]),
        device=str(report["device"]),
        seconds=report["seconds"],
    )


def failed(case: CohortCase, why: str) -> CaseResult:
    """The result of a case that could not be done."""
    return CaseResult(case.name, case.path, case.number, Status.FAILED, " ".join(why.split()))
