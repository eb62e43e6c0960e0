"""Judge a network patient by patient, on the slices' own pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import LIVER, TUMOR
from liverseg_gui.segmentation.inference import Predictor
from training.cases import CaseSource


@dataclass(frozen=True)
class PatientResult:
    """Dice of one patient; None for tumor where neither truth nor prediction has any."""

    name: str
    liver_dice: float
    tumor_dice: float | None
    tumor_pixels: int
    false_tumor_percent: float


def evaluate(
    predictor: Predictor,
    sources: Sequence[CaseSource],
    size: tuple[int, int],
    context: int,
    progress: Progress,
) -> list[PatientResult]:
    """Predict every slice of each case, without clean-up, and compare.

    The predictor takes the trunk at `size` and `context` slices.
    """
    results = []
    for n, source in enumerate(sources):
        part = progress.part(n / len(sources), (n + 1) / len(sources))
        case = source.read()
        box = case.trunk(size[1] / size[0])
        found = predictor.predict(case.slices, case.context(context), box, part)
        results.append(compare(case.name, found, case.labels))
    return results


def compare(name: str, found: NDArray[np.uint8], truth: NDArray[np.uint8]) -> PatientResult:
    """The figures of one patient. Liver is label 1 or more, tumor label 2 (LiTS rules)."""
    false_tumor = int(np.count_nonzero((found == TUMOR) & (truth != TUMOR)))
    liver = int(np.count_nonzero(truth >= LIVER))
    return PatientResult(
        name,
        dice(found >= LIVER, truth >= LIVER) or 0.0,
        dice(found == TUMOR, truth == TUMOR),
        int(np.count_nonzero(truth == TUMOR)),
        100.0 * false_tumor / max(liver, 1),
    )


def dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float | None:
    """2 |a and b| / (|a| + |b|); None where both are empty."""
    total = int(np.count_nonzero(a)) + int(np.count_nonzero(b))
    return 2.0 * int(np.count_nonzero(a & b)) / total if total else None
