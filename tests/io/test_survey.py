from __future__ import annotations

import gzip
import os
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pydicom
import pytest

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.core.phantom import Phantom, PhantomSpec, make_phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.io.dicom import index
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.io.entries import Role, likeliest
from liverseg_gui.io.formats.nifti_write import write_scan
from liverseg_gui.io.scans import list_volumes, open_scan
from liverseg_gui.io.survey import survey_folder
from liverseg_gui.system.regular_file import file_stamp
from tests.io.dicom_files import change

PIPES = pytest.mark.skipif(os.name == "nt", reason="has no named pipes")


@pytest.fixture(scope="module")
def tiny() -> Phantom:
    return make_phantom(PhantomSpec(2, (32, 32, 10), (12.0, 12.0, 12.0), (40.0,)))


@pytest.fixture
def series(tiny: Phantom, tmp_path: Path) -> Path:
    write_dicom_series(tiny.volume, tmp_path / "study" / "series")
    return tmp_path / "study" / "series"


def codes(path: Path) -> list[str]:
    return [issue.code for entry in list_volumes(path) for issue in entry.issues]


@pytest.mark.parametrize(
    "ending", [".img", ".nii", ".mha", ".raw", ".ima", "", ".gz", ".zip", ".jpg", ".txt"]
)
def test_dicom_is_read_whatever_it_is_called(series: Path, tiny: Phantom, ending: str) -> None:
    for file in series.iterdir():
        file.rename(file.with_suffix(ending))
    np.testing.assert_array_equal(open_scan(series).hu, tiny.volume.hu)
    assert open_scan(next(series.iterdir())).shape == tiny.volume.shape


def test_slices_gzipped_one_by_one_are_called_so(series: Path) -> None:
    for file in sorted(series.iterdir())[::2]:
        file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    (entry,) = list_volumes(series)
    (issue,) = (i for i in entry.issues if i.code == "unreadable-files")
    assert "5 of the folder's DICOM files cannot be read" in issue.message
    assert "gzip" in issue.message
    assert "Unpack" in issue.remedy
    assert "unread-places" not in codes(series)
    for file in series.glob("*.dcm"):
        file.unlink()
    with pytest.raises(UnreadableFileError, match="gzip"):
        list_volumes(series)
    with pytest.raises(UnreadableFileError, match="gunzip"):
        list_volumes(next(series.iterdir()))
    for n, file in enumerate(sorted(series.iterdir())):
        file.rename(series / f"{n}.gz")
    with pytest.raises(UnreadableFileError, match="5 files of it are gzipped DICOM"):
        list_volumes(series)


def test_what_is_packed_otherwise_is_named(series: Path) -> None:
    with tarfile.open(series.parent / "study.tar.gz", "w:gz") as archive:
        archive.add(series, "series")
    shutil.rmtree(series)
    with pytest.raises(UnreadableFileError, match=r"study\.tar\.gz: packed in a way"):
        list_volumes(series.parent)
    with pytest.raises(UnreadableFileError, match="Unpack it"):
        list_volumes(series.parent / "study.tar.gz")


def write_dicomdir(folder: Path, name: str = "DICOMDIR") -> Path:
    """A DICOMDIR that lists the images below `folder`, names in capitals as on discs."""
    records = []
    for place in sorted(p for p in folder.iterdir() if p.is_dir()):
        files = sorted(place.iterdir())
        series = pydicom.Dataset()
        series.DirectoryRecordType = "SERIES"
        series.SeriesInstanceUID = pydicom.dcmread(files[0]).SeriesInstanceUID
        records.append(series)
        for file in files:
            image = pydicom.Dataset()
            image.DirectoryRecordType = "IMAGE"
            image.ReferencedFileID = [part.upper() for part in file.relative_to(folder).parts]
            records.append(image)
    out = pydicom.Dataset()
    out.DirectoryRecordSequence = records
    out.file_meta = pydicom.dataset.FileMetaDataset()
    out.file_meta.MediaStorageSOPClassUID = pydicom.uid.MediaStorageDirectoryStorage
    out.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    out.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    pydicom.dcmwrite(folder / name, out, enforce_file_format=True)
    return folder / name


@pytest.mark.parametrize("name", ["DICOMDIR", "dicomdir"])
def test_images_that_a_dicomdir_lists_and_that_are_gone_are_counted(
    series: Path, name: str
) -> None:
    disc = write_dicomdir(series.parent, name)
    assert "listed-files-gone" not in codes(disc)
    for file in sorted(series.iterdir())[-4:]:
        file.unlink()
    for path in (disc, series.parent):
        (entry,) = list_volumes(path)
        (issue,) = (i for i in entry.issues if i.code == "listed-files-gone")
        assert "lists 4 more images" in issue.message
        assert issue in entry.read(Progress()).issues
    shutil.rmtree(series)
    with pytest.raises(UnreadableFileError, match="lists 10 images of 1 series"):
        list_volumes(disc)


def test_a_series_that_is_gone_from_a_disc_is_told_beside_the_others(series: Path) -> None:
    shutil.copytree(series, series.with_name("other"))
    for file in series.with_name("other").iterdir():
        change(file, SeriesInstanceUID="1.2.3.4")
    disc = write_dicomdir(series.parent)
    shutil.rmtree(series.with_name("other"))
    assert codes(disc).count("unread-places") == 1


