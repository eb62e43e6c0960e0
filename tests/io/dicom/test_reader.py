from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813

from liverseg_gui.core.errors import AmbiguousInputError, UnreadableFileError
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.measure import measure
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.io.formats.nifti_write import save_mask
from liverseg_gui.io.masks.read import read_mask
from liverseg_gui.io.scans import list_volumes, open_scan
from tests.io.dicom_files import SLICES, change, copy


@pytest.fixture(scope="module")
def series(phantom: Phantom, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dicom")
    write_dicom_series(phantom.volume, folder)
    return folder


def codes(volume: Volume) -> list[str]:
    return [issue.code for issue in volume.issues]


def test_a_series_comes_back_as_it_was_written(series: Path, phantom: Phantom) -> None:
    volume = open_scan(series)
    np.testing.assert_array_equal(volume.hu, phantom.volume.hu)
    assert volume.affine.close_to(phantom.volume.affine, volume.shape)
    assert volume.origin.patient == "Phantom"


def test_a_mask_saved_on_a_series_lies_where_simpleitk_sees_the_series(
    series: Path, phantom: Phantom, tmp_path: Path
) -> None:
    volume = open_scan(series)
    save_mask(LabelMap(phantom.truth.labels, volume.grid), volume.origin, tmp_path / "m.nii.gz")
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(series)))
    image, mask = reader.Execute(), sitk.ReadImage(str(tmp_path / "m.nii.gz"))
    assert image.GetSize() == mask.GetSize()
    np.testing.assert_allclose(image.GetOrigin(), mask.GetOrigin(), atol=1e-3)
    np.testing.assert_allclose(image.GetDirection(), mask.GetDirection(), atol=1e-5)
    hu, labels = sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(mask)
    assert np.median(hu[labels == 1]) == np.median(phantom.volume.hu[phantom.truth.labels == 1])


def test_one_file_opens_its_whole_series(series: Path, phantom: Phantom) -> None:
    assert open_scan(sorted(series.iterdir())[7]).shape == phantom.volume.shape


def test_file_names_do_not_decide_the_order(series: Path, tmp_path: Path) -> None:
    files = copy(series, tmp_path)
    upright = open_scan(tmp_path)
    for n, file in enumerate(files):
        file.rename(tmp_path / f"{(n * 7) % 12:02d}.x")
    np.testing.assert_array_equal(open_scan(tmp_path).hu, upright.hu)


def test_other_files_in_the_folder_are_passed_over(series: Path, tmp_path: Path) -> None:
    copy(series, tmp_path)
    (tmp_path / "LICENSE").write_text("text")
    (tmp_path / "empty.dcm").touch()
    assert open_scan(tmp_path).shape[2] == 12


def test_two_phases_under_one_series_come_out_as_two_volumes(series: Path, tmp_path: Path) -> None:
    for n, file in enumerate(copy(series, tmp_path)):
        second = tmp_path / f"second{n}.dcm"
        second.write_bytes(file.read_bytes())
        change(second, AcquisitionNumber=2, RescaleIntercept=-924, SOPInstanceUID=f"1.2.{n}")
    with pytest.raises(AmbiguousInputError, match="2 volumes"):
        open_scan(tmp_path)
    first, second = open_scan(tmp_path, number=1), open_scan(tmp_path, number=2)
    np.testing.assert_array_equal(first.hu + 100, second.hu)


def test_phases_are_found_where_every_slice_has_its_own_acquisition(
    series: Path, tmp_path: Path
) -> None:
    for n, file in enumerate(copy(series, tmp_path)):
        second = tmp_path / f"second{n}.dcm"
        second.write_bytes(file.read_bytes())
        change(file, AcquisitionNumber=n, AcquisitionTime="101500")
        change(second, AcquisitionNumber=100 + n, AcquisitionTime="101545")
    entries = list_volumes(tmp_path)
    assert [entry.size[2] for entry in entries] == [12, 12]
    assert entries[0].description != entries[1].description


