"""All metrics of one patient, and their JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from liverseg_gui.core.geometry import Float3
from liverseg_gui.evaluation.lesion_detection import SIZES, Detection, LesionCounts, LesionMetrics
from liverseg_gui.evaluation.overlap import VoxelCounts
from liverseg_gui.evaluation.surface_distance import SurfaceMetrics

Json = dict[str, Any]


@dataclass(frozen=True)
class LabelMetrics:
    """One label of one patient. Volumes in ml and `surface` are None where mm are not known."""

    voxels: VoxelCounts
    surface: SurfaceMetrics = field(default=SurfaceMetrics())
    found_ml: float | None = None
    true_ml: float | None = None

    def to_json(self) -> Json:
        """The metrics as plain values; docs/evaluation.md describes each."""
        voxels = self.voxels
        return {
            "dice": voxels.dice,
            "voe": voxels.voe,
            "rvd": voxels.rvd,
            **asdict(self.surface),
            "accuracy": voxels.accuracy,
            "precision": voxels.precision,
            "recall": voxels.recall,
            "f1": voxels.dice,
            "iou": voxels.iou,
            "found_ml": self.found_ml,
            "true_ml": self.true_ml,
        }


@dataclass(frozen=True)
class CaseMetrics:
    """The metrics of one patient.

    `spacing_mm` is that of the arrays that were compared, None where it was not known.
    `mm_reliable` is False where the masks do not say for certain how large their voxels are, and
    `warnings` say why; mm and ml are then given, and not to be trusted.
    """

    name: str
    liver: LabelMetrics
    tumor: LabelMetrics
    lesions: LesionMetrics
    spacing_mm: Float3 | None
    mm_reliable: bool = True
    warnings: tuple[str, ...] = ()

    @property
    def has_tumor(self) -> bool:
        """Whether the true mask holds a tumor."""
        return self.tumor.voxels.true > 0

    @property
    def burden_found_percent(self) -> float | None:
        """Tumor / (liver + tumor) in the found mask; None where it holds no liver."""
        return _percent(self.tumor.voxels.found, self.liver.voxels.found)

    @property
    def burden_true_percent(self) -> float | None:
        """Tumor / (liver + tumor) in the true mask; None where it holds no liver."""
        return _percent(self.tumor.voxels.true, self.liver.voxels.true)

    @property
    def burden_error_percent(self) -> float | None:
        """Tumor burden found minus true, in percentage points."""
        found, true = self.burden_found_percent, self.burden_true_percent
        return None if found is None or true is None else found - true

    @property
    def false_tumor_ml(self) -> float | None:
        """Tumor found in a patient who has none, in ml; None for all others."""
        return None if self.has_tumor else self.tumor.found_ml

    @property
    def false_tumor_percent(self) -> float | None:
        """Tumor found in a patient who has none, in percent of the true liver; None for others."""
        if self.has_tumor:
            return None
        return _percent(self.tumor.voxels.found, self.liver.voxels.true)

    def to_json(self) -> Json:
        """The metrics as plain values; docs/evaluation.md describes each."""
        return {
            "name": self.name,
            "liver": self.liver.to_json(),
            "tumor": self.tumor.to_json(),
            "lesions": lesions_json(self.lesions),
            "tumor_burden": {
                "found_percent": self.burden_found_percent,
                "true_percent": self.burden_true_percent,
                "error_percent": self.burden_error_percent,
            },
            "false_positive": {
                "tumor_ml": self.false_tumor_ml,
                "tumor_percent_of_liver": self.false_tumor_percent,
            },
            "spacing_mm": None if self.spacing_mm is None else list(self.spacing_mm),
            "mm_reliable": self.mm_reliable,
            "warnings": list(self.warnings),
        }


def lesions_json(metrics: LesionMetrics) -> Json:
    """Lesions at IoU > 0.5, with those at any overlap beneath `any_overlap`."""
    return {
        **_detection_json(metrics.over_half),
        "any_overlap": _detection_json(metrics.any_overlap),
    }


def _detection_json(detection: Detection) -> Json:
    large, sizes = detection.from_10_mm, detection.by_size
    return {
        **counts_json(detection.every),
        "from_10_mm": None if large is None else counts_json(large),
        "by_size": None
        if sizes is None
        else {name: counts_json(counts) for name, counts in zip(SIZES, sizes, strict=True)},
    }


def counts_json(counts: LesionCounts) -> Json:
    """Precision, recall and F1, and the numbers of lesions that they rest on."""
    shares = {"precision": counts.precision, "recall": counts.recall, "f1": counts.f1}
    return {**shares, **asdict(counts)}


def _percent(part: int, whole: int) -> float | None:
    return 100.0 * part / whole if whole else None
