from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from liverseg_gui.cli.main import main
from liverseg_gui.core.errors import GridMismatchError, UnreadableFileError
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.io.formats.nifti_write import save_mask, write_scan
from liverseg_gui.segmentation.preprocessing import CONTEXT_MM, axial_slices
from tests.io.dicom_files import change
from tests.training import layouts
from tests.training.layouts import SPACING_MM, labelled, pair, small, true_labels, write_list
from training.data.case import ForeignLabelsError
from training.data.dataset_layouts import LAYOUTS, find_sources

VOLUMES = [
    (layouts.decathlon, ["liver_1", "liver_2"], ["liver_1", "liver_2"]),
    (layouts.nnunet, ["liver_1", "liver_2"], ["liver_1", "liver_2"]),
    (layouts.lits, ["volume-1", "volume-2"], ["volume-1", "volume-2"]),
    (layouts.ircadb, ["3Dircadb1.1", "3Dircadb1.2"], ["3Dircadb1.1", "3Dircadb1.2"]),
    (layouts.ircadb_zips, ["3Dircadb1.1", "3Dircadb1.2"], ["3Dircadb1.1", "3Dircadb1.2"]),
    (layouts.corrected, ["ct1", "ct2"], ["ct1", "ct2"]),
    (layouts.listed, ["case 1", "case 2"], ["someone", "case 2"]),
]


@pytest.mark.parametrize(("write", "names", "patients"), VOLUMES)
def test_a_data_set_is_recognized_and_read(
    tmp_path: Path, write: Callable[[Path], None], names: list[str], patients: list[str]
) -> None:
    write(tmp_path)
    sources = find_sources(tmp_path)
    assert [source.name for source in sources] == names
    assert [source.patient for source in sources] == patients
    for seed, source in enumerate(sources, 1):
        case = source.read()
        assert (case.name, case.patient) == (source.name, source.patient)
        np.testing.assert_array_equal(case.labels, true_labels(small(seed)))
        np.testing.assert_array_equal(case.slices, axial_slices(small(seed).volume))
        np.testing.assert_allclose(case.z, np.arange(20) * 10.0)
        assert case.gap == CONTEXT_MM
        assert case.pixel_mm == pytest.approx((SPACING_MM[1], SPACING_MM[0]))


def test_grey_pictures_are_recognized(tmp_path: Path) -> None:
    layouts.lits2d(tmp_path)
    sources = find_sources(tmp_path)
    assert [source.name for source in sources] == ["001", "002"]
    np.testing.assert_array_equal(sources[1].read().labels, true_labels(small(2)))


def test_a_list_holds_every_case_before_a_scan_is_read(tmp_path: Path) -> None:
    layouts.decathlon(tmp_path)
    for file in tmp_path.rglob("*.nii.gz"):
        file.write_bytes(b"")
    assert len(find_sources(tmp_path)) == 2
    with pytest.raises(UnreadableFileError, match=r"liver_1\.nii\.gz"):
        find_sources(tmp_path)[0].read()