def test_repeated_positions_that_nothing_tells_apart_are_refused(
    series: Path, tmp_path: Path
) -> None:
    file = copy(series, tmp_path)[3]
    (tmp_path / "again.dcm").write_bytes(file.read_bytes())
    change(tmp_path / "again.dcm", SOPInstanceUID="1.2.3.4")
    with pytest.raises(UnreadableFileError, match="same place"):
        open_scan(tmp_path)


def test_volumes_of_the_same_identifiers_are_told_apart_by_their_folders(
    series: Path, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        for n, file in enumerate(copy(series, tmp_path / name)):
            change(file, SOPInstanceUID=f"1.2.3.{n}.{ord(name)}")
    found = list_volumes(tmp_path)
    assert [entry.size[2] for entry in found] == [SLICES, SLICES]
    assert "folder" in str(found[0].issues)


def test_images_that_all_lie_at_one_place_do_not_keep_others_from_being_listed(
    series: Path, tmp_path: Path
) -> None:
    copy(series, tmp_path / "whole")
    first, second = copy(series, tmp_path / "odd", 2)
    change(first, SeriesInstanceUID="1.2.9", StudyInstanceUID="1.2.8")
    second.write_bytes(first.read_bytes())
    change(second, SOPInstanceUID="1.2.3.4")
    problems = [bool(entry.problem) for entry in list_volumes(tmp_path)]
    assert sorted(problems) == [False, True]


@pytest.mark.parametrize("values", [{"PixelSpacing": [1e-9, 1e-9]}, {"SliceThickness": 1e-12}])
def test_sizes_that_no_voxel_has_are_taken_for_missing(
    series: Path, tmp_path: Path, values: dict[str, object]
) -> None:
    for file in copy(series, tmp_path):
        change(file, **values)
    assert open_scan(tmp_path).shape[2] == 12


def test_a_file_that_is_there_twice_is_taken_once_and_said(series: Path, tmp_path: Path) -> None:
    file = copy(series, tmp_path)[3]
    (tmp_path / "again.dcm").write_bytes(file.read_bytes())
    volume = open_scan(tmp_path)
    assert volume.shape[2] == 12
    assert "duplicate-files" in codes(volume)


def test_phases_that_only_their_order_tells_apart_are_split(series: Path, tmp_path: Path) -> None:
    for n, file in enumerate(copy(series, tmp_path)):
        second = tmp_path / f"second{n}.dcm"
        second.write_bytes(file.read_bytes())
        change(second, InstanceNumber=101 + n, SOPInstanceUID=f"1.2.{n}", RescaleIntercept=-924)
    first, second = (open_scan(tmp_path, number=n) for n in (1, 2))
    np.testing.assert_array_equal(first.hu + 100, second.hu)


def test_a_missing_slice_is_named_and_the_figures_are_marked(
    series: Path, tmp_path: Path, phantom: Phantom
) -> None:
    copy(series, tmp_path)[5].unlink()
    volume = open_scan(tmp_path)
    (found,) = [f for f in volume.issues if f.code == "missing-slices"]
    assert "1 slice are missing" not in found.message
    assert "(image 6)" in found.message
    assert not volume.mm_reliable
    assert volume.affine.spacing_mm[2] == pytest.approx(4.5)
    assert volume.shape[2] == 12
    kept = [k for k in range(12) if k != 5]
    np.testing.assert_array_equal(volume.hu[:, :, kept], phantom.volume.hu[:, :, kept])
    assert not measure(volume, LabelMap(np.ones(volume.shape, np.uint8), volume.grid)).mm_reliable


def test_slices_made_at_uneven_distances_are_not_taken_for_missing_ones(
    series: Path, tmp_path: Path
) -> None:
    for n, file in enumerate(copy(series, tmp_path)):
        x, y, z = pydicom.dcmread(file).ImagePositionPatient
        change(file, ImagePositionPatient=[x, y, z + 4.5 * max(n - 7, 0)], SliceThickness=9)
    volume = open_scan(tmp_path)
    assert "uneven-slices" in codes(volume)
    assert "missing-slices" not in codes(volume)
    assert volume.mm_reliable
    assert np.ptp(np.diff([volume.affine.to_mm((0, 0, k))[2] for k in range(5)])) < 1e-9


def test_rescale_is_taken_from_each_slice(series: Path, tmp_path: Path) -> None:
    files = copy(series, tmp_path)
    before = open_scan(tmp_path).hu[:, :, 4].copy()
    change(files[4], RescaleIntercept=-1000)
    np.testing.assert_array_equal(open_scan(tmp_path).hu[:, :, 4], before + 24)


def test_padding_below_air_becomes_air(series: Path, tmp_path: Path) -> None:
    for file in copy(series, tmp_path):
        change(file, RescaleIntercept=-2048)
    assert open_scan(tmp_path).hu.min() == -1024


def test_a_truncated_slice_is_named(series: Path, tmp_path: Path) -> None:
    file = copy(series, tmp_path)[6]
    file.write_bytes(file.read_bytes()[:-4000])
    with pytest.raises(UnreadableFileError, match=file.name):
        open_scan(tmp_path)


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="holds no DICOM images"):
        open_scan(tmp_path)


