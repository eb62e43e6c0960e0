from __future__ import annotations

import errno
import gzip
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from isal import igzip
from scipy.spatial.transform import Rotation

from liverseg_gui.core.errors import (
    AmbiguousInputError,
    GridMismatchError,
    SaveError,
    UnreadableFileError,
    UnsupportedFileError,
)
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.measure import measure
from liverseg_gui.core.progress import Progress
from liverseg_gui.io.formats import nifti_write
from liverseg_gui.io.formats.nifti_write import save_mask
from liverseg_gui.io.masks.read import read_mask
from liverseg_gui.io.scans import list_volumes, open_scan
from tests.core.test_geometry import orientations

SHAPE = (4, 5, 6)


def write(path: Path, data: np.ndarray, matrix: np.ndarray | None = None) -> Path:
    nib.save(nib.Nifti1Image(data, np.eye(4) if matrix is None else matrix), path)
    return path


def scan(path: Path, matrix: np.ndarray | None = None) -> Path:
    values = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)
    if matrix is None:
        matrix = np.diag([0.8, 0.8, 2.5, 1])
    return write(path, values, matrix)


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.sampled_from(range(48)),
    st.tuples(*[st.floats(0.4, 8.0)] * 3),
    st.tuples(*[st.floats(-25, 25)] * 3),
    st.tuples(*[st.integers(0, n - 1) for n in SHAPE]),
)
def test_a_labelled_voxel_keeps_its_patient_position_in_every_program(
    tmp_path: Path, orientation: int, spacing: tuple, angles: tuple, voxel: tuple
) -> None:
    """Open, label, save, reopen in nibabel and in SimpleITK: same voxel, same millimetres."""
    matrix = np.eye(4)
    turn = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    matrix[:3, :3] = turn @ (orientations()[orientation] * np.array(spacing))
    matrix[:3, 3] = (-120.5, 33.25, 512.0)
    path = scan(tmp_path / "scan.nii", matrix)
    volume = open_scan(path)
    stored_value = int(np.asanyarray(nib.load(path).dataobj)[voxel])
    labels = (volume.hu == stored_value).astype(np.uint8) * 2
    saved = tmp_path / "mask.nii.gz"
    save_mask(LabelMap(labels, volume.grid), volume.origin, saved)

    by_nibabel = nib.load(saved)
    assert np.argwhere(np.asanyarray(by_nibabel.dataobj) == 2).tolist() == [list(voxel)]
    np.testing.assert_array_equal(by_nibabel.affine, nib.load(path).affine)
    in_program = volume.affine.to_mm(np.argwhere(labels == 2)[0])
    np.testing.assert_allclose(in_program, matrix[:3] @ [*voxel, 1], atol=1e-3)
    mask, original = sitk.ReadImage(str(saved)), sitk.ReadImage(str(path))
    assert mask[voxel] == 2
    np.testing.assert_allclose(
        mask.TransformIndexToPhysicalPoint(voxel),
        original.TransformIndexToPhysicalPoint(voxel),
        atol=1e-4,
    )
    np.testing.assert_allclose(
        np.array(mask.TransformIndexToPhysicalPoint(voxel)) * (-1, -1, 1), in_program, atol=0.01
    )


@pytest.mark.parametrize("orientation", range(48))
def test_every_axis_order_gives_the_same_array(tmp_path: Path, orientation: int) -> None:
    upright = open_scan(scan(tmp_path / "a.nii"))
    order = orientations()[orientation]
    stored = upright.hu.transpose(np.abs(order).argmax(axis=0))
    flips = order.sum(axis=0) < 0
    stored = np.flip(stored, np.nonzero(flips)[0]) if flips.any() else stored
    matrix = np.eye(4)
    matrix[:3, :3] = np.diag((0.8, 0.8, 2.5)) @ order
    corner = [n - 1 if flip else 0 for n, flip in zip(stored.shape, flips, strict=True)]
    matrix[:3, 3] = -(matrix[:3, :3] @ corner)
    turned = open_scan(write(tmp_path / "b.nii", np.ascontiguousarray(stored), matrix))
    np.testing.assert_array_equal(turned.hu, upright.hu)
    assert turned.affine.close_to(upright.affine, upright.shape)


