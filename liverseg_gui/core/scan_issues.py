"""Issues of a scan (findings on screen), each with a code, a severity and a remedy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """INFO is good to know, WARNING asks for care, ERROR keeps the scan from being opened."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Concern(StrEnum):
    """What a finding casts doubt on.

    SCAN: the file as a whole. MM: every length and volume. HU: the values. MODEL: what the model
    makes of the scan, not what is measured on it.
    """

    SCAN = "scan"
    MM = "mm"
    HU = "hu"
    MODEL = "model"


_NO_HU = ("not-hu", "other-unit", "no-contrast")
"""Findings after which nothing can be made of the values as HU."""


@dataclass(frozen=True)
class ScanIssue:
    """One thing to know about a scan. `code` is stable; docs/findings.md lists them all."""

    code: str
    severity: Severity
    message: str
    remedy: str
    concern: Concern = Concern.SCAN

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()

    @property
    def no_hu(self) -> bool:
        """Whether the values are known to be no HU: no model may be given them."""
        return self.code in _NO_HU

    @property
    def spoils_mm(self) -> bool:
        """Whether no length or volume measured on the scan can be trusted."""
        return self.concern is Concern.MM and self.severity is not Severity.INFO


def info(code: str, message: str, remedy: str = "", concern: Concern = Concern.SCAN) -> ScanIssue:
    """A finding that is good to know."""
    return ScanIssue(code, Severity.INFO, message, remedy, concern)


def warning(code: str, message: str, remedy: str, concern: Concern = Concern.SCAN) -> ScanIssue:
    """A finding that asks for care."""
    return ScanIssue(code, Severity.WARNING, message, remedy, concern)


def error(code: str, message: str, remedy: str, concern: Concern = Concern.SCAN) -> ScanIssue:
    """A finding that keeps the scan from being opened."""
    return ScanIssue(code, Severity.ERROR, message, remedy, concern)


def other_unit(what: str) -> ScanIssue:
    """The finding for values that the file itself says are no HU; `what` says what they are."""
    return warning(
        "other-unit",
        f"The values {what}, not Hounsfield units: figures in HU mean nothing, and the model knows "
        "only HU.",
        "Open the CT series in HU.",
        Concern.HU,
    )


def by_severity(issues: tuple[ScanIssue, ...]) -> tuple[ScanIssue, ...]:
    """`issues` without repetitions, the gravest first."""
    order = list(reversed(Severity))
    return tuple(sorted(dict.fromkeys(issues), key=lambda f: order.index(f.severity)))
