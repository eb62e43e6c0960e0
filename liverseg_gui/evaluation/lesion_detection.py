"""Lesion detection: the components of two tumor masks, matched with each other and counted.

A lesion is a 26-connected component of the tumor label. The rule for several that touch one is
that of the LiTS evaluation (github.com/PatrickChrist/lits-challenge-scoring, `detect_lesions`):

1. each true lesion joins the found lesion that shares most voxels with it; true lesions that
   joined the same one become one group,
2. each found lesion joins the group of true lesions that it shares most voxels with,
3. a group and all that joined it match where the IoU of the two unions is above the threshold;
   then every lesion on both sides counts as matched.

Precision is the matched share of the found lesions, recall that of the true ones. LiTS counts the
true lesions of matched groups in both, and joins lesions by faces alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.geometry import Affine, Float3, common_box
from liverseg_gui.core.measure import axial_diameters, numbered_lesions
from liverseg_gui.core.progress import Progress

OVER_HALF, ANY_OVERLAP = 0.5, 0.0
MEASURABLE_MM = 10.0
SIZES = ("<10", "10-20", ">20")


@dataclass(frozen=True)
class LesionCounts:
    """Lesions of both masks, and how many of each belong to a match."""

    found: int = 0
    found_matched: int = 0
    true: int = 0
    true_matched: int = 0

    def __add__(self, other: LesionCounts) -> LesionCounts:
        """The counts of both together."""
        return LesionCounts(
            self.found + other.found,
            self.found_matched + other.found_matched,
            self.true + other.true,
            self.true_matched + other.true_matched,
        )

    @property
    def precision(self) -> float | None:
        """The share of found lesions that is right; None where none was found."""
        return self.found_matched / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """The share of true lesions that was found; None where there are none."""
        return self.true_matched / self.true if self.true else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall: 0 where one side has none, None where both."""
        if not self.found and not self.true:
            return None
        precision, recall = self.precision or 0.0, self.recall or 0.0
        total = precision + recall
        return 2.0 * precision * recall / total if total else 0.0


@dataclass(frozen=True)
class Detection:
    """The lesion counts at one threshold of IoU: all, of at least 10 mm, and by size.

    A true lesion counts in the class of its own longest axial diameter, a found one in that of
    its own. Classes are None where sizes are not known.
    """

    every: LesionCounts
    from_10_mm: LesionCounts | None
    by_size: tuple[LesionCounts, LesionCounts, LesionCounts] | None


@dataclass(frozen=True)
class LesionMetrics:
    """The lesions of one patient, matched at IoU > 0.5 and at any overlap."""

    over_half: Detection
    any_overlap: Detection


@dataclass(frozen=True)
class _Side:
    """The lesions of one mask: numbered labels in a box, their voxels and diameters."""

    labels: NDArray[np.int32]
    voxels: NDArray[np.int64]
    diameters_mm: NDArray[np.float64] | None

    def __len__(self) -> int:
        return len(self.voxels)


def lesion_metrics(
    prediction: NDArray[np.bool_],
    reference: NDArray[np.bool_],
    spacing_mm: Float3 | None,
    progress: Progress | None = None,
) -> LesionMetrics:
    """Match the lesions of two tumor masks (i, j, k) whose last axis runs along the body.

    Without `spacing_mm` there are no sizes.

    Raises:
        Cancelled: asked for through `progress`.
    """
    progress = progress or Progress()
    box = common_box(prediction, reference) or (slice(0, 1),) * 3  # where there is nothing to find
    a = _side(prediction[box], spacing_mm, progress.part(0.0, 0.5))
    b = _side(reference[box], spacing_mm, progress.part(0.5, 1.0))
    shared = _shared(a, b)
    return LesionMetrics(
        *(
            _detection(*_matched(shared, a, b, least), a.diameters_mm, b.diameters_mm)
            for least in (OVER_HALF, ANY_OVERLAP)
        )
    )


