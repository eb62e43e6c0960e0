"""Comparisons and decisions made by hand."""

from __future__ import annotations

from pathlib import Path

from training.evaluation.acceptance import AcceptanceDecision, write_decision
from training.evaluation.model_comparison import CaseComparison, CaseScores, Comparison

OLD_SHA, NEW_SHA = "a" * 64, "b" * 64


def pair(
    name: str,
    old: tuple[float, float | None],
    new: tuple[float, float | None],
    *seen_by: str,
) -> CaseComparison:
    """A patient with (liver, tumor) Dice of the old and of the new model."""
    return CaseComparison(name, CaseScores(*new), CaseScores(*old), seen_by)


def decision(*pairs: CaseComparison, tolerance: float = 0.0) -> AcceptanceDecision:
    """What follows from `pairs`."""
    return AcceptanceDecision(Comparison("new", "old", pairs), OLD_SHA, NEW_SHA, tolerance)


BETTER = decision(pair("a", (0.90, 0.5), (0.93, 0.5)), pair("b", (0.90, None), (0.90, None)))
WORSE = decision(pair("a", (0.90, 0.5), (0.95, 0.49)))


def put(folder: Path, verdict: AcceptanceDecision) -> None:
    """Write the decision into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    write_decision(verdict, folder)
