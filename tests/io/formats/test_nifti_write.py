"""What is written: never over a scan, with nothing of anybody, and always the same bytes."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from isal import igzip

from liverseg_gui.core.errors import SaveError
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.formats.mask_marks import Mark, is_as_made, require_as_made
from liverseg_gui.io.formats.nifti_write import save_mask, write_scan
from liverseg_gui.io.scans import open_scan

SHAPE = (9, 8, 7)
AFFINE = np.diag([0.8, 0.8, 2.5, 1])


def write(path: Path, voxels: np.ndarray, **fields: object) -> Path:
    image = nib.Nifti1Image(voxels, AFFINE)
    for name, value in fields.items():
        image.header[name] = value
    nib.save(image, path)
    return path


def ct() -> np.ndarray:
    return (np.arange(np.prod(SHAPE)).reshape(SHAPE) - 200).astype(np.int16)


def labels(label: int = 1) -> np.ndarray:
    voxels = np.zeros(SHAPE, np.uint8)
    voxels[2:5, 2:5, 2:5] = label
    return voxels


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    return open_scan(write(tmp_path / "scan.nii.gz", ct()))


@pytest.fixture
def mask(volume: Volume) -> LabelMap:
    return LabelMap(volume.grid.to_ras(labels()), volume.grid)


def earlier(path: Path, voxels: np.ndarray) -> Path:
    """A mask as versions before wrote it: its first name stands in gzip's header."""
    data = nib.Nifti1Image(voxels, AFFINE).to_bytes()
    first = path.with_name(f".{path.name}.4711.nii.gz")
    with igzip.open(first, "wb") as stream:
        stream.write(data)
    return first.rename(path)


def float_ct(path: Path) -> None:
    write(path, ct().astype(np.float32) * 1.5)


def windowed_ct(path: Path) -> None:
    write(path, np.arange(np.prod(SHAPE), dtype=np.int64).reshape(SHAPE).astype(np.uint8))


def scaled_ct(path: Path) -> None:
    image = nib.Nifti1Image(labels().astype(np.int16), AFFINE)
    image.header.set_slope_inter(1, -1024)
    image.to_filename(path)


SCANS: dict[str, Callable[[Path], object]] = {
    "int16": lambda path: write(path, ct()),
    "float": float_ct,
    "8 bit": windowed_ct,
    "scaled": scaled_ct,
    "4D": lambda path: write(path, np.zeros((4, 4, 4, 2), np.uint8)),
    "no image": lambda path: path.write_bytes(b"Dear Sir"),
    "cut short": lambda path: path.write_bytes(write(path, ct()).read_bytes()[:-40]),
    "a folder": Path.mkdir,
}


@pytest.mark.parametrize("mark", list(Mark))
@pytest.mark.parametrize("make", SCANS.values(), ids=SCANS)
def test_no_scan_and_nothing_unknown_is_replaced_by_a_mask(
    make: Callable[[Path], object], mark: Mark, volume: Volume, mask: LabelMap, tmp_path: Path
) -> None:
    target = tmp_path / "other.nii.gz"
    make(target)
    before = None if target.is_dir() else target.read_bytes()
    with pytest.raises(SaveError, match=r"other\.nii\.gz is .* not replaced\. Choose another name"):
        save_mask(mask, volume.origin, target, mark, asked=False)
    assert target.is_dir() or target.read_bytes() == before


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_the_scan_is_not_replaced_by_another_name_of_it(
    link: Callable[[Path, Path], None], volume: Volume, mask: LabelMap, tmp_path: Path
) -> None:
    link(volume.origin.path, tmp_path / "mask.nii.gz")
    with pytest.raises(SaveError, match="the scan itself"):
        save_mask(mask, volume.origin, tmp_path / "mask.nii.gz")
    with pytest.raises(SaveError, match="the scan itself"):
        write_scan(volume, tmp_path / "mask.nii.gz")
    assert open_scan(volume.origin.path).hu.min() == -200


def changed(path: Path) -> None:
    """Another program corrects a mask, and keeps what else is in its header."""
    image = nib.load(path)
    nib.save(nib.Nifti1Image(labels(2), None, image.header), path)


def test_what_the_model_made_is_replaced_until_somebody_corrects_it(
    volume: Volume, mask: LabelMap, tmp_path: Path
) -> None:
    target = tmp_path / "mask.nii.gz"
    for _ in range(2):
        save_mask(mask, volume.origin, target, Mark.SEGMENTATION, asked=False)
        assert is_as_made(target, Mark.SEGMENTATION)
    changed(target)
    with pytest.raises(SaveError, match=r"that was changed since, and is not replaced"):
        save_mask(mask, volume.origin, target, Mark.SEGMENTATION, asked=False)
    save_mask(mask, volume.origin, target)  # whom the window has asked
    with pytest.raises(SaveError, match="is not replaced"):
        save_mask(mask, volume.origin, target, Mark.SEGMENTATION, asked=False)


