"""Overlap of two masks, voxel by voxel: Dice, VOE, RVD, and accuracy as papers report it.

Source: the LiTS benchmark, Bilic et al., Med Image Anal 84 (2023) 102680; the volumetric metrics
are those of Heimann et al., IEEE TMI 28 (2009) 1251.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.labels import LIVER, TUMOR
from liverseg_gui.core.progress import Progress

_LABELS = 3


@dataclass(frozen=True)
class VoxelCounts:
    """Voxels of one label: in both masks, only in the found one, only in the true one, in neither.

    Where both masks are empty they agree (Dice 1), where one is they do not (Dice 0). What then
    remains without meaning is None.
    """

    both: int = 0
    only_found: int = 0
    only_true: int = 0
    neither: int = 0

    def __add__(self, other: VoxelCounts) -> VoxelCounts:
        """The counts of both together, for metrics over a whole data set."""
        return VoxelCounts(
            self.both + other.both,
            self.only_found + other.only_found,
            self.only_true + other.only_true,
            self.neither + other.neither,
        )

    @property
    def found(self) -> int:
        """Voxels of the found mask."""
        return self.both + self.only_found

    @property
    def true(self) -> int:
        """Voxels of the true mask."""
        return self.both + self.only_true

    @property
    def dice(self) -> float:
        """2 |A and B| / (|A| + |B|): the F1 of voxels. Both empty 1, one empty 0."""
        total = self.found + self.true
        return 2.0 * self.both / total if total else 1.0

    @property
    def iou(self) -> float:
        """|A and B| / |A or B|. Both empty 1, one empty 0."""
        union = self.both + self.only_found + self.only_true
        return self.both / union if union else 1.0

    @property
    def voe(self) -> float:
        """Volumetric overlap error in percent: 100 (1 - IoU)."""
        return 100.0 * (1.0 - self.iou)

    @property
    def rvd(self) -> float | None:
        """Relative volume difference in percent of the true mask; positive where too much is found.

        None where the true mask is empty.
        """
        return 100.0 * (self.found - self.true) / self.true if self.true else None

    @property
    def accuracy(self) -> float | None:
        """(TP + TN) / all voxels: nearly 1 for an empty mask, see `empty_accuracy`."""
        total = self._total
        return (self.both + self.neither) / total if total else None

    @property
    def empty_accuracy(self) -> float | None:
        """The accuracy that a mask without a single voxel would have."""
        total = self._total
        return (self.only_found + self.neither) / total if total else None

    @property
    def precision(self) -> float | None:
        """TP / (TP + FP); None where nothing was found."""
        return self.both / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """TP / (TP + FN); None where there is nothing to find."""
        return self.both / self.true if self.true else None

    @property
    def _total(self) -> int:
        return self.both + self.only_found + self.only_true + self.neither


def count_voxels(
    prediction: NDArray[np.uint8], reference: NDArray[np.uint8], progress: Progress | None = None
) -> tuple[VoxelCounts, VoxelCounts]:
    """The counts of liver (label 1 and more) and tumor (label 2) in two label arrays of one shape.

    Raises:
        ValueError: the shapes differ.
        Cancelled: asked for through `progress`.
    """
    pairs = _pairs(prediction, reference, progress or Progress())
    return _of_label(pairs, LIVER), _of_label(pairs, TUMOR)


def plain_labels(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`labels` with every label above 2 as liver: what is no tumor is liver, by LiTS's rules."""
    if labels.max(initial=0) <= TUMOR:
        return labels
    return np.where(labels > TUMOR, np.uint8(LIVER), labels)


def _pairs(
    prediction: NDArray[np.uint8], reference: NDArray[np.uint8], progress: Progress
) -> NDArray[np.int64]:
    """How many voxels have label m in `prediction` and n in `reference`, at [m, n]."""
    if prediction.shape != reference.shape:
        raise ValueError(
            f"masks of {prediction.shape} and {reference.shape} voxels cannot be compared"
        )
    counts = np.zeros(_LABELS * _LABELS, np.int64)
    axis = int(np.argmax(reference.strides)) if reference.size else 0
    a, b = np.moveaxis(prediction, axis, 0), np.moveaxis(reference, axis, 0)
    for n in range(len(a)):
        progress.update(n / len(a), "Comparing voxels")
        both = a[n] * np.uint8(_LABELS) + b[n]
        counts += np.bincount(both.ravel(order="K"), minlength=_LABELS * _LABELS)
    return counts.reshape(_LABELS, _LABELS)


def _of_label(pairs: NDArray[np.int64], label: int) -> VoxelCounts:
    return VoxelCounts(
        int(pairs[label:, label:].sum()),
        int(pairs[label:, :label].sum()),
        int(pairs[:label, label:].sum()),
        int(pairs[:label, :label].sum()),
    )
