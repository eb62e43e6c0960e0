"""Labels of a scan: background, liver and tumor, and the map of them on its grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.errors import GridMismatchError
from liverseg_gui.core.geometry import Affine, Int3, StoredGrid
from liverseg_gui.core.scan_issues import ScanIssue, Severity

BACKGROUND, LIVER, TUMOR = 0, 1, 2


@dataclass(frozen=True, eq=False)
class LabelMap:
    """Labels of a volume: uint8 (0 background, 1 liver, 2 tumor), shape (i, j, k) in RAS+ order.

    `issues` is what is remarkable about the file it was read from: whose it is, and what its values
    were taken for.
    """

    labels: NDArray[np.uint8]
    grid: StoredGrid
    issues: tuple[ScanIssue, ...] = ()

    def __post_init__(self) -> None:
        if self.labels.dtype != np.uint8:
            raise TypeError("a LabelMap holds uint8 labels")
        self.labels.setflags(write=False)

    @property
    def affine(self) -> Affine:
        """Maps RAS+ ordered indices to patient mm."""
        return self.grid.ras_affine

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences a reader must see beside every figure of this mask."""
        return tuple(str(f) for f in self.issues if f.severity is not Severity.INFO)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that are good to know about this mask."""
        return tuple(str(f) for f in self.issues if f.severity is Severity.INFO)

    def require_grid(self, shape: Int3, affine: Affine) -> None:
        """Check that this map lies on a scan's grid, both in RAS+ order.

        Raises:
            GridMismatchError: shape or position differ.
        """
        if self.labels.shape != shape:
            raise GridMismatchError(
                f"The mask has {_size(self.labels.shape)} voxels but the scan has {_size(shape)}.",
                "Open the scan this mask was made on, or save the mask again on that scan.",
            )
        if not self.affine.close_to(affine, shape):
            raise GridMismatchError(
                "The mask lies at another place than the scan: it "
                f"{difference(self.affine, affine, shape)}.",
                "Open the scan this mask was made on, or save the mask again on that scan.",
            )


def difference(mask: Affine, scan: Affine, shape: Int3) -> str:
    """How a grid of `shape` at `mask` lies otherwise than at `scan`, as in "lies 4 mm lower"."""
    parts = []
    axes = [a.matrix[:3, :3] / np.array(a.spacing_mm) for a in (mask, scan)]
    degrees = np.degrees(np.arccos(np.clip((axes[0] * axes[1]).sum(axis=0), -1, 1))).max()
    if degrees > _SAME_DEGREES:
        parts.append(f"is turned by {_short(float(degrees))} degrees")
    spacing = np.array(mask.spacing_mm), np.array(scan.spacing_mm)
    extent = np.array(shape) - 1
    if (np.abs(spacing[0] - spacing[1]) * np.maximum(extent, 1) > _SAME_MM).any():
        ours, theirs = (" x ".join(f"{mm:.6g}" for mm in each) for each in spacing)
        parts.append(f"has voxels of {ours} mm where the scan has {theirs} mm")
    shift = mask.to_mm(extent / 2) - scan.to_mm(extent / 2)
    ways = [
        f"{_short(abs(mm))} mm toward {way[0] if mm > 0 else way[1]}"
        for mm, way in zip(shift.tolist(), _WAYS, strict=True)
        if abs(mm) > _SAME_MM
    ]
    if ways:
        parts.append(f"lies {', '.join(ways)}")
    return ", and ".join(parts) or "has corners elsewhere"


_SAME_DEGREES, _SAME_MM = 0.05, 0.02
_WAYS = (("the right", "the left"), ("the front", "the back"), ("the head", "the feet"))


def _short(number: float) -> str:
    return f"{number:.3g}" if number < 100 else f"{number:.0f}"


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape)


LABEL_NAMES = {LIVER: "Liver", TUMOR: "Tumor"}
