from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813

from liverseg_gui.core.errors import AmbiguousInputError, UnreadableFileError
from liverseg_gui.core.measure import measure
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.volume import LabelMap
from liverseg_gui.io.dicom_write import write_dicom_series
from liverseg_gui.io.nifti import read_mask
from liverseg_gui.io.nifti_write import save_mask
from liverseg_gui.io.scans import list_volumes, open_scan


@pytest.fixture(scope="module")
def series(phantom: Phantom, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dicom")
    write_dicom_series(phantom.volume, folder)
    return folder


def copy(series: Path, target: Path) -> list[Path]:
    files = []
    for file in sorted(series.iterdir())[:12]:
        (target / file.name).write_bytes(file.read_bytes())
        files.append(target / file.name)
    return files


def change(path: Path, **values: object) -> None:
    image = pydicom.dcmread(path)
    for name, value in values.items():
        setattr(image, name, value)
    image.save_as(path)


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
    with pytest.raises(UnreadableFileError, match="same place"):
        open_scan(tmp_path)


def test_a_missing_slice_is_never_bridged_by_a_mean_distance(series: Path, tmp_path: Path) -> None:
    copy(series, tmp_path)[5].unlink()
    with pytest.raises(UnreadableFileError, match=r"unevenly spaced \(4\.5, 9 mm"):
        open_scan(tmp_path)


def test_a_tilted_gantry_is_refused(series: Path, tmp_path: Path) -> None:
    for n, file in enumerate(copy(series, tmp_path)):
        x, y, z = pydicom.dcmread(file).ImagePositionPatient
        change(file, ImagePositionPatient=[x, y + n, z])
    with pytest.raises(UnreadableFileError, match="tilted gantry"):
        open_scan(tmp_path)


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
    with pytest.raises(UnreadableFileError, match=r"notes\.txt is no CT scan"):
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
def test_uneven_slices_are_refused(real_data: Path) -> None:
    with pytest.raises(UnreadableFileError, match="unevenly spaced"):
        open_scan(real_data / "dicom" / "tcga_uneven")


@pytest.mark.real_data
def test_jpeg_2000_is_decompressed(real_data: Path) -> None:
    volume = open_scan(real_data / "dicom" / "jpeg2000")
    assert volume.shape == (512, 512, 20)
    assert -1024 <= volume.hu.min() < -900
    assert 20 < np.median(volume.hu[200:300, 200:300]) < 80


@pytest.mark.real_data
def test_padding_of_hcc_006_is_air(real_data: Path) -> None:
    assert open_scan(real_data / "dicom" / "hcc_006").hu.min() == -1024
