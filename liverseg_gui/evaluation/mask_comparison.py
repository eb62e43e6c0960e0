"""Comparison of two masks of one scan: where they agree, and by how much they differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.errors import GridMismatchError
from liverseg_gui.core.geometry import common_box
from liverseg_gui.core.labels import LIVER, TUMOR, LabelMap
from liverseg_gui.core.progress import Progress
from liverseg_gui.evaluation.overlap import VoxelCounts, count_voxels

AGREE, ONLY_A, ONLY_B = 1, 2, 3
COMPARED_COLORS = {AGREE: (0, 114, 178), ONLY_A: (213, 94, 0), ONLY_B: (240, 228, 66)}
"""Blue, vermilion and yellow of the palette of Okabe and Ito (2008): the three that are far from
each other and from the grays of a CT in every color vision, the calmest for agreement."""


@dataclass(frozen=True)
class LabelComparison:
    """One label in two masks, A and B. `dice` is 1 where neither has a voxel of it."""

    dice: float
    a_ml: float
    b_ml: float
    agree_ml: float

    @property
    def only_a_ml(self) -> float:
        """Volume in A alone."""
        return self.a_ml - self.agree_ml

    @property
    def only_b_ml(self) -> float:
        """Volume in B alone."""
        return self.b_ml - self.agree_ml

    @property
    def difference_ml(self) -> float:
        """How much larger B is than A; negative where it is smaller."""
        return self.b_ml - self.a_ml

    @property
    def difference_percent(self) -> float | None:
        """The difference in percent of A; None where A is empty and there is nothing to divide."""
        return 100.0 * self.difference_ml / self.a_ml if self.a_ml else None


def compare(
    a: NDArray[np.uint8], b: NDArray[np.uint8], label: int | None = None
) -> NDArray[np.uint8]:
    """Where `a` and `b` have `label`: 0 neither, 1 agree, 2 only A, 3 only B.

    Both are labels of one shape, of a slice or a volume. The liver is all of liver and tumor.
    Without a `label` both count: they agree where they call a voxel the same, and where one of
    them calls tumor what the other calls liver, the tumor is its alone.
    """
    if label is not None:
        a, b = (a >= label).view(np.uint8), (b >= label).view(np.uint8)
    out = (a > b) * np.uint8(ONLY_A) + (b > a) * np.uint8(ONLY_B)
    out[(a == b) & (a != 0)] = AGREE
    return out


def measure_agreement(
    a: LabelMap, b: LabelMap, progress: Progress | None = None
) -> dict[int, LabelComparison]:
    """The figures of each label (1 liver with tumor, 2 tumor) in masks `a` and `b` of one scan.

    Raises:
        GridMismatchError: the masks do not lie on the same voxels.
        Cancelled: asked for through `progress`.
    """
    require_same_grid(a, b)
    progress = progress or Progress()
    progress.update(0.0, "Finding what to compare")
    box = common_box(a.labels, b.labels) or (slice(0),) * 3
    liver, tumor = count_voxels(a.labels[box], b.labels[box], progress.part(0.4, 1.0))
    voxel_ml = a.affine.voxel_ml
    return {LIVER: _compared(liver, voxel_ml), TUMOR: _compared(tumor, voxel_ml)}


def require_same_grid(a: LabelMap, b: LabelMap) -> None:
    """Check that both masks lie on the same voxels.

    Raises:
        GridMismatchError: shape or position differ.
    """
    i, j, k = a.labels.shape
    if a.labels.shape != b.labels.shape or not a.affine.close_to(b.affine, (i, j, k)):
        raise GridMismatchError(
            "The two masks lie on different voxels. Compare masks of the same scan."
        )


def _compared(counts: VoxelCounts, voxel_ml: float) -> LabelComparison:
    """The counts of A as the found mask and B as the true one, in ml."""
    volumes = (voxels * voxel_ml for voxels in (counts.found, counts.true, counts.both))
    return LabelComparison(counts.dice, *volumes)
