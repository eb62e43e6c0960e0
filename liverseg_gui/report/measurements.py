"""The report of a study as JSON or CSV, chosen by the ending of its name."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from liverseg_gui import __version__
from liverseg_gui.core.annotation_measures import measure_annotation
from liverseg_gui.core.annotations import Annotation
from liverseg_gui.core.errors import SaveError
from liverseg_gui.core.measure import Measurements
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.core.volume import Volume
from liverseg_gui.system.atomic_write import not_written, require_place, save_errors, write_text
from liverseg_gui.system.csv_table import csv_table

NOTICE = "Research use only. Not a medical device."
CONVENTIONS = (
    "liver_ml includes the tumors. Lesions are 26-connected components of the tumor label, "
    "largest first. Diameters run between outer voxel corners in the axial plane. Indices count "
    "from 0 in RAS+ order; positions are patient mm, x right, y anterior, z superior. The voxels "
    "of an ellipse or polygon are those whose center lies inside."
)


@dataclass(frozen=True)
class MadeFrom:
    """What a mask was computed from: the same again would give the same mask.

    `fingerprint` is that of the scan's files (`fingerprint` in `io.entries`), `geometry` what the
    reader stated about it, `model_sha256` the checksum of the weights.
    """

    fingerprint: str
    geometry: str
    model_sha256: str
    quality: str


@dataclass(frozen=True)
class Report:
    """The measurements of a study, how its mask came about, and the reader's annotations.

    Without a mask there are no measurements: then a report holds the annotations alone.
    `mask_sha256` is the checksum of the file that holds the mask; empty where there is none.
    `reviewed` is the day (YYYY-MM-DD) on which a person marked the mask as reviewed, or nothing.
    """

    volume: Volume
    measurements: Measurements | None
    model: str = ""
    device: str = ""
    seconds: float | None = None
    peak_memory_mb: float | None = None
    warnings: tuple[str, ...] = field(default=())
    annotations: tuple[Annotation, ...] = field(default=())
    made_from: MadeFrom | None = None
    mask_sha256: str = ""
    reviewed: str = ""

    def to_json(self) -> dict[str, Any]:
        """The report as plain values; docs/json.md describes each."""
        volume = self.volume
        found = self.measurements.liver_found if self.measurements else None
        values = asdict(self.measurements) if self.measurements else _unmeasured(volume)
        if self.measurements and not (found or self.measurements.tumor_ml):
            values |= dict.fromkeys(_LIVER_FIGURES)
        warnings = [*values.pop("warnings"), *self.warnings]
        return {
            "liver_found": found,
            **values,
            "readings": [_annotation(n, r, volume) for n, r in enumerate(self.annotations, 1)],
            "warnings": list(dict.fromkeys(warnings)),
            "model": self.model,
            "device": self.device,
            "seconds": self.seconds,
            "peak_memory_mb": self.peak_memory_mb,
            "reviewed": bool(self.reviewed) if self.measurements else None,
            "reviewed_on": self.reviewed or None,
            "made_from": asdict(self.made_from) if self.made_from else None,
            "mask_sha256": self.mask_sha256 or None,
            "scan": {
                "path": str(volume.origin.path),
                "description": volume.origin.description,
                "size": volume.grid.shape,
                "spacing_mm": volume.grid.affine.spacing_mm,
            },
            "program": f"LiverSeg {__version__}",
            "conventions": CONVENTIONS,
            "notice": NOTICE,
        }


def _unmeasured(volume: Volume) -> dict[str, Any]:
    """What stands in a report in the place of measurements where there is no mask."""
    values: dict[str, Any] = dict.fromkeys(f.name for f in fields(Measurements))
    known = {"lesions": (), "warnings": volume.warnings, "mm_reliable": volume.mm_reliable}
    return {**values, **known}


def _annotation(number: int, annotation: Annotation, volume: Volume) -> dict[str, Any]:
    measures = measure_annotation(annotation, volume)
    return {
        "number": number,
        "kind": annotation.kind.value,
        "plane": annotation.plane.name.lower(),
        "slice": annotation.index,
        "points_mm": volume.affine.to_mm(annotation.points_ijk).tolist(),
        "text": annotation.text,
        **measures.of_kind(annotation.kind),
        "mm_reliable": measures.mm_reliable,
        "note": measures.note,
    }


def mask_checksum(path: Path) -> str:
    """The SHA-256 of the file that holds a mask, in hexadecimal digits; empty for a folder.

    Raises:
        OSError: it cannot be read.
    """
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_report(report: Report, path: Path) -> None:
    """Write `report` to a .json or .csv file, beside it first and then renamed over it.

    Raises:
        SaveError: another ending, the file cannot be written, or a .csv would hold nothing.
    """
    require_report_place(path)
    if report.measurements is None and path.suffix.lower() == ".csv":
        raise SaveError(
            f"{path.name}: a .csv holds lesions, and there is no mask. Choose a name that ends in "
            ".json for the readings, or segment first."
        )
    write_text(path, _renderer(path)(report))


_HEAD = 200
"""Characters of a report among which its first figures stand."""


def require_report_place(path: Path) -> None:
    """Check that a report may be written at `path`, before any work is done for it.

    Raises:
        SaveError: the name is no report's, the folder is not there, or another file is.
    """
    _renderer(path)
    require_place(path, path.suffix.lower())
    if not is_report_or_nothing(path):
        raise SaveError(
            f"{path} is no report of this program, and is not replaced.",
            "Choose another name, or move it away.",
        )


def is_report_or_nothing(path: Path) -> bool:
    """Whether at `path` is a report of this program, perhaps cut short, or nothing to lose."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False
    if path.suffix.lower() == ".csv":
        return not text or text.startswith(f"{_STUDY_COLUMNS[0]},{_STUDY_COLUMNS[1]},")
    try:
        values = parse_json(text)
    except ValueError:
        return not text or (text.startswith("{") and '"liver_ml": ' in text[:_HEAD])
    return isinstance(values, dict) and {"liver_ml", "notice"} <= values.keys()


