"""What an earlier run has left of a case: whether mask and report belong together and are of the
same scan, and whether they may be replaced."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from liverseg_gui.cohort.result import ALREADY, MEASURED, CaseResult, CohortCase, done
from liverseg_gui.core.errors import LiverSegError, SaveError
from liverseg_gui.core.measure import measure
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.formats.mask_marks import Mark, is_as_made
from liverseg_gui.io.formats.nifti import open_header, read_stored
from liverseg_gui.io.masks.read import read_mask
from liverseg_gui.report.measurements import (
    MadeFrom,
    Report,
    mask_checksum,
    require_report_place,
    write_report,
)
from liverseg_gui.system.regular_file import read_json

_CHANGED = (
    "The mask was changed after the model had made it: the figures are those of the mask as it is."
)


def already_done(
    case: CohortCase, mask: Path, report: Path, made_from: MadeFrom
) -> CaseResult | None:
    """The result that an earlier run has left of `case`: its report is about the mask that is there
    and was made from the same. Else None."""
    values = _values(report)
    if values.get("made_from") != asdict(made_from):
        return None
    try:
        pair = mask.is_file() and values["mask_sha256"] == mask_checksum(mask)
        return done(case, values, ALREADY) if pair else None
    except (OSError, KeyError, TypeError, ValueError):
        return None


def stays(case: CohortCase, mask: Path, report: Path, made_from: MadeFrom) -> bool:
    """Whether the mask that is there is kept and measured anew.

    That is one that was corrected since it was made, or whose report of an earlier version does not
    say which mask it is about. Any other that was made here is done anew.

    Raises:
        SaveError: what is there is neither, or belongs to another scan, and would be lost.
    """
    require_report_place(report)
    if not mask.exists() or mask.stat().st_size == 0:
        return False
    values = _values(report)
    same = values.get("made_from") == asdict(made_from)
    if not is_as_made(mask, Mark.SEGMENTATION):
        if same:
            return True
        raise _not_replaced(mask, again=bool(values.get("made_from")))
    other = _scan(values)
    if not same and other is not None and other != case.path and other.exists():
        raise SaveError(
            f"{mask} is the mask of another scan ({other}). Choose another folder for these "
            "scans, or replace it with --again."
        )
    return same and "mask_sha256" not in values and _whole(mask)


def require_replaceable(mask: Path, report: Path) -> None:
    """Check that `--again` may replace what is there: masks of cases, also corrected ones.

    Raises:
        SaveError: it is no case's.
    """
    require_report_place(report)
    ours = not mask.exists() or is_as_made(mask, Mark.SEGMENTATION)
    if not ours and mask.stat().st_size and not _values(report).get("made_from"):
        raise _not_replaced(mask, again=False)


def measure_anew(
    case: CohortCase, volume: Volume, mask: Path, report: Path, made_from: MadeFrom
) -> CaseResult:
    """The result of a case whose mask `stays`; its report is written anew.

    Raises:
        LiverSegError: the mask is not one of this scan, or the report cannot be written.
    """
    values, checksum = _values(report), mask_checksum(mask)
    changed = not is_as_made(mask, Mark.SEGMENTATION)
    measured = Report(
        volume,
        measure(volume, read_mask(mask, volume)),
        str(values.get("model", "")),
        str(values.get("device", "")),
        values.get("seconds"),
        values.get("peak_memory_mb"),
        (_CHANGED,) if changed else (),
        made_from=made_from,
        mask_sha256=checksum,
    )
    write_report(measured, report)
    return done(case, measured.to_json(), MEASURED)


def _not_replaced(mask: Path, again: bool) -> SaveError:
    return SaveError(
        f"{mask} was not made by this program, or was changed since, and is not replaced.",
        "Choose another folder, or move it away" + ("; --again replaces it." if again else "."),
    )


def _values(report: Path) -> dict[str, Any]:
    try:
        values = read_json(report)
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _scan(values: dict[str, Any]) -> Path | None:
    try:
        return Path(values["scan"]["path"]).absolute()
    except (KeyError, TypeError):
        return None


def _whole(mask: Path) -> bool:
    """Whether every voxel of the mask can be read."""
    try:
        read_stored(open_header(mask))
    except (LiverSegError, OSError):
        return False
    return True
