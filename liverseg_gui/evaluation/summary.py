"""Summary over many patients: means with intervals, and what only a whole data set has."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import reduce
from operator import add
from typing import Any, TypeVar

from liverseg_gui.evaluation.case_metrics import CaseMetrics, Json, lesions_json
from liverseg_gui.evaluation.confidence_interval import LEVEL, mean_interval
from liverseg_gui.evaluation.lesion_detection import Detection, LesionCounts, LesionMetrics
from liverseg_gui.evaluation.overlap import VoxelCounts

_Counts = TypeVar("_Counts", VoxelCounts, LesionCounts)
_WITHOUT_INTERVAL = frozenset(
    (*(field.name for field in fields(LesionCounts)), "from_10_mm", "by_size")
)
_LABELS = ("liver", "tumor")
_AVERAGED = ("liver", "tumor", "lesions", "tumor_burden")


@dataclass(frozen=True)
class Summary:
    """The metrics of several patients, the same `seed` giving the same intervals."""

    cases: tuple[CaseMetrics, ...]
    seed: int = 0

    @property
    def liver(self) -> VoxelCounts:
        """The liver's voxels of all patients, pooled."""
        return _total((case.liver.voxels for case in self.cases), VoxelCounts())

    @property
    def tumor(self) -> VoxelCounts:
        """The tumors' voxels of all patients, pooled."""
        return _total((case.tumor.voxels for case in self.cases), VoxelCounts())

    @property
    def lesions(self) -> LesionMetrics:
        """The lesions of all patients, pooled."""
        return LesionMetrics(
            _pooled([case.lesions.over_half for case in self.cases]),
            _pooled([case.lesions.any_overlap for case in self.cases]),
        )

    @property
    def burden_rmse_percent(self) -> float | None:
        """Root mean square of the patients' tumor burden errors, percentage points."""
        errors = _defined(case.burden_error_percent for case in self.cases)
        return math.sqrt(sum(e * e for e in errors) / len(errors)) if errors else None

    def mean(self) -> Json:
        """Each figure's mean over the patients in whom it is defined, in the shape of a case's."""
        rows = [case.to_json() for case in self.cases]
        return {part: _means([row[part] for row in rows]) for part in _AVERAGED}

    def intervals(self) -> Json:
        """For each mean its bootstrap interval, (low, high); None below two patients."""
        rows = [case.to_json() for case in self.cases]
        return {part: self._intervals([row[part] for row in rows]) for part in _AVERAGED}

    def to_json(self) -> Json:
        """`mean` with all that stands beside it; docs/evaluation.md describes each."""
        with_tumor = [case.tumor.voxels.dice for case in self.cases if case.has_tumor]
        return {
            "patients": len(self.cases),
            **self.mean(),
            "intervals": {"level": LEVEL, **self.intervals()},
            "counted": {part: self._counted(part) for part in _LABELS},
            "missed": {part: self._missed(part) for part in _LABELS},
            "with_tumor": {
                "patients": len(with_tumor),
                "tumor_dice": _mean(with_tumor),
                "interval": mean_interval(with_tumor, self.seed),
            },
            "global": self._global(),
            "tumor_burden_rmse_percent": self.burden_rmse_percent,
            "false_positive": self._false_positive(),
            "empty_mask_accuracy": {
                "liver": self.liver.empty_accuracy,
                "tumor": self.tumor.empty_accuracy,
            },
            "mm_reliable": all(case.mm_reliable for case in self.cases),
        }

    def _counted(self, part: str) -> Json:
        """Over how many patients each mean of a label is: those in whom it is defined."""
        rows = [case.to_json()[part] for case in self.cases]
        return {key: len(_defined(row[key] for row in rows)) for key in (rows[0] if rows else ())}

    def _missed(self, part: str) -> int:
        """In how many patients who have the label not a voxel of it was found."""
        voxels = [
            case.liver.voxels if part == "liver" else case.tumor.voxels for case in self.cases
        ]
        return sum(counts.true > 0 and not counts.both for counts in voxels)

    def _global(self) -> Json:
        return {
            "liver": {"dice": self.liver.dice},
            "tumor": {"dice": self.tumor.dice},
            "lesions": lesions_json(self.lesions),
        }

    def _false_positive(self) -> Json:
        healthy = [case for case in self.cases if not case.has_tumor]
        return {
            "patients": len(healthy),
            "patients_with_false_tumor": sum(case.tumor.voxels.found > 0 for case in healthy),
            "tumor_ml": _mean(_defined(case.false_tumor_ml for case in healthy)),
            "tumor_percent_of_liver": _mean(_defined(case.false_tumor_percent for case in healthy)),
        }

    def _intervals(self, rows: Sequence[Json | None]) -> Json:
        there = [row for row in rows if row is not None]
        out: Json = {}
        for key in there[0] if there else ():
            if key in _WITHOUT_INTERVAL:
                continue
            values = [row[key] for row in there]
            if _is_table(values):
                out[key] = self._intervals(values)
            else:
                out[key] = mean_interval(_defined(values), self.seed)
        return out


def summarize(cases: Sequence[CaseMetrics], seed: int = 0) -> Summary:
    """The metrics of `cases` together."""
    return Summary(tuple(cases), seed)


def _pooled(parts: Sequence[Detection]) -> Detection:
    """The counts of all patients; by size over the patients in whom sizes are known."""
    sized = [part.by_size for part in parts if part.by_size is not None]
    large = [part.from_10_mm for part in parts if part.from_10_mm is not None]
    none = LesionCounts()
    small, middle, big = (_total((s[n] for s in sized), none) for n in range(3))
    return Detection(
        _total((part.every for part in parts), none),
        _total(large, none) if large else None,
        (small, middle, big) if sized else None,
    )


def _means(rows: Sequence[Json | None]) -> Json | None:
    """The mean of every figure in tables of one shape; None where no patient has the table."""
    there = [row for row in rows if row is not None]
    if not there:
        return None
    out: Json = {}
    for key in there[0]:
        values = [row[key] for row in there]
        out[key] = _means(values) if _is_table(values) else _mean(_defined(values))
    return out


def _is_table(values: Sequence[Any]) -> bool:
    return any(isinstance(value, dict) for value in values)


def _defined(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _total(values: Iterable[_Counts], start: _Counts) -> _Counts:
    return reduce(add, values, start)
