"""Two masks of one scan, voxel by voxel: where they agree, and by how much they differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.errors import GridMismatchError
from liverseg_gui.core.geometry import bounding_box
from liverseg_gui.core.labels import LIVER, TUMOR, LabelMap
from liverseg_gui.core.progress import Progress

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
    counts = _counted(a.labels, b.labels, progress or Progress())
    voxel_ml = a.affine.voxel_ml
    return {label: _compared(counts, label, voxel_ml) for label in (LIVER, TUMOR)}


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


def _counted(a: NDArray[np.uint8], b: NDArray[np.uint8], progress: Progress) -> NDArray[np.int64]:
    """How many voxels have label m in `a` and n in `b`, at [m, n]; background pairs left out."""
    counts = np.zeros(9, np.int64)
    boxes = []
    for labels, done in ((a, 0.0), (b, 0.2)):
        progress.update(done, "Finding what to compare")
        box = bounding_box(labels)
        if box is not None:
            boxes.append(box)
    if boxes:
        i, j, k = (
            slice(min(s.start for s in sides), max(s.stop for s in sides))
            for sides in zip(*boxes, strict=True)
        )
        for n in range(k.start, k.stop):
            progress.update(0.4 + 0.6 * (n - k.start) / (k.stop - k.start), "Comparing voxels")
            pairs = a[i, j, n] * np.uint8(3) + b[i, j, n]
            counts += np.bincount(pairs.ravel(order="K"), minlength=9)
    return counts.reshape(3, 3)


def _compared(counts: NDArray[np.int64], label: int, voxel_ml: float) -> LabelComparison:
    in_a, in_b = int(counts[label:].sum()), int(counts[:, label:].sum())
    both = int(counts[label:, label:].sum())
    dice = 2 * both / (in_a + in_b) if in_a + in_b else 1.0
    return LabelComparison(dice, in_a * voxel_ml, in_b * voxel_ml, both * voxel_ml)
