"""One scan gives one mask: again, in every orientation of its file, in thick and in thin slices."""

from __future__ import annotations

from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.measure import measure
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.io.scans import open_scan
from liverseg_gui.segmentation.inference import NetworkSegmenter

ORIENTATIONS = [
    np.array([[axis, flip] for axis, flip in zip(order, flips, strict=True)])
    for order in permutations(range(3))
    for flips in product((1, -1), repeat=3)
]


@pytest.fixture(scope="module")
def scan(phantom: Phantom) -> Volume:
    """Some of the phantom's voxels: 6 x 6 x 36 mm, quick to segment."""
    hu = phantom.volume.hu[::2, ::2, ::8].copy(order="F")
    grid = StoredGrid(hu.shape, Affine.from_spacing((6.0, 6.0, 36.0)))
    return Volume(hu, grid, Origin(Path("phantom")))


@pytest.fixture(scope="module")
def segmenter() -> NetworkSegmenter:
    return NetworkSegmenter("default", "cpu")


def test_the_same_scan_gives_the_same_mask(scan: Volume, segmenter: NetworkSegmenter) -> None:
    first, again = (segmenter.segment(scan, Progress()).labels.labels for _ in range(2))
    assert first.any()
    np.testing.assert_array_equal(first, again)


@pytest.mark.slow
def test_every_orientation_of_the_file_gives_the_same_mask(
    scan: Volume, segmenter: NetworkSegmenter, tmp_path: Path
) -> None:
    expected = segmenter.segment(scan, Progress()).labels.labels
    assert expected.any()
    assert len(ORIENTATIONS) == 48
    image = nib.Nifti1Image(scan.hu, scan.grid.affine.matrix)
    for number, orientation in enumerate(ORIENTATIONS):
        path = tmp_path / f"{number}.nii"
        nib.save(image.as_reoriented(orientation), path)
        opened = open_scan(path)
        found = segmenter.segment(opened, Progress()).labels
        np.testing.assert_array_equal(found.labels, expected, err_msg=str(orientation.tolist()))


@pytest.mark.slow
@pytest.mark.real_data
def test_thick_and_thin_slices_of_a_scan_agree_within_five_percent(
    real_data: Path, segmenter: NetworkSegmenter
) -> None:
    scan = open_scan(real_data / "dicom" / "chaos_ct3")  # 2 mm
    thick = scan.hu[:, :, :76].reshape(*scan.shape[:2], 19, 4).mean(3)
    thin = ndimage.zoom(scan.hu[::2, ::2].astype(np.float32), (1, 1, 2.5), order=1)
    liver_ml = [
        measure(volume, segmenter.segment(volume, Progress()).labels).liver_ml
        for volume in (scan, _volume(thick, scan, 1, 8.0), _volume(thin, scan, 2, 0.8))
    ]
    assert liver_ml[1:] == pytest.approx([liver_ml[0]] * 2, rel=0.05)


def _volume(hu: np.ndarray, like: Volume, step: int, slice_mm: float) -> Volume:
    i_mm, j_mm, _ = like.affine.spacing_mm
    spacing_mm = (i_mm * step, j_mm * step, slice_mm)
    grid = StoredGrid(hu.shape, Affine.from_spacing(spacing_mm))
    return Volume(np.asfortranarray(hu.round().astype(np.int16)), grid, like.origin)
