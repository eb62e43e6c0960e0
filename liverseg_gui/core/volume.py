"""A CT volume and the label map that lies on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.errors import GridMismatchError
from liverseg_gui.core.geometry import Affine, Int3, StoredGrid
from liverseg_gui.core.scan_issues import Concern, Finding, Severity
from liverseg_gui.core.slices import SourceSlices

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Header

    from liverseg_gui.core.display import NamedWindow

BACKGROUND, LIVER, TUMOR = 0, 1, 2


@dataclass(frozen=True)
class Origin:
    """Where a volume came from, for titles, reports and saving on the same grid.

    `nifti_header` is the header of a NIfTI source: a mask is saved with its qform, sform, codes
    and units, so that every program places it exactly where it places the scan. `source_slices`
    are the slices of a scan that was resampled onto an even grid. `file_grid` is the grid of the
    file, where the reader stated another one for it.
    `windows` are those that the file states, its default first.
    """

    path: Path
    description: str = ""
    patient: str = ""
    modality: str = "CT"
    slice_thickness_mm: float | None = None
    nifti_header: Nifti1Header | None = None
    source_slices: SourceSlices | None = None
    file_grid: StoredGrid | None = None
    windows: tuple[NamedWindow, ...] = ()


@dataclass(frozen=True, eq=False)
class Volume:
    """A CT scan: int16 HU, shape (i, j, k) in RAS+ order, read-only.

    `grid` is the stored grid of its file (or the even grid it was resampled onto); `affine` is
    derived from it. `findings` is all that is remarkable about the scan, the gravest first.
    """

    hu: NDArray[np.int16]
    grid: StoredGrid
    origin: Origin
    findings: tuple[Finding, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.hu.dtype != np.int16:
            raise TypeError("a Volume holds int16 HU")
        if self.hu.shape != self.grid.to_ras(np.broadcast_to(np.False_, self.grid.shape)).shape:
            raise ValueError("HU array and grid differ in shape")
        self.hu.setflags(write=False)

    @property
    def shape(self) -> Int3:
        """Voxels along i, j, k in RAS+ order."""
        i, j, k = self.hu.shape
        return i, j, k

    @property
    def affine(self) -> Affine:
        """Maps RAS+ ordered indices to patient mm."""
        return self.grid.ras_affine

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences a reader must see beside every figure measured on this volume."""
        return tuple(
            str(f)
            for f in self.findings
            if f.severity is not Severity.INFO and f.concern is not Concern.MODEL
        )

    @property
    def model_warnings(self) -> tuple[str, ...]:
        """Sentences a reader must see beside a mask that a model made of this volume."""
        return tuple(
            str(f)
            for f in self.findings
            if f.severity is not Severity.INFO and f.concern is Concern.MODEL
        )

    @property
    def mm_reliable(self) -> bool:
        """Whether lengths and volumes measured on this volume can be trusted."""
        return not any(f.spoils_mm for f in self.findings)


@dataclass(frozen=True, eq=False)
class LabelMap:
    """Labels of a volume: uint8 (0 background, 1 liver, 2 tumor), shape (i, j, k) in RAS+ order."""

    labels: NDArray[np.uint8]
    grid: StoredGrid

    def __post_init__(self) -> None:
        if self.labels.dtype != np.uint8:
            raise TypeError("a LabelMap holds uint8 labels")
        self.labels.setflags(write=False)

    @property
    def affine(self) -> Affine:
        """Maps RAS+ ordered indices to patient mm."""
        return self.grid.ras_affine

    def require_grid_of(self, volume: Volume) -> None:
        """Check that this map lies on `volume`'s grid.

        Raises:
            GridMismatchError: shape or position differ.
        """
        if self.labels.shape != volume.shape:
            raise GridMismatchError(
                f"The mask has {_size(self.labels.shape)} voxels but the scan has "
                f"{_size(volume.shape)}. Open the scan this mask was made on."
            )
        if not self.affine.close_to(volume.affine, volume.shape):
            raise GridMismatchError(
                "The mask lies at another place or has another spacing than the scan "
                f"({self.affine} against {volume.affine}). Open the scan this mask was made on."
            )


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape)