def test_a_text_file_is_no_scan(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(UnreadableFileError, match=r"notes\.txt is no scan"):
        open_scan(tmp_path / "notes.txt")


@pytest.mark.real_data
def test_chaos_is_read_as_simpleitk_reads_it_and_its_truth_measures_1417_ml(
    real_data: Path,
) -> None:
    folder = real_data / "dicom" / "chaos_ct3"
    volume = open_scan(folder)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    expected = sitk.GetArrayFromImage(reader.Execute())
    stored = volume.grid.to_stored(volume.hu).transpose(2, 1, 0)
    np.testing.assert_array_equal(stored, np.maximum(expected, -1024))
    assert volume.affine.spacing_mm[2] == pytest.approx(2.0)
    assert volume.origin.slice_thickness_mm == pytest.approx(3.2)
    truth = read_mask(real_data / "nifti" / "chaos_ct3_liver.nii.gz", volume)
    assert measure(volume, truth).liver_ml == pytest.approx(1417.5, abs=0.1)


@pytest.mark.real_data
def test_the_two_phase_series_is_two_volumes_of_24(real_data: Path) -> None:
    entries = list_volumes(real_data / "dicom" / "hcc_002_two_phase")
    assert [entry.size[2] for entry in entries] == [24, 24]


@pytest.mark.real_data
def test_the_uneven_series_says_what_is_wrong_and_is_resampled(real_data: Path) -> None:
    (entry,) = [e for e in list_volumes(real_data / "dicom" / "tcga_uneven") if e.modality == "CT"]
    assert entry.size == (512, 512, 34)
    assert entry.spacing_mm is not None
    assert entry.spacing_mm[2] is None
    volume = open_scan(real_data / "dicom" / "tcga_uneven")
    messages = {f.code: f.message for f in volume.issues}
    assert "images 38, 40" in messages["missing-slices"]
    assert "6, 8, 16 mm" in messages["uneven-slices"]
    assert not volume.mm_reliable
    assert volume.affine.spacing_mm[2] == pytest.approx(8.0)
    assert volume.origin.source_slices is not None
    assert len(volume.origin.source_slices.names) == 34


@pytest.mark.real_data
def test_jpeg_2000_is_decompressed(real_data: Path) -> None:
    volume = open_scan(real_data / "dicom" / "jpeg2000")
    assert volume.shape == (512, 512, 20)
    assert -1024 <= volume.hu.min() < -900
    assert 20 < np.median(volume.hu[200:300, 200:300]) < 80


@pytest.mark.real_data
def test_padding_of_hcc_006_is_air(real_data: Path) -> None:
    assert open_scan(real_data / "dicom" / "hcc_006").hu.min() == -1024


def test_acquisitions_between_each_others_slices_are_two_volumes(
    series: Path, tmp_path: Path
) -> None:
    for n, file in enumerate(copy(series, tmp_path)):
        second = tmp_path / f"second{n}.dcm"
        second.write_bytes(file.read_bytes())
        x, y, z = pydicom.dcmread(file).ImagePositionPatient
        change(
            second,
            AcquisitionNumber=2,
            SOPInstanceUID=f"1.2.{n}",
            ImagePositionPatient=[x, y, z + 2.25],
        )
    assert [entry.size[2] for entry in list_volumes(tmp_path)] == [12, 12]
    assert open_scan(tmp_path, number=1).affine.spacing_mm[2] == pytest.approx(4.5)


def test_acquisitions_one_above_the_other_stay_one_volume(series: Path, tmp_path: Path) -> None:
    for n, file in enumerate(copy(series, tmp_path)):
        change(file, AcquisitionNumber=1 + n // 6)
    assert open_scan(tmp_path).shape[2] == 12


def test_two_patients_are_never_one_volume(series: Path, tmp_path: Path) -> None:
    for n, file in enumerate(copy(series, tmp_path)):
        change(file, PatientID=f"P{n // 6}")
    assert [entry.size[2] for entry in list_volumes(tmp_path)] == [6, 6]


def test_overlapping_parts_say_that_each_covers_only_some_of_the_body(
    series: Path, tmp_path: Path
) -> None:
    for n, file in enumerate(copy(series, tmp_path)):
        change(file, AcquisitionNumber=1 if n < 7 else 2)
        if n == 6:
            again = tmp_path / "again.dcm"
            again.write_bytes(file.read_bytes())
            change(again, AcquisitionNumber=2, SOPInstanceUID="1.2.3")
    entries = list_volumes(tmp_path)
    assert [entry.size[2] for entry in entries] == [7, 6]
    assert "separate-parts" in [f.code for f in entries[0].issues]


def test_slices_moved_sideways_are_noticed_and_masks_lie_in_their_place(
    series: Path, tmp_path: Path
) -> None:
    for n, file in enumerate(copy(series, tmp_path)):
        x, y, z = pydicom.dcmread(file).ImagePositionPatient
        change(file, ImagePositionPatient=[x + 30 * (4 <= n < 8), y, z])
    volume = open_scan(tmp_path)
    assert "shifted-slices" in codes(volume)
    assert volume.shape[0] == 128 + 10
    first, middle = (np.argwhere(volume.hu[:, :, k] > -500).mean(axis=0)[0] for k in (1, 6))
    assert abs(abs(first - middle) * 3.0 - 30) < 6


def test_a_gap_in_a_renumbered_series_marks_the_figures(series: Path, tmp_path: Path) -> None:
    files = copy(series, tmp_path, 20)
    for file in files[6:13]:
        file.unlink()
    for n, file in enumerate(sorted(tmp_path.iterdir())):
        change(file, InstanceNumber=n + 1)
    volume = open_scan(tmp_path)
    (found,) = [f for f in volume.issues if f.code == "missing-slices"]
    assert "7 slices are probably missing" in found.message
    assert not volume.mm_reliable


def test_small_steps_that_add_up_are_not_taken_for_even_ones(series: Path, tmp_path: Path) -> None:
    for n, file in enumerate(copy(series, tmp_path, 40)):
        x, y, z = pydicom.dcmread(file).ImagePositionPatient
        change(file, ImagePositionPatient=[x, y, z + 0.08 * max(n - 20, 0)])
    assert "uneven-slices" in codes(open_scan(tmp_path))


def test_a_copy_with_another_header_is_still_a_copy(series: Path, tmp_path: Path) -> None:
    file = copy(series, tmp_path)[3]
    again = tmp_path / f"{file.stem} (2).dcm"
    again.write_bytes(file.read_bytes())
    change(again, InstitutionName="Elsewhere")
    for path in (tmp_path, file, again):
        assert open_scan(path).shape[2] == 12


def test_objects_without_an_image_are_not_called_unreadable(series: Path, tmp_path: Path) -> None:
    copy(series, tmp_path)
    structures = pydicom.dcmread(tmp_path / "IM0001.dcm")
    structures.SOPClassUID, structures.Modality = "1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT"
    for name in ("Rows", "Columns", "PixelData"):
        delattr(structures, name)
    structures.save_as(tmp_path / "structures.dcm")
    (tmp_path / "._IM0001.dcm").write_bytes(b"apple")
    assert "unreadable-files" not in codes(open_scan(tmp_path))