def test_a_saved_mask_keeps_qform_and_sform_as_they_were(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros(SHAPE, np.int16), np.diag([1.0, 1, 2, 1]))
    image.set_sform(np.diag([1.0, 1, 2, 1]), 2)
    shifted = np.diag([1.0, 1, 2, 1])
    shifted[:3, 3] = 7
    image.set_qform(shifted, 1)
    image.header["descrip"] = b"John Doe"
    nib.save(image, tmp_path / "scan.nii.gz")
    volume = open_scan(tmp_path / "scan.nii.gz")
    assert "forms-disagree" in [issue.code for issue in volume.issues]
    mask = LabelMap(np.ones(volume.shape, np.uint8), volume.grid)
    save_mask(mask, volume.origin, tmp_path / "m.nii.gz")
    saved = nib.load(tmp_path / "m.nii.gz")
    assert saved.get_data_dtype() == np.uint8
    assert (int(saved.header["qform_code"]), int(saved.header["sform_code"])) == (1, 2)
    np.testing.assert_array_equal(saved.get_qform(), shifted)
    assert b"Doe" not in saved.header["descrip"].tobytes()


def test_a_mask_may_be_stored_in_another_axis_order(tmp_path: Path) -> None:
    volume = open_scan(scan(tmp_path / "scan.nii"))
    labels = np.zeros(SHAPE, np.uint8)
    labels[0, 0, 0] = 1
    flipped = np.diag([-0.8, 0.8, 2.5, 1.0])
    flipped[0, 3] = 0.8 * 3
    write(tmp_path / "m.nii", np.ascontiguousarray(labels[::-1]), flipped)
    assert read_mask(tmp_path / "m.nii", volume).labels[0, 0, 0] == 1


def test_float_scans_are_rounded_and_nan_is_air(tmp_path: Path) -> None:
    values = np.full(SHAPE, 39.6, np.float32)
    values[0, 0, 0] = np.nan
    hu = open_scan(write(tmp_path / "f.nii", values, np.diag([2.0, 2, 2, 1]))).hu
    assert hu[1, 1, 1] == 40
    assert hu[0, 0, 0] == -1024


def test_unit_spacing_without_orientation_is_doubted(tmp_path: Path) -> None:
    volume = open_scan(write(tmp_path / "unit.nii", np.zeros(SHAPE, np.int16)))
    assert "not reliable" in volume.warnings[0]


def no_image(folder: Path) -> Path:
    (folder / "scan.nii").write_text("this is no image")
    return folder / "scan.nii"


def truncated(folder: Path) -> Path:
    big = write(
        folder / "whole.nii.gz",
        np.random.default_rng(0).integers(0, 99, (40, 40, 40)).astype(np.int16),
    )
    (folder / "cut.nii.gz").write_bytes(big.read_bytes()[:20_000])
    return folder / "cut.nii.gz"


def truncated_plain(folder: Path) -> Path:
    path = scan(folder / "cut.nii")
    path.write_bytes(path.read_bytes()[:-50])
    return path


def missing(folder: Path) -> Path:
    return folder / "nowhere.nii.gz"


def empty_file(folder: Path) -> Path:
    (folder / "empty.nii.gz").touch()
    return folder / "empty.nii.gz"


def flat(folder: Path) -> Path:
    return write(folder / "flat.nii", np.zeros((5, 5), np.int16))


def singular(folder: Path) -> Path:
    path = scan(folder / "singular.nii")
    header = nib.load(path).header.copy()
    header["sform_code"], header["srow_x"] = 1, 0
    with path.open("r+b") as file:
        file.write(header.binaryblock)
    return path


@pytest.mark.parametrize(
    "bad", [no_image, truncated, truncated_plain, missing, empty_file, flat, singular]
)
def test_a_bad_file_is_named_with_a_remedy(tmp_path: Path, bad) -> None:
    path = bad(tmp_path)
    with pytest.raises(UnreadableFileError) as error:
        open_scan(path)
    assert path.name in str(error.value)
    assert str(error.value).count(".") >= 2


def test_a_4d_file_lists_its_volumes_and_opens_the_one_chosen(tmp_path: Path) -> None:
    data = np.stack([np.full(SHAPE, n, np.int16) for n in (10, 20)], axis=3)
    path = write(tmp_path / "two.nii", data, np.diag([2.0, 2, 2, 1]))
    with pytest.raises(AmbiguousInputError, match=r"2 volumes.*--volume N"):
        open_scan(path)
    assert open_scan(path, number=2).hu[0, 0, 0] == 20
    with pytest.raises(UnreadableFileError, match="no volume 3"):
        open_scan(path, number=3)


