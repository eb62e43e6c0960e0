from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.measure import measure
from liverseg_gui.core.progress import Progress
from liverseg_gui.io.formats.nifti_write import save_mask
from liverseg_gui.io.masks.read import read_mask
from liverseg_gui.io.scans import list_volumes, open_scan

MATRIX = np.array([[-2.0, 0, 0, 39], [0, -2.5, 0, 43], [0, 0, 4, -100], [0, 0, 0, 1]])
HU = np.random.default_rng(0).integers(-1000, 300, (12, 10, 7)).astype(np.int16)
HU[0] = -1000
LABELS = (np.random.default_rng(1).integers(0, 3, HU.shape) * (HU > -1000)).astype(np.uint8)


def as_nifti(path: Path, values: np.ndarray, extra: tuple[int, ...] = (1,)) -> Path:
    shape = (*values.shape[:2], *extra, values.shape[2])
    image = nib.Nifti1Image(values.reshape(shape, order="F"), MATRIX)
    image.header.set_xyzt_units("mm", "sec")
    image.to_filename(path)
    return path


def as_nrrd(path: Path, values: np.ndarray) -> Path:
    kind = "short" if values.dtype == np.int16 else "uchar"
    lines = [
        "NRRD0005", f"type: {kind}", "dimension: 4", "space: right-anterior-superior",
        "sizes: 12 10 1 7", "space directions: (-2,0,0) (0,-2.5,0) (0,0,4) none",
        "kinds: domain domain domain list", "endian: little", "encoding: raw",
        "space origin: (39,43,-100)", "", "",
    ]  # fmt: skip
    path.write_bytes("\n".join(lines).encode() + values.tobytes(order="F"))
    return path


def as_metaimage(path: Path, values: np.ndarray) -> Path:
    image = sitk.GetImageFromArray(
        np.ascontiguousarray(values.transpose(2, 1, 0)[:, np.newaxis]), isVector=False
    )
    image.SetSpacing((2.0, 2.5, 4.0, 1.0))
    image.SetOrigin((-39.0, -43.0, -100.0, 0.0))
    sitk.WriteImage(image, str(path))
    return path


@pytest.mark.parametrize(
    ("write", "name"),
    [(as_nifti, "ct.nii.gz"), (as_nrrd, "ct.nrrd"), (as_metaimage, "ct.mha")],
)
def test_slices_on_the_time_axis_are_one_volume_and_told(
    tmp_path: Path, write: Callable[[Path, np.ndarray], Path], name: str
) -> None:
    path = write(tmp_path / name, HU)
    (entry,) = list_volumes(path, Progress())
    volume = entry.read(Progress())
    np.testing.assert_array_equal(volume.hu, volume.grid.to_ras(HU))
    assert volume.grid.affine.spacing_mm == pytest.approx((2, 2.5, 4))
    np.testing.assert_allclose(volume.grid.affine.matrix, MATRIX)
    assert "slices-on-time-axis" in [issue.code for issue in volume.issues]
    assert not volume.mm_reliable
    mask = read_mask(write(tmp_path / f"mask.{name.partition('.')[2]}", LABELS), volume)
    np.testing.assert_array_equal(mask.labels, volume.grid.to_ras(LABELS))
    assert any("time axis" in text for text in measure(volume, mask).warnings)


def test_a_fifth_axis_is_none_where_the_fourth_is_of_one(tmp_path: Path) -> None:
    volume = open_scan(as_nifti(tmp_path / "ct.nii", HU, (1, 1)))
    np.testing.assert_array_equal(volume.hu, volume.grid.to_ras(HU))


def test_a_mask_of_such_a_scan_is_saved_on_its_slices(tmp_path: Path) -> None:
    volume = open_scan(as_nifti(tmp_path / "ct.nii.gz", HU))
    save_mask(
        LabelMap(volume.grid.to_ras(LABELS).copy(), volume.grid), volume.origin, tmp_path / "m.nii"
    )
    np.testing.assert_array_equal(np.asanyarray(nib.load(tmp_path / "m.nii").dataobj), LABELS)
    np.testing.assert_array_equal(
        read_mask(tmp_path / "m.nii", volume).labels, volume.grid.to_ras(LABELS)
    )


def test_volumes_of_several_slices_stay_volumes(tmp_path: Path) -> None:
    both = np.stack([HU, HU[::-1]], axis=3)
    nib.save(nib.Nifti1Image(both, MATRIX), tmp_path / "ct.nii")
    assert [entry.size for entry in list_volumes(tmp_path / "ct.nii", Progress())] == [
        HU.shape,
        HU.shape,
    ]


def test_slices_in_time_without_a_distance_are_refused_for_that(tmp_path: Path) -> None:
    text = as_nrrd(tmp_path / "ct.nrrd", HU).read_bytes()
    for old, new in (
        (b"dimension: 4", b"dimension: 3"),
        (b"12 10 1 7", b"12 10 7"),
        (b"(0,0,4) none", b"none"),
        (b"domain domain domain list", b"domain domain time"),
    ):
        text = text.replace(old, new)
    (tmp_path / "ct.nrrd").write_bytes(text)
    with pytest.raises(UnreadableFileError, match="time axis, and does not say how far"):
        open_scan(tmp_path / "ct.nrrd")