@PIPES
@pytest.mark.parametrize("name", ["x.nii", "x.nii.gz", "x.nrrd", "x.mha", "x.mhd", "x.hdr"])
def test_a_pipe_called_as_an_image_is_told_and_hides_nothing(series: Path, name: str) -> None:
    os.mkfifo(series / name)
    entries, passed = survey_folder(series, Progress())
    assert len(entries) == 1
    (told,) = passed
    assert told.damaged
    assert "A named pipe, not a file" in told.why
    with pytest.raises(UnreadableFileError, match="A named pipe, not a file"):
        list_volumes(series / name)


@PIPES
@pytest.mark.parametrize("name", ["x", "x.dcm", "x.zip", "DICOMDIR"])
def test_a_pipe_is_refused_whatever_it_is_called(series: Path, name: str) -> None:
    os.mkfifo(series / name)
    assert len(list_volumes(series)) == 1
    with pytest.raises(UnreadableFileError, match="A named pipe, not a file"):
        list_volumes(series / name)


@PIPES
@pytest.mark.parametrize("name", ["z.zip", "z.nii.gz", "z.dcm", "z"])
def test_a_link_to_a_device_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to("/dev/zero")
    with pytest.raises(UnreadableFileError, match="A device, not a file"):
        list_volumes(tmp_path / name)


def test_a_looping_link_beside_slices_is_a_finding(series: Path) -> None:
    (series / "loop").symlink_to("loop")
    (entry,) = list_volumes(series.parent)
    found = {issue.code: issue.message for issue in entry.issues}
    assert "symbolic links" in found["unreadable-files"]
    assert "symbolic links" in found["unread-places"]
    assert "unread-places" in [issue.code for issue in entry.read(Progress()).issues]


def test_a_path_that_cannot_be_followed_has_its_true_reason(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UnreadableFileError, match="symbolic links"):
        list_volumes(tmp_path / "loop")


@pytest.mark.parametrize("number", [2, 5, 13])
def test_a_slice_that_cannot_be_looked_at_hides_no_other(
    series: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    gone = min(series.iterdir())

    def stamp(path: Path) -> object:
        if path == gone:
            raise OSError(number, os.strerror(number), str(path))
        return file_stamp(path)

    monkeypatch.setattr(index, "file_stamp", stamp)
    entries, passed = survey_folder(series.parent, Progress())
    assert entries[0].size[2] == 9
    assert "unreadable-files" in [issue.code for issue in entries[0].issues]
    assert [(p.path, p.damaged, p.unread) for p in passed] == [(gone, True, True)]
    assert os.strerror(number) in passed[0].why


def test_an_image_without_ending_that_is_cut_in_its_header_is_counted(series: Path) -> None:
    first = min(series.iterdir())
    first.with_suffix("").write_bytes(first.read_bytes()[:700])
    assert "unreadable-files" in codes(series)


def test_dicom_series_of_8_bits_are_set_aside(series: Path) -> None:
    masks = series.with_name("masks")
    shutil.copytree(series, masks)
    for file in masks.iterdir():
        image = pydicom.dcmread(file)
        pixels = (image.pixel_array > 0).astype(np.uint8)
        image.BitsAllocated = image.BitsStored = 8
        image.HighBit, image.PixelRepresentation, image.PixelData = 7, 0, pixels.tobytes()
        image.SeriesInstanceUID, image.SeriesNumber = "1.2.3.4", 0
        image.SeriesDescription = "liver"
        image.save_as(file)
    entries = list_volumes(series.parent)
    assert [entry.about.role for entry in entries] == [Role.VOLUME, Role.EIGHT_BIT]
    assert likeliest(entries) == 0
    assert "eight-bit" in [issue.code for issue in entries[1].issues]


def test_the_masks_of_every_ircadb_patient_belong_to_its_scan(series: Path, tmp_path: Path) -> None:
    for n in (1, 2):
        patient = tmp_path / "set" / f"3Dircadb1.{n}"
        for name in ("PATIENT_DICOM", "MASKS_DICOM/liver", "LABELLED_DICOM"):
            shutil.copytree(series, patient / name)
            for file in (patient / name).iterdir():
                change(file, SeriesInstanceUID=f"1.2.{n}.{len(name)}", PatientID=patient.name)
    entries, passed = survey_folder(tmp_path / "set", Progress())
    assert [entry.path.name for entry in entries] == ["PATIENT_DICOM"] * 2
    assert all(entry.mask == entry.path.with_name("MASKS_DICOM") for entry in entries)
    assert len(passed) == 4
    assert not any(p.damaged for p in passed)


def test_an_image_file_that_may_not_be_read_is_not_called_damaged(
    tiny: Phantom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.nii.gz"
    write_scan(tiny.volume, path)
    real = os.open

    def refuse(place: str, *arguments: object, **more: object) -> int:
        if str(place) == str(path):
            raise PermissionError(13, "Permission denied", str(place))
        return real(place, *arguments, **more)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(UnreadableFileError, match=r"cannot be read: Permission denied"):
        list_volumes(path)


def test_an_image_file_that_cannot_be_read_is_told_with_the_scans_beside_it(
    series: Path, tiny: Phantom
) -> None:
    write_scan(tiny.volume, series.parent / "other.nii.gz")
    assert "unread-places" not in codes(series.parent)
    (series.parent / "other.nii.gz").write_bytes(b"damaged")
    (entry,) = list_volumes(series.parent)
    (issue,) = (i for i in entry.issues if i.code == "unread-places")
    assert "other.nii.gz" in issue.message