def test_listing_and_reading_loads_neither_torch_nor_fastai_nor_qt(tmp_path: Path) -> None:
    layouts.corrected(tmp_path)
    code = (
        "import sys; from pathlib import Path; "
        "from training.data.dataset_layouts import find_sources; "
        "import training.data.data_check, training.data.preprocess_cache, training.data.splits; "
        "find_sources(Path(sys.argv[1]))[0].read(); "
        "print({'torch', 'fastai', 'PySide6'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "set()\n"


def test_a_scan_stored_in_another_axis_order_is_seen_from_the_same_side(tmp_path: Path) -> None:
    phantom = small(1)
    scan = layouts.stored_as_lps(phantom)
    assert scan.grid.affine.orientation == "LPS"
    write_scan(scan, tmp_path / "a.nii.gz")
    save_mask(LabelMap(phantom.truth.labels, scan.grid), scan.origin, tmp_path / "a_mask.nii.gz")
    case = find_sources(tmp_path)[0].read()
    np.testing.assert_array_equal(case.labels, true_labels(phantom))
    np.testing.assert_array_equal(case.slices, axial_slices(phantom.volume))


def test_the_label_order_of_an_nnunet_set_is_that_of_its_dataset_json(tmp_path: Path) -> None:
    layouts.nnunet(tmp_path, (1,))
    swapped = np.array([0, 2, 1], np.uint8)[small(1).truth.labels]
    scan = tmp_path / "imagesTr" / "liver_1_0000.nii.gz"
    labelled(scan, tmp_path / "labelsTr" / "liver_1.nii.gz", swapped)
    (tmp_path / "dataset.json").write_text(
        json.dumps({"labels": {"background": 0, "tumor": 1, "liver": 2}})
    )
    np.testing.assert_array_equal(find_sources(tmp_path)[0].read().labels, true_labels(small(1)))


def test_images_that_nnunet_lists_without_their_channel_are_found(tmp_path: Path) -> None:
    layouts.decathlon(tmp_path, (1,))
    scan = tmp_path / "imagesTr" / "liver_1.nii.gz"
    scan.rename(scan.with_name("liver_1_0000.nii.gz"))
    (source,) = find_sources(tmp_path)
    assert source.name == "liver_1"
    assert source.read().labels.any()


def test_foreign_labels_are_refused_until_the_list_says_what_they_are(tmp_path: Path) -> None:
    foreign = np.array([0, 5, 6], np.uint8)[small(1).truth.labels]
    labelled(tmp_path / "a.nii.gz", tmp_path / "a_mask.nii.gz", foreign)
    with pytest.raises(ForeignLabelsError, match=r"a_mask\.nii\.gz holds the labels 5, 6.*cases"):
        find_sources(tmp_path)[0].read()
    row = {"name": "a", "scan": "a.nii.gz", "mask": "a_mask.nii.gz"}
    write_list(tmp_path, {**row, "labels": "5=liver,6=tumor"})
    np.testing.assert_array_equal(find_sources(tmp_path)[0].read().labels, true_labels(small(1)))


def test_a_mask_of_another_scan_is_refused_with_both_names(tmp_path: Path) -> None:
    layouts.decathlon(tmp_path)
    mask = tmp_path / "labelsTr" / "liver_2.nii.gz"
    nib.save(nib.Nifti1Image(np.ones((9, 9, 9), np.uint8), np.eye(4)), mask)
    with pytest.raises(GridMismatchError, match=r"liver_2.* does not lie on .*imagesTr.liver_2"):
        find_sources(tmp_path)[1].read()


def test_a_scan_without_its_mask_is_a_case_that_fails(tmp_path: Path) -> None:
    for write, mask in (
        (layouts.nnunet, "labelsTr/liver_2.nii.gz"),
        (layouts.lits, "Training Batch 2/segmentation-2.nii.gz"),
    ):
        write(tmp_path / write.__name__)
        (tmp_path / write.__name__ / mask).unlink()
        sources = find_sources(tmp_path / write.__name__)
        assert len(sources) == 2
        with pytest.raises(UnreadableFileError, match=r"-?2\.nii.*does not exist"):
            sources[1].read()


def test_masks_of_lits_may_lie_in_any_other_folder(tmp_path: Path) -> None:
    pair(small(1), tmp_path / "a" / "b" / "volume-1.nii", tmp_path / "x" / "segmentation-1.nii")
    np.testing.assert_array_equal(find_sources(tmp_path)[0].read().labels, true_labels(small(1)))


def test_two_cases_of_one_name_are_refused(tmp_path: Path) -> None:
    layouts.lits(tmp_path)
    other = tmp_path / "Training Batch 2" / "volume-1.nii"
    other.touch()
    with pytest.raises(UnreadableFileError, match=r"two cases that are called volume-1"):
        find_sources(tmp_path)


def test_cases_are_sorted_by_number(tmp_path: Path) -> None:
    for n in (10, 9, 100):
        (tmp_path / f"volume-{n}.nii").touch()
        (tmp_path / f"segmentation-{n}.nii").touch()
    names = [source.name for source in find_sources(tmp_path)]
    assert names == ["volume-9", "volume-10", "volume-100"]


def test_an_archived_patient_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layouts.ircadb_zips(tmp_path / "data", (1,))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    source = find_sources(tmp_path / "data")[0]
    source.read()
    archive = tmp_path / "data" / "3Dircadb1.1" / "MASKS_DICOM.zip"
    archive.write_bytes(archive.read_bytes()[:1000])
    with pytest.raises(UnreadableFileError, match=r"3Dircadb1\.1.MASKS_DICOM\.zip is no zip"):
        source.read()
    assert list((tmp_path / "temporary").iterdir()) == []


def test_one_patient_of_ircadb_is_a_data_set_too(tmp_path: Path) -> None:
    layouts.ircadb(tmp_path, (1,))
    assert [s.name for s in find_sources(tmp_path / "3Dircadb1.1")] == ["3Dircadb1.1"]


def test_studies_corrected_in_the_program_are_found_in_folders_of_their_own(tmp_path: Path) -> None:
    phantom, series = small(1), tmp_path / "Miller" / "portal"
    write_dicom_series(phantom.volume, series)
    save_mask(phantom.truth, phantom.volume.origin, tmp_path / "Miller" / "portal_mask.nii.gz")
    hidden = tmp_path / "Smith"
    pair(small(2), hidden / "x17.nii.gz", hidden / "scan_mask.nii.gz")
    sources = find_sources(tmp_path)
    assert [source.name for source in sources] == ["Miller-portal", "Smith-scan"]
    for seed, source in enumerate(sources, 1):
        np.testing.assert_array_equal(source.read().labels, true_labels(small(seed)))


def test_scans_of_one_patient_id_are_one_patients_and_the_id_is_not_told(tmp_path: Path) -> None:
    for name, person in (("a", "4711"), ("b", "4711"), ("c", "4712"), ("d", "anonymous")):
        write_dicom_series(small(1).volume, tmp_path / name)
        save_mask(small(1).truth, small(1).volume.origin, tmp_path / f"{name}_mask.nii.gz")
        for file in (tmp_path / name).iterdir():
            change(file, PatientID=person)
    assert [s.patient for s in find_sources(tmp_path)] == ["a", "a", "c", "d"]
    rows = [{"name": n, "scan": n, "mask": f"{n}_mask.nii.gz"} for n in "abcd"]
    write_list(tmp_path, *[{**row, "patient": "p"} if row["name"] == "b" else row for row in rows])
    assert [s.patient for s in find_sources(tmp_path)] == ["a", "p", "c", "d"]


@pytest.mark.parametrize("more", [[], ["--dicom"]])
def test_phantoms_of_the_program_are_cases(tmp_path: Path, more: list[str]) -> None:
    words = ["--size", "72", "64", "20", "--spacing", "5", "5.5", "10", "--tumors", "40"]
    for seed in ("1", "2"):
        main(["phantom", "-o", str(tmp_path / f"p{seed}"), "--seed", seed, *words, *more])
    sources = find_sources(tmp_path)
    assert [(s.name, s.patient) for s in sources] == [("p1", "p1"), ("p2", "p2")]
    np.testing.assert_array_equal(sources[1].read().labels, true_labels(small(2)))
    assert [s.name for s in find_sources(tmp_path / "p1")] == ["p1"]


def test_uneven_slices_come_as_the_even_grid_they_are_resampled_onto(tmp_path: Path) -> None:
    layouts.ircadb(tmp_path, (1,))
    patient = tmp_path / "3Dircadb1.1"
    for gone in (4, 5):
        for folder in ("PATIENT_DICOM", "MASKS_DICOM/liver", "MASKS_DICOM/livertumor01"):
            (patient / folder / f"image_{gone}").unlink()
    case = find_sources(tmp_path)[0].read()
    assert "missing-slices" in {issue.code for issue in case.issues}
    np.testing.assert_allclose(case.z, np.arange(20) * 10.0)
    truth = true_labels(small(1))
    np.testing.assert_array_equal(case.labels[6:], truth[6:])
    np.testing.assert_array_equal(case.labels[:4], truth[:4])


def test_without_a_spacing_the_next_slices_are_the_neighbours(tmp_path: Path) -> None:
    for name, values in (("a", small(1).volume.hu), ("a_mask", small(1).truth.labels)):
        nib.save(nib.Nifti1Image(np.array(values), np.eye(4)), tmp_path / f"{name}.nii.gz")
    case = find_sources(tmp_path)[0].read()
    assert case.pixel_mm is None
    assert case.context(3)[4].tolist() == [3, 4, 5]


def test_one_of_several_volumes_is_chosen_in_the_list(tmp_path: Path) -> None:
    phantom = small(1)
    both = np.stack([np.full(phantom.volume.shape, -1000, np.int16), phantom.volume.hu], axis=3)
    nib.save(nib.Nifti1Image(both, phantom.volume.affine.matrix), tmp_path / "a.nii.gz")
    save_mask(phantom.truth, phantom.volume.origin, tmp_path / "a_mask.nii.gz")
    with pytest.raises(UnreadableFileError, match=r'several volumes.*"volume"'):
        find_sources(tmp_path)[0].read()
    row = {"name": "a", "scan": "a.nii.gz", "mask": "a_mask.nii.gz"}
    write_list(tmp_path, {**row, "volume": 2})
    slices = find_sources(tmp_path)[0].read().slices
    np.testing.assert_array_equal(slices, axial_slices(phantom.volume))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"name": "a", "scan": "a.nii"}, r"cases\.json is damaged.*'mask'"),
        ({"name": "a", "scan": "a", "mask": "m", "pateint": "x"}, r"a has 'pateint', which means"),
        ({"name": "a", "scan": "a", "mask": "m", "labels": "5=spleen"}, r"labels '5=spleen'"),
        ({"name": "a", "scan": "a", "mask": "m", "volume": "x"}, r"cases\.json is damaged"),
    ],
)
def test_a_list_that_makes_no_sense_is_told(
    tmp_path: Path, row: dict[str, object], message: str
) -> None:
    write_list(tmp_path, row)
    with pytest.raises(UnreadableFileError, match=message):
        find_sources(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", '{"training": [{"image": 3}]}', '{"training": 1}'])
def test_a_damaged_dataset_json_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(UnreadableFileError, match=r"dataset\.json is damaged.*Unpack"):
        find_sources(tmp_path)


def test_a_folder_of_nothing_known_lists_the_layouts(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UnreadableFileError) as caught:
        find_sources(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert all(layout in str(caught.value) for layout in LAYOUTS)
    with pytest.raises(UnreadableFileError, match="is no folder"):
        find_sources(tmp_path / "notes.txt")


def test_a_data_set_is_found_in_the_folder_it_was_unpacked_into(tmp_path: Path) -> None:
    layouts.decathlon(tmp_path / "Task03_Liver")
    assert len(find_sources(tmp_path)) == 2
    layouts.corrected(tmp_path / "own")
    with pytest.raises(UnreadableFileError, match=r"several data sets: Task03_Liver, scans with"):
        find_sources(tmp_path)


def test_a_fingerprint_changes_with_any_file_and_not_with_the_place(tmp_path: Path) -> None:
    layouts.ircadb(tmp_path / "a", (1, 2))
    one, other = (source.fingerprint() for source in find_sources(tmp_path / "a"))
    assert one != other
    (tmp_path / "a").rename(tmp_path / "b")
    assert find_sources(tmp_path / "b")[0].fingerprint() == one
    slice_ = tmp_path / "b" / "3Dircadb1.1" / "MASKS_DICOM" / "liver" / "image_3"
    slice_.write_bytes(slice_.read_bytes() + b" ")
    assert find_sources(tmp_path / "b")[0].fingerprint() != one
    assert find_sources(tmp_path / "b")[1].fingerprint() == other
