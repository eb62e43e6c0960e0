"""Evaluation of a patient's predicted mask against the reference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.geometry import Float3
from liverseg_gui.core.labels import LIVER, TUMOR
from liverseg_gui.core.progress import Progress
from liverseg_gui.evaluation.case_metrics import CaseMetrics, LabelMetrics
from liverseg_gui.evaluation.lesion_detection import lesion_metrics
from liverseg_gui.evaluation.overlap import VoxelCounts, count_voxels, plain_labels
from liverseg_gui.evaluation.surface_distance import SurfaceMetrics, surface_metrics

TOLERANCE_MM = {LIVER: 3.0, TUMOR: 2.0}
"""How far a surface may be off for the normalized surface Dice, about what readers differ by."""
PIXEL_IS_MM = "The spacing is not known: the sizes of lesions take a pixel as 1 mm."
_PIXELS: Float3 = (1.0, 1.0, 1.0)


def evaluate_case(
    name: str,
    prediction: NDArray[np.uint8],
    reference: NDArray[np.uint8],
    spacing_mm: Float3 | None,
    *,
    axial_axis: int = 2,
    pixel_is_mm: bool = False,
    mm_reliable: bool = True,
    warnings: Sequence[str] = (),
    progress: Progress | None = None,
) -> CaseMetrics:
    """The metrics of one patient: liver is label 1 or more, tumor label 2 (LiTS rules).

    `prediction` and `reference` are labels of one 3D shape in any axis order; `spacing_mm` is that
    of the array's axes, and `axial_axis` the one along the body: 2 for volumes (i, j, k), 0 for
    slices (n, rows, columns). Without `spacing_mm` all in mm and ml is None; lesions then have
    sizes only with `pixel_is_mm`, which takes a pixel as 1 mm and says so. `mm_reliable` and
    `warnings` are passed on.

    Raises:
        ValueError: the shapes differ.
        Cancelled: asked for through `progress`.
    """
    progress = progress or Progress()
    prediction, reference = plain_labels(prediction), plain_labels(reference)
    counts = count_voxels(prediction, reference, progress.part(0.0, 0.3))
    prediction, reference = (
        np.moveaxis(labels, axial_axis, 2) for labels in (prediction, reference)
    )
    ordered = None if spacing_mm is None else _axial_last(spacing_mm, axial_axis)
    progress.update(0.3, "Measuring surfaces")
    liver = _label(prediction >= LIVER, reference >= LIVER, counts[0], ordered, TOLERANCE_MM[LIVER])
    progress.update(0.7, "Measuring surfaces")
    tumors = prediction == TUMOR, reference == TUMOR
    tumor = _label(*tumors, counts[1], ordered, TOLERANCE_MM[TUMOR])
    sizes_mm = _PIXELS if ordered is None and pixel_is_mm else ordered
    lesions = lesion_metrics(*tumors, sizes_mm, progress.part(0.8, 1.0))
    if ordered is None and pixel_is_mm:
        warnings = [*warnings, PIXEL_IS_MM]
    own = None
    if spacing_mm is not None:
        i_mm, j_mm, k_mm = map(float, spacing_mm)
        own = i_mm, j_mm, k_mm
    return CaseMetrics(name, liver, tumor, lesions, own, mm_reliable, tuple(warnings))


def _axial_last(spacing_mm: Float3, axial_axis: int) -> Float3:
    a, b = (mm for axis, mm in enumerate(spacing_mm) if axis != axial_axis)
    return a, b, spacing_mm[axial_axis]


def _label(
    prediction: NDArray[np.bool_],
    reference: NDArray[np.bool_],
    voxels: VoxelCounts,
    spacing_mm: Float3 | None,
    tolerance_mm: float,
) -> LabelMetrics:
    if spacing_mm is None:
        return LabelMetrics(voxels, SurfaceMetrics())
    voxel_ml = float(np.prod(spacing_mm)) / 1000.0
    return LabelMetrics(
        voxels,
        surface_metrics(prediction, reference, spacing_mm, tolerance_mm),
        voxels.found * voxel_ml,
        voxels.true * voxel_ml,
    )
