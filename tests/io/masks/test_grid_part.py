from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813

from liverseg_gui.core.errors import GridMismatchError
from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.scan_issues import Concern, warning
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.io.masks.read import read_mask
from liverseg_gui.io.scans import open_scan
from tests.core.test_geometry import orientations
from tests.io.masks.test_dicom_seg import slices_of, stack, write_seg

SHAPE = (9, 10, 8)
SPACING = np.array((0.8, 0.9, 2.5))
ORIGIN = np.array((-120.0, -88.0, 35.5))
MATRIX = np.diag([*SPACING, 1.0])
MATRIX[:3, 3] = ORIGIN
LABELS = np.zeros(SHAPE, np.uint8)
LABELS[2:6, 3:8, 1:6] = np.random.default_rng(3).integers(0, 3, (4, 5, 5))


@pytest.fixture
def scan() -> Volume:
    grid = StoredGrid(SHAPE, Affine(MATRIX))
    return Volume(np.zeros(SHAPE, np.int16), grid, Origin(Path("ct.nii.gz")))


def part(path: Path, start: tuple[int, int, int], values: np.ndarray, off: float = 0.0) -> Path:
    """`values` from the voxel `start` of the scan on, `off` voxels beside it."""
    matrix = MATRIX.copy()
    matrix[:3, 3] = ORIGIN + (np.array(start) + off) * SPACING
    if path.name.endswith(".nrrd"):
        made = sitk.GetImageFromArray(np.ascontiguousarray(values.transpose(2, 1, 0)))
        made.SetSpacing(SPACING.tolist())
        made.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
        made.SetOrigin((matrix[:3, 3] * (-1, -1, 1)).tolist())
        sitk.WriteImage(made, str(path))
    else:
        nib.save(nib.Nifti1Image(values, matrix), path)
    return path


@pytest.mark.parametrize("name", ["m.nii.gz", "m.nrrd"])
def test_a_cropped_mask_is_laid_on_the_scans_voxels(
    tmp_path: Path, scan: Volume, name: str
) -> None:
    mask = read_mask(part(tmp_path / name, (2, 3, 1), LABELS[2:6, 3:8, 1:6]), scan)
    np.testing.assert_array_equal(mask.labels, LABELS)
    assert [issue.code for issue in mask.issues] == ["mask-of-part"]
    assert "4 x 5 x 5 of the scan's 9 x 10 x 8 voxels" in mask.notes[0]


@pytest.mark.parametrize("orientation", range(0, 48, 5))
def test_a_cropped_mask_may_be_stored_in_another_axis_order(
    tmp_path: Path, scan: Volume, orientation: int
) -> None:
    path = part(tmp_path / "m.nii", (2, 3, 1), LABELS[2:6, 3:8, 1:6])
    image = nib.load(path)
    turn = nib.orientations.axcodes2ornt(nib.aff2axcodes(np.eye(4)))
    order = orientations()[orientation]
    turn[:, 0], turn[:, 1] = np.abs(order).argmax(axis=0), order.sum(axis=0)
    nib.save(image.as_reoriented(turn), tmp_path / "turned.nii")
    np.testing.assert_array_equal(read_mask(tmp_path / "turned.nii", scan).labels, LABELS)


def test_a_mask_whose_axes_are_swapped_is_no_part(tmp_path: Path, scan: Volume) -> None:
    swapped = np.ascontiguousarray(LABELS.transpose(1, 0, 2))
    with pytest.raises(GridMismatchError, match="10 x 9 x 8 voxels but the scan has 9 x 10 x 8"):
        read_mask(part(tmp_path / "m.nii", (0, 0, 0), swapped), scan)


def test_a_mask_with_a_margin_around_the_scan_is_cut_where_it_is_empty(
    tmp_path: Path, scan: Volume
) -> None:
    wide = np.pad(LABELS, 2)
    mask = read_mask(part(tmp_path / "m.nii", (-2, -2, -2), wide), scan)
    np.testing.assert_array_equal(mask.labels, LABELS)
    wide[0, 0, :3] = 1
    with pytest.raises(GridMismatchError, match="3 voxels of the mask lie outside the scan"):
        read_mask(part(tmp_path / "m.nii", (-2, -2, -2), wide), scan)


@pytest.mark.parametrize("start", [(20, 0, 0), (2, 3, -30)])
def test_a_mask_beside_the_scan_is_refused(
    tmp_path: Path, scan: Volume, start: tuple[int, int, int]
) -> None:
    with pytest.raises(GridMismatchError, match="4 x 5 x 5 voxels but the scan has 9 x 10 x 8"):
        read_mask(part(tmp_path / "m.nii", start, LABELS[2:6, 3:8, 1:6]), scan)