def test_a_mask_of_another_grid_is_refused(tmp_path: Path) -> None:
    volume = open_scan(scan(tmp_path / "scan.nii"))
    other = write(tmp_path / "m.nii", np.zeros((4, 5, 7), np.uint8), np.diag([0.8, 0.8, 2.5, 1]))
    with pytest.raises(GridMismatchError, match="4 x 5 x 7"):
        read_mask(other, volume)


def test_foreign_label_values_are_refused(tmp_path: Path) -> None:
    volume = open_scan(scan(tmp_path / "scan.nii"))
    other = write(tmp_path / "m.nii", np.full(SHAPE, 5, np.uint8), np.diag([0.8, 0.8, 2.5, 1]))
    with pytest.raises(UnreadableFileError, match="labels 5"):
        read_mask(other, volume)


@pytest.fixture
def mask(tmp_path: Path) -> tuple[LabelMap, object]:
    volume = open_scan(scan(tmp_path / "scan.nii"))
    return LabelMap(np.ones(volume.shape, np.uint8), volume.grid), volume.origin


def test_a_full_disk_leaves_the_old_mask_whole(
    tmp_path: Path, mask: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "mask.nii.gz"
    save_mask(*mask, target)
    before = target.read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(nifti_write, "_write", full)
    with pytest.raises(SaveError, match=r"No space left.*nothing was changed"):
        save_mask(*mask, target)
    assert target.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mask.nii.gz", "scan.nii"]


def test_a_mask_that_reads_back_differently_is_not_kept(
    tmp_path: Path, mask: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = nifti_write._write

    def corrupting(image: nib.Nifti1Image, path: Path) -> None:
        data = np.asanyarray(image.dataobj).copy()
        data[0, 0, 0] = 0
        real(nib.Nifti1Image(data, None, image.header), path)

    monkeypatch.setattr(nifti_write, "_write", corrupting)
    with pytest.raises(SaveError, match="did not give back"):
        save_mask(*mask, tmp_path / "m.nii.gz")
    assert not (tmp_path / "m.nii.gz").exists()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, mask: tuple) -> None:
    with pytest.raises(SaveError, match="could not be written"):
        save_mask(*mask, tmp_path / "gone" / "m.nii.gz")


def test_the_scan_itself_is_never_overwritten_by_its_mask(tmp_path: Path, mask: tuple) -> None:
    before = (tmp_path / "scan.nii").read_bytes()
    with pytest.raises(SaveError, match="the scan itself"):
        save_mask(*mask, tmp_path / "scan.nii")
    assert (tmp_path / "scan.nii").read_bytes() == before


def test_an_open_scan_does_not_change_with_its_file(tmp_path: Path) -> None:
    path = scan(tmp_path / "scan.nii")
    volume = open_scan(path)
    before = volume.hu.copy()
    with path.open("r+b") as file:
        file.seek(352)
        file.write(b"\xff" * 100)
    np.testing.assert_array_equal(volume.hu, before)


@pytest.mark.parametrize(("unit", "mm"), [("meter", 1000.0), ("micron", 0.001)])
def test_lengths_that_are_not_mm_are_converted(
    tmp_path: Path, unit: str, mm: float, mask: tuple
) -> None:
    matrix = np.diag([0.8, 0.8, 2.5, 1])
    matrix[:3, 3] = (-120.5, 33.25, 512.0)
    matrix[:3] /= mm
    image = nib.Nifti1Image(np.arange(120, dtype=np.int16).reshape(SHAPE), matrix)
    image.header.set_xyzt_units(unit)
    nib.save(image, tmp_path / "scan.nii")
    volume = open_scan(tmp_path / "scan.nii")
    assert volume.affine.spacing_mm == pytest.approx((0.8, 0.8, 2.5))
    assert volume.mm_reliable
    assert "units" in [issue.code for issue in volume.issues]
    marked = LabelMap(np.ones(SHAPE, np.uint8), volume.grid)
    save_mask(marked, volume.origin, tmp_path / "m.nii.gz")
    saved = read_mask(tmp_path / "m.nii.gz", volume)
    assert measure(volume, saved).liver_ml == pytest.approx(0.192)


def test_a_unit_that_only_the_header_believes_in_is_doubted(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros(SHAPE, np.int16), np.diag([0.8, 0.8, 2.5, 1]))
    image.header.set_xyzt_units("meter")
    nib.save(image, tmp_path / "scan.nii")
    volume = open_scan(tmp_path / "scan.nii")
    assert volume.affine.spacing_mm == pytest.approx((0.8, 0.8, 2.5))
    assert not volume.mm_reliable
    assert "meter" in " ".join(volume.warnings)


def test_a_mask_needs_the_name_of_one(tmp_path: Path, mask: tuple) -> None:
    with pytest.raises(SaveError, match=r"\.nii or \.nii\.gz"):
        save_mask(*mask, tmp_path / "m.png")


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (0, 2, 1)])
def test_the_axis_of_the_slices_does_not_make_a_spacing_implausible(
    tmp_path: Path, order: tuple
) -> None:
    matrix = np.zeros((4, 4))
    for column, axis in enumerate(order):
        matrix[axis, column] = (0.8, 0.8, 5.0)[axis]
    matrix[:, 3] = (-10, -20, 30, 1)
    volume = open_scan(write(tmp_path / "s.nii", np.zeros(SHAPE, np.int16), matrix))
    assert volume.mm_reliable