def _side(mask: NDArray[np.bool_], spacing_mm: Float3 | None, progress: Progress) -> _Side:
    progress.update(0.0, "Finding lesions")
    labels, voxels, boxes = numbered_lesions(mask)
    if spacing_mm is None:
        return _Side(labels, voxels, None)
    affine = Affine.from_spacing(spacing_mm)
    sizes = np.zeros(len(boxes))
    for n, box in enumerate(boxes):
        progress.update(n / len(boxes), f"Measuring lesion {n + 1} of {len(boxes)}")
        sizes[n] = axial_diameters(labels[box] == n + 1, affine)[0]
    return _Side(labels, voxels, sizes)


def _shared(found: _Side, true: _Side) -> _Pairs:
    """How many voxels found lesion m shares with true lesion n, for those that share any."""
    both = (found.labels > 0) & (true.labels > 0)
    return _Pairs.counted(
        found.labels[both].astype(np.int64) - 1,
        true.labels[both].astype(np.int64) - 1,
        np.ones(int(both.sum()), np.int64),
    )


@dataclass(frozen=True)
class _Pairs:
    """Numbers `a`, `b` that go together, each pair once, and the voxels that say so."""

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    voxels: NDArray[np.int64]

    @classmethod
    def counted(
        cls, a: NDArray[np.int64], b: NDArray[np.int64], voxels: NDArray[np.int64]
    ) -> _Pairs:
        """The pairs of `a` and `b`, the `voxels` of equal ones added up."""
        width = int(b.max(initial=0)) + 1
        keys, place = np.unique(a * width + b, return_inverse=True)
        total = np.zeros(len(keys), np.int64)
        np.add.at(total, place.ravel(), voxels)
        return cls(keys // width, keys % width, total)

    def best_a(self) -> _Pairs:
        """For each `b`, in order, the `a` with most voxels; the first of equals."""
        order = np.lexsort((self.a, -self.voxels, self.b))
        _, first = np.unique(self.b[order], return_index=True)
        chosen = order[first]
        return _Pairs(self.a[chosen], self.b[chosen], self.voxels[chosen])


def _matched(
    shared: _Pairs, found: _Side, true: _Side, least: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which found and which true lesions belong to a match with an IoU above `least`."""
    found_in, true_in = np.zeros(len(found), bool), np.zeros(len(true), bool)
    joins = shared.best_a()
    _, first, place = np.unique(joins.a, return_index=True, return_inverse=True)
    number = np.argsort(np.argsort(first))[place.ravel()]  # groups count by their first true lesion
    group_of = np.full(len(true), -1, np.int64)
    group_of[joins.b] = number
    chosen = _Pairs.counted(group_of[shared.b], shared.a, shared.voxels).best_a()
    count = len(first)
    common = np.bincount(chosen.a, chosen.voxels, count)
    union = np.bincount(chosen.a, found.voxels[chosen.b], count) - common
    union += np.bincount(number, true.voxels[joins.b], count)
    right = common > least * union
    found_in[chosen.b] = right[chosen.a]
    true_in[joins.b] = right[number]
    return found_in, true_in


def _detection(
    found_in: NDArray[np.bool_],
    true_in: NDArray[np.bool_],
    found_mm: NDArray[np.float64] | None,
    true_mm: NDArray[np.float64] | None,
) -> Detection:
    every = _counted(found_in, true_in)
    if found_mm is None or true_mm is None:
        return Detection(every, None, None)

    def within(low: float, high: float) -> LesionCounts:
        ours = found_in[(found_mm >= low) & (found_mm < high)]
        return _counted(ours, true_in[(true_mm >= low) & (true_mm < high)])

    above_20 = float(np.nextafter(20.0, 21.0))
    sizes = within(0.0, 10.0), within(10.0, above_20), within(above_20, np.inf)
    return Detection(every, within(MEASURABLE_MM, np.inf), sizes)


def _counted(found_in: NDArray[np.bool_], true_in: NDArray[np.bool_]) -> LesionCounts:
    return LesionCounts(len(found_in), int(found_in.sum()), len(true_in), int(true_in.sum()))
