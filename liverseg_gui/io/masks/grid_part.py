"""Masks on a part of a scan's voxels: cropped to what they mark, or with a margin around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.errors import GridMismatchError
from liverseg_gui.core.geometry import Affine, Int3, StoredGrid
from liverseg_gui.core.scan_issues import ScanIssue, info
from liverseg_gui.core.volume import Volume

_SAME_MM, _SAME_SHARE = 0.05, 0.1
"""How far a corner may lie off, in mm and in voxels: spacings are rounded as text."""
_NOWHERE = {"unit-spacing", "identity-affine", "no-orientation", "no-position"}
"""Findings of scans whose place in the patient means nothing: no part of it can be found."""


@dataclass(frozen=True)
class Part:
    """Where the first voxel of a mask of `shape` lies in a scan of `scan_shape`, in RAS+ order."""

    start: Int3
    shape: Int3
    scan_shape: Int3

    @property
    def issue(self) -> ScanIssue:
        """What to know about such a mask."""
        ours, theirs = (" x ".join(map(str, size)) for size in (self.shape, self.scan_shape))
        return info(
            "mask-of-part",
            f"The mask's file has {ours} of the scan's {theirs} voxels: it was laid on them by its "
            "position.",
        )

    def laid_on(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """`labels` (RAS+ order) on the whole scan's voxels.

        Raises:
            GridMismatchError: some of what they mark lies outside the scan.
        """
        whole = np.zeros(self.scan_shape, np.uint8, order="F")
        ends = np.add(self.start, self.shape)
        low = np.clip(self.start, 0, self.scan_shape)
        high = np.clip(ends, low, self.scan_shape)
        there = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        first, last = low - self.start, high - self.start
        here = tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
        whole[there] = labels[here]
        if lost := int(np.count_nonzero(labels)) - int(np.count_nonzero(whole)):
            raise GridMismatchError(
                f"{lost:,} voxels of the mask lie outside the scan, which is a part of the one it "
                "was made on.",
                "Open the whole scan, or crop the mask to this one.",
            )
        return whole


def same_voxels(mask: Affine, scan: Affine, shape: Int3) -> bool:
    """Whether both place a grid of `shape` alike, but for what writers round."""
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in shape])).reshape(3, -1).T
    spacing = np.array(scan.spacing_mm)
    off = np.abs(scan.to_ijk(mask.to_mm(corners)) - corners) * spacing
    return bool((off <= np.maximum(_SAME_MM, _SAME_SHARE * spacing)).all())


def part_of(volume: Volume, grid: StoredGrid) -> Part | None:
    """Where a mask on `grid` lies, if its voxels are the scan's and it has another size.

    One of the same size that lies a whole number of voxels off is none: it is more likely to have
    lost its place than to have been cut out there. Nor is one of that size with its axes swapped.
    """
    if not volume.grid.affine.matrix[:3, 3].any() or not _NOWHERE.isdisjoint(
        issue.code for issue in volume.issues
    ):
        return None
    i, j, k = grid.to_ras(np.broadcast_to(np.False_, grid.shape)).shape
    shape = i, j, k
    if sorted(shape) == sorted(volume.shape):
        return None
    at = np.rint(volume.affine.to_ijk(grid.ras_affine.matrix[:3, 3])).astype(int)
    moved = volume.affine.matrix.copy()
    moved[:3, 3] = volume.affine.to_mm(at)
    overlaps = all(-n < a < m for a, n, m in zip(at, shape, volume.shape, strict=True))
    if not overlaps or not same_voxels(grid.ras_affine, Affine(moved), shape):
        return None
    return Part((int(at[0]), int(at[1]), int(at[2])), shape, volume.shape)


def unplaced(problem: GridMismatchError) -> GridMismatchError:
    """The error for a mask that is refused and whose file does not say where it lies."""
    return GridMismatchError(
        "The mask's file does not say where it lies in the patient (a NIfTI without qform and "
        "sform, or a header without directions), and taken as it is it does not lie on the scan. "
        f"{problem.message}",
        "Save the mask again on its scan, with the scan's position: the program that made it has "
        "left that out.",
    )


def unsized(problem: GridMismatchError) -> GridMismatchError:
    """The error for a mask that is refused on a scan whose mm are not reliable."""
    return GridMismatchError(
        f"{problem.message} How large the scan's voxels are is not certain, either.",
        "If the mask was made on this scan, set the scan's spacing first (File menu, --spacing).",
    )
