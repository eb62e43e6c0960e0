"""A CT volume and its origin."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.geometry import Affine, Int3, StoredGrid
from liverseg_gui.core.scan_issues import Concern, ScanIssue, Severity
from liverseg_gui.core.slices import SourceSlices
from liverseg_gui.core.window_level import NamedWindow

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Header


def modality_text(modality: str, stated: bool) -> str:
    """A modality in words, which tell where the file does not say and it is assumed."""
    return modality if stated else f"{modality} (assumed)"


_NOBODY = {
    *("", "0", "anon", "anonymous", "anonymized", "anonymised", "none", "unknown", "n/a"),
    *("removed", "deidentified", "no name", "xxx"),
}


def somebody(patient_id: str) -> str:
    """A PatientID, or nothing where it names nobody."""
    known = patient_id.strip()
    return "" if known.lower() in _NOBODY else known


@dataclass(frozen=True)
class DicomIdentity:
    """Whose scan DICOM files hold, and which; texts are empty where they do not say."""

    patient_id: str = ""
    patient: str = ""
    study_uid: str = ""
    series_uid: str = ""
    frame_of_reference: str = ""


@dataclass(frozen=True)
class Origin:
    """Where a volume came from, for titles, reports and saving on the same grid.

    `nifti_header` is the header of a NIfTI source: a mask is saved with its qform, sform, codes
    and units, so that every program places it exactly where it places the scan. `source_slices`
    are the slices of a scan that was resampled onto an even grid. `file_grid` is the grid of the
    file, where the reader stated another one for it.
    `windows` are those that the file states, its default first. `modality` is CT where the file
    does not say, and then not `modality_stated`. `identity` is that of DICOM files.
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
    modality_stated: bool = True
    identity: DicomIdentity | None = None

    @property
    def modality_text(self) -> str:
        """The modality in words."""
        return modality_text(self.modality, self.modality_stated)


@dataclass(frozen=True, eq=False)
class Volume:
    """A CT scan: int16 HU, shape (i, j, k) in RAS+ order, read-only.

    `grid` is the stored grid of its file (or the even grid it was resampled onto); `affine` is
    derived from it. `issues` is all that is remarkable about the scan, the gravest first.
    """

    hu: NDArray[np.int16]
    grid: StoredGrid
    origin: Origin
    issues: tuple[ScanIssue, ...] = field(default=())

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
            for f in self.issues
            if f.severity is not Severity.INFO and f.concern is not Concern.MODEL
        )

    @property
    def model_warnings(self) -> tuple[str, ...]:
        """Sentences a reader must see beside a mask that a model made of this volume."""
        return tuple(
            str(f)
            for f in self.issues
            if f.severity is not Severity.INFO and f.concern is Concern.MODEL
        )

    @property
    def no_hu(self) -> ScanIssue | None:
        """The finding by which the values are no HU, so that no model may be given them."""
        return next((f for f in self.issues if f.no_hu), None)

    @property
    def mm_reliable(self) -> bool:
        """Whether lengths and volumes measured on this volume can be trusted."""
        return not any(f.spoils_mm for f in self.issues)
