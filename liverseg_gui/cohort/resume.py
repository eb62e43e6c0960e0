"""Detection of cases that an earlier run has done: mask and report whole and of the same scan."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from liverseg_gui.cohort.result import ALREADY, CaseResult, CohortCase, done
from liverseg_gui.core.errors import LiverSegError, SaveError
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.io.formats.nifti import open_header, read_stored
from liverseg_gui.report.measurements import MadeFrom


def already_done(
    case: CohortCase, mask: Path, report: Path, made_from: MadeFrom
) -> CaseResult | None:
    """The result that an earlier run has left of `case`, or None where it has to be done.

    Raises:
        SaveError: what is there belongs to another scan, and would be lost.
    """
    values = _values(report)
    if values.get("made_from") == asdict(made_from):
        try:
            return done(case, values, ALREADY) if _whole(mask, values["scan"]["size"]) else None
        except (KeyError, TypeError, ValueError):
            return None
    other = _scan(values)
    if other is not None and other != case.path and other.exists() and mask.exists():
        raise SaveError(
            f"{mask} is the mask of another scan ({other}). Choose another folder for these "
            "scans, or replace it with --again."
        )
    return None


def _values(report: Path) -> dict[str, Any]:
    try:
        values = parse_json(report.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _scan(values: dict[str, Any]) -> Path | None:
    try:
        return Path(values["scan"]["path"]).absolute()
    except (KeyError, TypeError):
        return None


def _whole(mask: Path, size: list[int]) -> bool:
    """Whether every voxel of the mask can be read, and it has the scan's size."""
    try:
        file = open_header(mask)
        return file.grid.shape == tuple(size) and read_stored(file).shape == file.grid.shape
    except (LiverSegError, OSError):
        return False
