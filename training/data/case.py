"""A labelled scan as training sees it, and where it lies on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.core.scan_issues import ScanIssue
from liverseg_gui.core.slices import median_step
from liverseg_gui.segmentation.preprocessing import TrunkBox, context_indices, find_trunk


class ForeignLabelsError(UnreadableFileError):
    """A mask holds labels of which nothing says whether they are liver or tumor."""


@dataclass(frozen=True, eq=False)
class Case:
    """One labelled scan of one patient.

    `slices` and `labels` are uint8 of shape (n, rows, columns), axial, radiological (anterior at
    the top, the patient's right on the left), windowed as inference windows them; labels are 0
    background, 1 liver, 2 tumor. `z` (n,) ascends along the body and `gap` is the distance of the
    network's neighbours in its unit: millimetres where the spacing is known, else the stored
    index. `pixel_mm` is the (row, column) pixel distance, None where it is not known. `issues`
    is what was remarkable about the scan when it was read, and `person` the patient that its files
    name, or nothing.
    """

    name: str
    slices: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    z: NDArray[np.float64]
    gap: float
    pixel_mm: tuple[float, float] | None = None
    patient: str = ""
    issues: tuple[ScanIssue, ...] = ()
    person: str = ""

    @property
    def spacing_mm(self) -> tuple[float, float, float] | None:
        """mm between columns, rows and slices; None where they are not known."""
        if self.pixel_mm is None:
            return None
        slice_mm = median_step(np.diff(self.z)) if len(self.z) > 1 else self.gap
        return self.pixel_mm[1], self.pixel_mm[0], slice_mm

    def trunk(self, aspect: float) -> TrunkBox:
        """The box around the trunk (`find_trunk`)."""
        return find_trunk(self.slices, self.pixel_mm or (1.0, 1.0), aspect)

    def context(self, count: int) -> NDArray[np.int64]:
        """Each slice's `count` neighbours (n, count): `context_indices`."""
        return context_indices(self.z, self.gap, count)


class CaseSource(Protocol):
    """A labelled scan on disk, read only when it is needed."""

    @property
    def name(self) -> str:
        """The case's name, unique in its data set."""

    @property
    def patient(self) -> str:
        """Whose scan it is: all scans of one patient are on one side of a split."""

    def read(self) -> Case:
        """Read it.

        Raises:
            UnreadableFileError: a file is missing, damaged or holds labels that are none.
            GridMismatchError: scan and mask do not belong together.
        """

    def fingerprint(self) -> str:
        """Text that is another as soon as `read` may give something else."""
