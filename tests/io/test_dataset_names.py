from __future__ import annotations

from pathlib import Path

import pytest

from liverseg_gui.io.dataset_names import (
    ircadb,
    is_mask_of_pair,
    lits_name,
    mask_beside,
    natural,
)


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


PAIRS = [
    ("volume-7.nii", "segmentation-7.nii"),
    ("volume-7.nii.gz", "segmentation-7.nii"),
    ("Training Batch 1/volume-12.nii", "Training Batch 1/segmentation-12.nii.gz"),
    ("volumes/volume-3.nii", "segmentations/segmentation-3.nii"),
    ("imagesTr/liver_4.nii.gz", "labelsTr/liver_4.nii.gz"),
    ("imagesTr/liver_4_0000.nii.gz", "labelsTr/liver_4.nii.gz"),
    ("imagesTs/liver_4_0000.nrrd", "labelsTs/liver_4.nrrd"),
]


@pytest.mark.parametrize(("scan", "mask"), PAIRS)
def test_a_scan_and_its_mask_find_each_other(tmp_path: Path, scan: str, mask: str) -> None:
    touch(tmp_path, scan, mask)
    assert mask_beside(tmp_path / scan) == tmp_path / mask
    assert is_mask_of_pair(tmp_path / mask)
    assert not is_mask_of_pair(tmp_path / scan)


@pytest.mark.parametrize(("scan", "mask"), PAIRS)
def test_a_mask_that_is_not_there_is_not_named(tmp_path: Path, scan: str, mask: str) -> None:
    touch(tmp_path, scan)
    assert mask_beside(tmp_path / scan) is None
    (tmp_path / scan).unlink()
    touch(tmp_path, mask)
    assert is_mask_of_pair(tmp_path / mask)


def test_the_mask_of_another_patient_is_never_taken(tmp_path: Path) -> None:
    touch(tmp_path, "volume-1.nii", "segmentation-11.nii", "segmentation-10.nii")
    touch(tmp_path, "imagesTr/liver_1.nii.gz", "labelsTr/liver_11.nii.gz", "labelsTr/liver.nii.gz")
    touch(tmp_path, "case 1/volume-1.nii", "case 2/segmentation-1.nii")
    assert mask_beside(tmp_path / "volume-1.nii") is None
    assert mask_beside(tmp_path / "case 1" / "volume-1.nii") is None
    assert mask_beside(tmp_path / "imagesTr" / "liver_1.nii.gz") is None


def test_a_mask_found_twice_is_not_chosen_between(tmp_path: Path) -> None:
    touch(tmp_path, "ct/volume-1.nii", "masks/segmentation-1.nii", "labels/segmentation-1.nii")
    assert mask_beside(tmp_path / "ct" / "volume-1.nii") is None


def test_other_files_have_no_pair(tmp_path: Path) -> None:
    touch(tmp_path, "scan.nii.gz", "scan_mask.nii.gz", "labelsTr/readme.txt", "segmentation-1.txt")
    assert mask_beside(tmp_path / "scan.nii.gz") is None
    for path in tmp_path.rglob("*"):
        assert not is_mask_of_pair(path)


def test_a_hidden_file_beside_a_data_set_is_no_mask(tmp_path: Path) -> None:
    touch(tmp_path, "imagesTr/._liver_4.nii.gz", "labelsTr/._liver_4.nii.gz")
    assert mask_beside(tmp_path / "imagesTr" / "._liver_4.nii.gz") is None


def test_an_ircadb_patient_is_known_by_its_two_folders(tmp_path: Path) -> None:
    scans, masks = tmp_path / "PATIENT_DICOM", tmp_path / "MASKS_DICOM"
    assert ircadb(tmp_path) is None
    scans.mkdir()
    assert ircadb(tmp_path) is None
    assert ircadb(scans) is None
    masks.mkdir()
    for folder in (tmp_path, scans, masks):
        assert ircadb(folder) == (scans, masks)
    (tmp_path / "LABELLED_DICOM").mkdir()
    assert ircadb(tmp_path / "LABELLED_DICOM") is None


def test_an_ircadb_patient_unpacked_into_folders_of_folders_is_known(tmp_path: Path) -> None:
    scans = tmp_path / "PATIENT_DICOM" / "PATIENT_DICOM"
    masks = tmp_path / "MASKS_DICOM" / "MASKS_DICOM"
    scans.mkdir(parents=True)
    masks.mkdir(parents=True)
    for folder in (tmp_path, scans, scans.parent, masks):
        assert ircadb(folder) == (scans, masks)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("volume-07", ("volume-", "07")),
        ("Segmentation-3", ("segmentation-", "3")),
        ("liver_12", ("liver_", "12")),
        ("007", ("", "007")),
        ("volume-3b", ("", "")),
        ("my-volume-3", ("", "")),
        ("liver_", ("", "")),
    ],
)
def test_a_name_of_lits_is_taken_apart_and_no_other(name: str, parts: tuple[str, str]) -> None:
    assert lits_name(name) == parts


def test_names_are_sorted_by_the_numbers_in_them_whatever_their_case() -> None:
    names = ["Case 10", "case 2", "CASE 1", "b", "a", "3", "20"]
    assert sorted(names, key=natural) == ["3", "20", "a", "b", "CASE 1", "case 2", "Case 10"]
