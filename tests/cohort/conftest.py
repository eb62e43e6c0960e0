"""Small scans, and a segmenter that needs no network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from liverseg_gui.cohort.run_case import CaseOptions
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.phantom import Phantom, PhantomSpec, make_phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.formats.nifti_write import write_scan
from liverseg_gui.segmentation.segmenter import Segmentation


class Threshold:
    """Calls everything denser than water liver, and remembers what it was given."""

    def __init__(self, hu: int = 0) -> None:
        self.hu = hu
        self.seen: list[Path] = []

    def segment(self, volume: Volume, progress: Progress) -> Segmentation:
        progress.update(0.0, "Segmenting")
        self.seen.append(volume.origin.path)
        labels = LabelMap((volume.hu > self.hu).astype(np.uint8), volume.grid)
        return Segmentation(labels, "threshold", "cpu", 0.0)


@pytest.fixture(scope="session")
def tiny() -> Phantom:
    """A phantom of 64 x 64 x 16 voxels."""
    return make_phantom(PhantomSpec(2, (64, 64, 16), (6.0, 6.0, 12.0), (40.0,)))


@pytest.fixture
def scans(tiny: Phantom, tmp_path: Path) -> Path:
    """A folder of three NIfTI scans, two of them in folders of their own."""
    for place in ("a.nii.gz", "one/scan.nii.gz", "two/scan.nii.gz"):
        path = tmp_path / "scans" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        write_scan(tiny.volume, path)
    return tmp_path / "scans"


@pytest.fixture
def options(tmp_path: Path) -> CaseOptions:
    """Masks into the folder `out`."""
    (tmp_path / "out").mkdir()
    return CaseOptions(tmp_path / "out", "threshold", "0" * 64)