def remove_report(path: Path) -> None:
    """Remove the report at `path`: it is not that of the mask that is about to be written.

    Raises:
        SaveError: it cannot be removed, or is none.
    """
    require_report_place(path)
    with save_errors(not_written(path)):
        Path(os.path.realpath(path)).unlink(missing_ok=True)


def _renderer(path: Path) -> Callable[[Report], str]:
    renderers: dict[str, Callable[[Report], str]] = {".json": _json, ".csv": _csv}
    try:
        return renderers[path.suffix.lower()]
    except KeyError:
        raise SaveError(
            f"{path.name}: a report is written as .json or .csv. Choose such a name."
        ) from None


def _json(report: Report) -> str:
    return json.dumps(report.to_json(), indent=2) + "\n"


def _csv(report: Report) -> str:
    """One row a lesion, or a single row without lesion; the study's measurements on each."""
    values = report.to_json()
    study = {key: values[key] for key in _STUDY_COLUMNS}
    study["warnings"] = " ".join(values["warnings"])
    empty: dict[str, Any] = dict.fromkeys(_LESION_COLUMNS, "")
    lesions = [{key: lesion[key] for key in _LESION_COLUMNS} for lesion in values["lesions"]]
    rows = [{**study, **lesion} for lesion in lesions or [empty]]
    return csv_table([*_STUDY_COLUMNS, "warnings", *_LESION_COLUMNS], rows)


_LIVER_FIGURES = ("liver_ml", "liver_without_tumor_ml", "tumor_ml", "tumor_burden_percent")
"""What is null in an empty mask: a 0 would pass for a liver without tumor."""

_STUDY_COLUMNS = (
    *_LIVER_FIGURES,
    "mm_reliable",
    "model",
    "device",
    "seconds",
)
_LESION_COLUMNS = (
    "number",
    "volume_ml",
    "longest_axial_mm",
    "perpendicular_mm",
    "mean_hu",
    "touches_edge",
    "measurable",
    "why",
)