def test_what_a_header_holds_beside_its_fields_stays_out_of_the_mask(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros(SHAPE, np.int16), np.diag([0.8, 0.8, 2.5, 1]))
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"Patient: DOE^JANE"))
    nib.save(image, tmp_path / "scan.nii")
    volume = open_scan(tmp_path / "scan.nii")
    mask = LabelMap(np.ones(volume.shape, np.uint8), volume.grid)
    save_mask(mask, volume.origin, tmp_path / "mask.nii")
    assert b"DOE" not in (tmp_path / "mask.nii").read_bytes()


@pytest.mark.parametrize("names", [("s.hdr", "s.img"), ("S.HDR", "S.IMG")])
def test_a_pair_is_listed_once(tmp_path: Path, names: tuple[str, str]) -> None:
    nib.save(nib.Nifti1Pair(np.zeros(SHAPE, np.int16), np.diag([2, 2, 2, 1])), tmp_path / "s.hdr")
    for old, new in zip(("s.hdr", "s.img"), names, strict=True):
        (tmp_path / old).rename(tmp_path / new)
    assert len(list_volumes(tmp_path)) == 1


@pytest.fixture
def recursion_limit() -> Iterator[int]:
    """Less than usual, for what is deeper takes long to make and to search."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(400)
    yield 400
    sys.setrecursionlimit(before)


def test_folders_deeper_than_python_can_recurse_are_searched(
    tmp_path: Path, recursion_limit: int
) -> None:
    made = [tmp_path / "d"]
    for _ in range(recursion_limit + 50):
        made[-1].mkdir()
        made.append(made[-1] / "d")
    deepest = scan(made[-2] / "scan.nii")
    assert [entry.path for entry in list_volumes(tmp_path)] == [deepest]
    deepest.unlink()
    for folder in reversed(made[:-1]):  # which shutil, and so pytest, cannot do
        folder.rmdir()


@pytest.mark.parametrize(("spacing_mm", "reliable"), [((1, 1, 1), False), ((0.8, 0.8, 2), True)])
def test_unit_voxels_without_a_position_are_not_trusted(
    tmp_path: Path, spacing_mm: tuple[float, float, float], reliable: bool
) -> None:
    image = nib.Nifti1Image(np.zeros((20, 20, 10), np.int16), np.diag([*spacing_mm, 1.0]))
    image.set_sform(None, 0)
    image.set_qform(None, 0)
    nib.save(image, tmp_path / "scan.nii.gz")
    volume = open_scan(tmp_path / "scan.nii.gz")
    assert "no-orientation" in {issue.code for issue in volume.issues}
    assert volume.mm_reliable is reliable


def numbered(kind: type = nib.Nifti1Image) -> tuple[np.ndarray, bytearray]:
    """Values that tell their place, and the file that holds them."""
    values = np.arange(120, dtype=np.int16).reshape(SHAPE)
    return values, bytearray(kind(values, np.diag([0.8, 0.8, 2.5, 1])).to_bytes())


def require_values(path: Path, values: np.ndarray) -> None:
    volume = open_scan(path)
    np.testing.assert_array_equal(volume.grid.to_stored(volume.hu), values)


@pytest.mark.parametrize(
    ("ending", "stated"), [(".nii", 0), (".nii", 16), (".nii", 100_000), (".nii.gz", 0)]
)
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_voxels_that_cannot_start_where_the_header_says_are_found_behind_it(
    tmp_path: Path, kind: type, ending: str, stated: int
) -> None:
    values, raw = numbered(kind)
    form, at = ("<f", 108) if kind is nib.Nifti1Image else ("<q", 168)
    struct.pack_into(form, raw, at, stated)
    path = tmp_path / f"scan{ending}"
    path.write_bytes(gzip.compress(raw) if ending.endswith(".gz") else raw)
    require_values(path, values)
    (found,) = [issue for issue in open_scan(path).issues if issue.code == "voxel-offset"]
    assert f"byte {stated:g}," in found.message


def test_voxels_right_behind_a_header_without_room_for_extensions_are_found(tmp_path: Path) -> None:
    values, raw = numbered()
    struct.pack_into("<f", raw, 108, 0.0)
    (tmp_path / "scan.nii").write_bytes(bytes(raw[:348] + raw[352:]))
    require_values(tmp_path / "scan.nii", values)


def test_voxels_behind_an_extension_are_found_without_an_offset(tmp_path: Path) -> None:
    values, _ = numbered()
    image = nib.Nifti1Image(values, np.diag([0.8, 0.8, 2.5, 1]))
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"a note"))
    raw = bytearray(image.to_bytes())
    struct.pack_into("<f", raw, 108, 0.0)
    (tmp_path / "scan.nii").write_bytes(raw)
    require_values(tmp_path / "scan.nii", values)


def test_a_file_that_ends_before_its_voxels_is_cut_short_at_any_offset(tmp_path: Path) -> None:
    _, raw = numbered()
    struct.pack_into("<f", raw, 108, 0.0)
    (tmp_path / "scan.nii").write_bytes(raw[:-20])
    with pytest.raises(UnreadableFileError, match="cut short"):
        open_scan(tmp_path / "scan.nii")


@pytest.mark.parametrize(
    ("slope", "inter", "factor", "added"),
    [(np.nan, -1024.0, 1, -1024), (2.0, np.nan, 2, 0), (np.inf, 0.0, 1, 0), (0.0, -1024.0, 1, 0)],
)
def test_a_scaling_that_makes_no_sense_is_named(
    tmp_path: Path, slope: float, inter: float, factor: int, added: int
) -> None:
    values, raw = numbered()
    struct.pack_into("<2f", raw, 112, slope, inter)
    (tmp_path / "scan.nii").write_bytes(raw)
    require_values(tmp_path / "scan.nii", values * factor + added)
    assert "scl_slope" in " ".join(open_scan(tmp_path / "scan.nii").warnings)


def test_a_file_is_packed_or_not_whatever_its_name_says(tmp_path: Path) -> None:
    values, raw = numbered()
    (tmp_path / "packed.nii").write_bytes(gzip.compress(raw))
    (tmp_path / "plain.nii.gz").write_bytes(raw)
    for name in ("packed.nii", "plain.nii.gz"):
        require_values(tmp_path / name, values)


def test_an_analyze_file_is_named_as_one(tmp_path: Path) -> None:
    nib.save(nib.AnalyzeImage(np.zeros(SHAPE, np.int16), np.eye(4)), tmp_path / "scan.hdr")
    with pytest.raises(UnsupportedFileError, match="Analyze"):
        open_scan(tmp_path / "scan.hdr")


def test_a_pair_without_its_other_half_names_it(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Pair(np.zeros(SHAPE, np.int16), np.eye(4)), tmp_path / "scan.hdr")
    (tmp_path / "scan.img").unlink()
    with pytest.raises(UnreadableFileError, match=r"scan\.img, which is not beside it"):
        open_scan(tmp_path / "scan.hdr")


def test_a_file_that_the_disk_does_not_give_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = scan(tmp_path / "scan.nii.gz")
    (entry,) = list_volumes(path)

    def broken(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

    monkeypatch.setattr(igzip, "open", broken)
    for attempt in (lambda: list_volumes(path), lambda: entry.read(Progress())):
        with pytest.raises(UnreadableFileError, match="disk or the network drive") as refusal:
            attempt()
        assert "damaged" not in str(refusal.value)


def test_the_modality_of_a_file_that_does_not_state_one_is_assumed(tmp_path: Path) -> None:
    (entry,) = list_volumes(scan(tmp_path / "scan.nii"))
    assert entry.modality == "CT"
    assert "CT (assumed)" in str(entry)
    assert open_scan(entry.path).origin.modality_text == "CT (assumed)"