def test_a_part_between_the_scans_voxels_is_refused(tmp_path: Path, scan: Volume) -> None:
    with pytest.raises(GridMismatchError, match="4 x 5 x 5"):
        read_mask(part(tmp_path / "m.nii", (2, 3, 1), LABELS[2:6, 3:8, 1:6], 0.4), scan)


def test_a_part_of_a_scan_that_lies_nowhere_is_refused(tmp_path: Path) -> None:
    plain = np.diag([*SPACING, 1.0])
    grid = StoredGrid(SHAPE, Affine(plain))
    scan = Volume(np.zeros(SHAPE, np.int16), grid, Origin(Path("ct.nii.gz")))
    nib.save(nib.Nifti1Image(LABELS[:, :, :5], plain), tmp_path / "m.nii")
    with pytest.raises(GridMismatchError, match="9 x 10 x 5"):
        read_mask(tmp_path / "m.nii", scan)


def test_where_the_scans_size_is_not_known_the_refusal_says_so(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(LABELS, MATRIX), tmp_path / "m.nii")
    grid = StoredGrid(SHAPE, Affine(np.diag([1.0, 1.0, 2.5, 1.0])))
    doubt = warning("no-pixel-spacing", "No size.", "Export again.", Concern.MM)
    scan = Volume(np.zeros(SHAPE, np.int16), grid, Origin(Path("ct")), (doubt,))
    with pytest.raises(GridMismatchError, match=r"not certain.*--spacing"):
        read_mask(tmp_path / "m.nii", scan)


# What differs


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"shift": (0, 0, 2.5)}, "lies 2.5 mm toward the head"),
        ({"shift": (0, 0, -2.5)}, "lies 2.5 mm toward the feet"),
        ({"shift": (0.8, -1.8, 0)}, "lies 0.8 mm toward the right, 1.8 mm toward the back"),
        (
            {"scale": (1, 1, 1.2)},
            "has voxels of 0.8 x 0.9 x 3 mm where the scan has 0.8 x 0.9 x 2.5",
        ),
        ({"turn": 4.0}, "is turned by 4 degrees"),
    ],
)
def test_a_refusal_says_what_differs(
    tmp_path: Path, scan: Volume, change: dict, told: str
) -> None:  # fmt: skip
    matrix = MATRIX.copy()
    angle = np.radians(change.get("turn", 0.0))
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]] @ (
        matrix[:2, :2]
    )
    matrix[:3, :3] *= change.get("scale", 1)
    matrix[:3, 3] += change.get("shift", 0)
    nib.save(nib.Nifti1Image(LABELS, matrix), tmp_path / "m.nii")
    with pytest.raises(GridMismatchError) as refused:
        read_mask(tmp_path / "m.nii", scan)
    assert told in refused.value.message


def test_a_mask_without_a_position_is_refused_for_that(tmp_path: Path, scan: Volume) -> None:
    image = nib.Nifti1Image(LABELS, None)
    image.header.set_zooms(SPACING)
    nib.save(image, tmp_path / "m.nii")
    with pytest.raises(GridMismatchError, match="does not say where it lies in the patient"):
        read_mask(tmp_path / "m.nii", scan)


@pytest.mark.parametrize("digits", [3, 4])
def test_rounded_positions_and_spacings_are_the_scans(tmp_path: Path, digits: int) -> None:
    shape = (512, 4, 5)
    exact = np.diag([0.703125, 0.703125, 2.5, 1.0])
    exact[:3, 3] = -179.6484375, -179.6484375, 12.0625
    scan = Volume(
        np.zeros(shape, np.int16), StoredGrid(shape, Affine(exact)), Origin(Path("ct.nii"))
    )
    labels = np.zeros(shape, np.uint8)
    labels[100:400, 1:3, 1:3] = 1
    nib.save(nib.Nifti1Image(labels, exact.round(digits)), tmp_path / "m.nii")
    mask = read_mask(tmp_path / "m.nii", scan)
    np.testing.assert_array_equal(mask.labels, labels)
    assert mask.grid is scan.grid


def test_a_seg_says_how_its_slices_differ_from_the_scans(phantom: Phantom, tmp_path: Path) -> None:
    write_dicom_series(phantom.volume, tmp_path / "ct")
    seg = write_seg(tmp_path / "s.dcm", slices_of(tmp_path / "ct"), stack(phantom) // 2, ["Tumor"])
    for file in (tmp_path / "ct").iterdir():
        one = pydicom.dcmread(file)
        x, y, z = one.ImagePositionPatient
        one.ImagePositionPatient = [x + 3, y, z]
        one.save_as(file)
    with pytest.raises(GridMismatchError, match=r"slices lie elsewhere.*3 mm toward the right"):
        read_mask(seg, open_scan(tmp_path / "ct"))
