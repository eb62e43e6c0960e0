"""Test data of the self-test: a phantom, and its segmentation by the default model."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.measure import Measurements, measure
from liverseg_gui.core.phantom import Phantom, PhantomSpec, make_phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.segmenter import Segmentation

_SPEC = PhantomSpec(1, (128, 128, 48), (3.0, 3.0, 4.5), (40.0, 30.0, 20.0))


class Bench:
    """The phantom in `folder`, and its segmentation by the default model: once, for all checks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._tried = False

    @cached_property
    def phantom(self) -> Phantom:
        """The phantom."""
        return make_phantom(_SPEC)

    @cached_property
    def scan(self) -> Path:
        """The phantom as NIfTI."""
        from liverseg_gui.cli.phantom import write_phantom

        return write_phantom(self.phantom, self.folder)

    @cached_property
    def segmentation(self) -> Segmentation:
        """The segmentation by the default model, in a process of its own as in the window.

        Raises:
            LiverSegError: it failed, now or before: it is not tried once for each check.
        """
        from liverseg_gui.segmentation.segmenter_process import ProcessSegmenter

        if self._tried:
            raise LiverSegError("There is no segmentation to work on.")
        self._tried = True
        segmenter = ProcessSegmenter()
        try:
            return segmenter.segment(self.phantom.volume, Progress())
        finally:
            segmenter.close()

    @cached_property
    def measurements(self) -> Measurements:
        """The measurements of the segmentation."""
        return measure(self.phantom.volume, self.segmentation.labels)

    @property
    def mask(self) -> Path:
        """The segmentation as NIfTI; written at the first use."""
        from liverseg_gui.io.formats.nifti_write import save_mask

        path = self.folder / "mask.nii.gz"
        if not path.exists():
            save_mask(self.segmentation.labels, self.phantom.volume.origin, path)
        return path