def test_a_mask_of_another_scan_that_the_model_made_is_replaced(
    volume: Volume, mask: LabelMap, tmp_path: Path
) -> None:
    target = tmp_path / "mask.nii"
    save_mask(mask, volume.origin, target, Mark.SEGMENTATION, asked=False)
    other = open_scan(write(tmp_path / "b.nii", np.zeros((4, 4, 4), np.int16)))
    save_mask(
        LabelMap(np.zeros((4, 4, 4), np.uint8), other.grid),
        other.origin,
        target,
        Mark.SEGMENTATION,
        asked=False,
    )
    assert nib.load(target).shape == (4, 4, 4)


def test_masks_of_earlier_versions_are_known(
    volume: Volume, mask: LabelMap, tmp_path: Path
) -> None:
    with_name = earlier(tmp_path / "a.nii.gz", np.zeros((4, 4, 4), np.uint8))
    plain = write(tmp_path / "b.nii", labels())
    for path in (with_name, plain):
        save_mask(mask, volume.origin, path, Mark.SEGMENTATION, asked=False)
        assert is_as_made(path, Mark.SEGMENTATION)
    write(plain, labels(7))
    with pytest.raises(SaveError, match="is not replaced"):
        save_mask(mask, volume.origin, plain, Mark.SEGMENTATION, asked=False)


def test_an_exported_scan_of_earlier_versions_is_no_mask(tmp_path: Path) -> None:
    first = tmp_path / ".scan.nii.gz.4711.gz"
    with igzip.open(first, "wb") as stream:
        stream.write(nib.Nifti1Image(ct(), AFFINE).to_bytes())
    target = first.rename(tmp_path / "scan.nii.gz")
    for mark in (Mark.SEGMENTATION, Mark.PHANTOM):
        with pytest.raises(SaveError, match="is a scan"):
            require_as_made(target, mark)
    (tmp_path / "truth.json").touch()
    require_as_made(target, Mark.PHANTOM)


@pytest.mark.parametrize("content", [b"", None])
def test_an_empty_or_a_damaged_mask_is_no_loss(
    content: bytes | None, volume: Volume, mask: LabelMap, tmp_path: Path
) -> None:
    target = tmp_path / "mask.nii.gz"
    save_mask(mask, volume.origin, target, Mark.SEGMENTATION, asked=False)
    target.write_bytes(target.read_bytes()[:-9] if content is None else content)
    save_mask(mask, volume.origin, target, Mark.SEGMENTATION, asked=False)
    np.testing.assert_array_equal(np.asanyarray(nib.load(target).dataobj), labels())


def test_a_reader_who_was_asked_replaces_any_mask(
    volume: Volume, mask: LabelMap, tmp_path: Path
) -> None:
    target = write(tmp_path / "mask.nii.gz", (labels(117) * 1.0).astype(np.float32))
    save_mask(mask, volume.origin, target)
    assert nib.load(target).get_data_dtype() == np.uint8


def test_the_header_of_a_mask_holds_its_place_and_nothing_else_of_the_scan(tmp_path: Path) -> None:
    secrets = {
        "data_type": b"DOE^JANE",
        "db_name": b"DOE JANE 1970",
        "descrip": b"Doe Jane, 1970-01-01",
        "aux_file": b"doe_jane.txt",
        "intent_name": b"Doe Jane",
        "extents": 4711,
        "session_error": 4711,
        "regular": b"J",
        "toffset": 47.25,
        "slice_duration": 47.25,
        "intent_p1": 47.25,
        "intent_code": 1001,
        "slice_code": 1,
        "slice_end": 5,
        "dim_info": 57,
        "cal_max": 47.25,
        "glmax": 4711,
        "glmin": 4711,
    }
    scan = open_scan(write(tmp_path / "scan.nii", ct(), **secrets))
    mask = LabelMap(np.ones(scan.shape, np.uint8), scan.grid)
    save_mask(mask, scan.origin, tmp_path / "mask.nii")
    write_scan(scan, tmp_path / "anonymized.nii")
    for name in ("mask.nii", "anonymized.nii"):
        header = nib.load(tmp_path / name).header
        for field, value in secrets.items():
            assert header[field].item() != value, (name, field)
        assert b"jane" not in (tmp_path / name).read_bytes().lower()


@pytest.mark.parametrize("kind", ["mask", "scan"])
def test_the_same_again_is_the_same_bytes_without_name_and_time(
    kind: str, volume: Volume, mask: LabelMap, tmp_path: Path
) -> None:
    for name in ("Miller.nii.gz", "b.nii.gz"):
        if kind == "mask":
            save_mask(mask, volume.origin, tmp_path / name)
        else:
            write_scan(volume, tmp_path / name)
    data = (tmp_path / "Miller.nii.gz").read_bytes()
    assert data == (tmp_path / "b.nii.gz").read_bytes()
    assert data[3] == 0  # no name
    assert data[4:8] == bytes(4)  # no time
    assert gzip.decompress(data)[344:347] == b"n+1"
