from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from liverseg_gui.core.errors import SaveError
from liverseg_gui.core.geometry import Affine
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.slices import SourceSlices, even_grid
from liverseg_gui.core.volume import Origin
from liverseg_gui.io.masks import slice_images
from liverseg_gui.io.masks.slice_images import save_mask_slices

DEPTHS = (0.0, 3.0, 6.0, 18.0)
NAMES = ("IM0001.dcm", "IM0002.dcm", "a/odd name?.IMA", "1.2.840.5")


def resampled(names: tuple[str, ...] = NAMES, drift: float = 0.0) -> tuple[LabelMap, Origin]:
    affines = []
    for depth in DEPTHS:
        matrix = np.diag([-2.0, -2.0, 1.0, 1.0])
        matrix[:3, 3] = 40, 30 + drift * depth, depth
        affines.append(Affine(matrix))
    grid = even_grid((12, 10), affines)
    shape = grid.to_ras(np.broadcast_to(np.uint8(0), grid.shape)).shape
    labels = np.random.default_rng(0).integers(0, 3, shape).astype(np.uint8)
    slices = SourceSlices(names, (12, 10), tuple(affines))
    return LabelMap(labels, grid), Origin(Path("scan"), source_slices=slices)


def test_each_slice_gets_a_mask_of_its_own_that_lies_on_it(tmp_path: Path) -> None:
    mask, origin = resampled()
    written = save_mask_slices(mask, origin, tmp_path / "out")
    assert [path.name for path in written] == [
        "IM0001.nii.gz",
        "IM0002.nii.gz",
        "odd_name.nii.gz",
        "1.2.840.5.nii.gz",
    ]
    slices = origin.source_slices
    assert slices is not None
    for n, path in enumerate(written):
        image = nib.load(path)
        assert image.shape == (12, 10, 1)
        assert image.get_data_dtype() == np.uint8
        np.testing.assert_array_equal(image.dataobj[:, :, 0], slices.labels(mask, n))
        for corner in ((0, 0, 0), (11, 9, 0)):
            np.testing.assert_allclose(
                nib.affines.apply_affine(image.affine, corner),
                slices.affines[n].to_mm(corner),
                atol=1e-4,
            )
        np.testing.assert_allclose(image.get_qform(), image.get_sform(), atol=1e-4)


def test_a_slice_is_as_thick_as_the_way_to_its_nearer_neighbor(tmp_path: Path) -> None:
    mask, origin = resampled(drift=0.2)
    steps = [nib.load(p).affine[:3, 2] for p in save_mask_slices(mask, origin, tmp_path / "out")]
    np.testing.assert_allclose(steps, [(0, 0, 3), (0, 0, 3), (0, 0, 3), (0, 0, 12)], atol=1e-6)


def test_labels_of_a_slice_between_planes_come_from_the_nearest_plane(tmp_path: Path) -> None:
    mask, origin = resampled()
    last = nib.load(save_mask_slices(mask, origin, tmp_path / "out")[3])
    np.testing.assert_array_equal(last.dataobj[::-1, ::-1, 0], mask.labels[:, :, 6])


def test_a_list_tells_names_and_places(tmp_path: Path) -> None:
    mask, origin = resampled()
    written = save_mask_slices(mask, origin, tmp_path / "out")
    listed = json.loads((tmp_path / "out" / "slices.json").read_text())
    assert listed["space"] == "RAS+"
    assert [one["file"] for one in listed["slices"]] == [path.name for path in written]
    assert [one["slice"] for one in listed["slices"]] == list(NAMES)
    assert [one["position_mm"] for one in listed["slices"]] == [[40, 30, d] for d in DEPTHS]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out"]


def test_slices_of_the_same_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    mask, origin = resampled(("a/IM1", "b/IM1", "c/im1", "..."))
    written = save_mask_slices(mask, origin, tmp_path / "out")
    assert len({path.name.lower() for path in written}) == 4
    assert all(path.parent == tmp_path / "out" and path.is_file() for path in written)


def test_a_full_disk_leaves_the_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mask, origin = resampled()
    save_mask_slices(mask, origin, tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    real, count = slice_images.write_slice, iter(range(9))

    def full(*arguments: object) -> None:
        if next(count) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(*arguments)

    monkeypatch.setattr(slice_images, "write_slice", full)
    with pytest.raises(SaveError, match=r"out could not be written: No space left.*Choose"):
        save_mask_slices(mask, origin, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


@pytest.mark.parametrize("name", ["IM0001.nii.gz", "slices.json"])
def test_files_of_others_in_the_folder_stay(tmp_path: Path, name: str) -> None:
    mask, origin = resampled()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_bytes(b"[1, 2]")
    with pytest.raises(SaveError, match="is not replaced"):
        save_mask_slices(mask, origin, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name]


def test_slices_change_with_their_mask_alone(tmp_path: Path) -> None:
    mask, origin = resampled()
    first, again = (save_mask_slices(mask, origin, tmp_path / name) for name in "ab")
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in again]


def test_an_even_scan_has_no_single_slices(tmp_path: Path) -> None:
    mask, _ = resampled()
    with pytest.raises(SaveError, match=r"was not resampled.*Save the mask as one file"):
        save_mask_slices(mask, Origin(Path("scan")), tmp_path / "out")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    mask, origin = resampled()
    with pytest.raises(SaveError, match="could not be written"):
        save_mask_slices(mask, origin, tmp_path / "gone" / "out")
