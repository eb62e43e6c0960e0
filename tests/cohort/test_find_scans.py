from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest

from liverseg_gui.cohort.find_scans import Cohort, find_cases
from liverseg_gui.cohort.result import Status
from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.io import archives
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.io.formats.nifti_write import save_mask


def found(source: Path, number: int | None = None) -> Cohort:
    return find_cases(source, source.parent / "out", Progress(), number)


def told(cohort: Cohort, status: Status) -> dict[str, str]:
    return {r.path.name: r.reason for r in cohort.settled if r.status is status}


def test_each_scan_below_a_folder_is_a_case(scans: Path) -> None:
    cohort = found(scans)
    assert [case.name for case in cohort.cases] == ["a", "one__scan", "two__scan"]
    assert [case.number for case in cohort.cases] == [1, 2, 3]
    assert len({case.fingerprint for case in cohort.cases}) == 3
    assert cohort.settled == ()


def test_what_is_no_scan_is_listed_with_the_reason(scans: Path, tiny: Phantom) -> None:
    save_mask(tiny.truth, tiny.volume.origin, scans / "a_seg.nii.gz")
    save_mask(tiny.truth, tiny.volume.origin, scans / "truth.nii.gz")
    (scans / "broken.nii.gz").write_bytes(b"no image")
    cohort = found(scans)
    assert len(cohort.cases) == 3
    skipped = told(cohort, Status.SKIPPED)
    assert skipped["a_seg.nii.gz"] == "a mask by its name or place"
    assert "8-bit" in skipped["truth.nii.gz"]
    assert "is no NIfTI image" in told(cohort, Status.FAILED)["broken.nii.gz"]


def test_series_of_a_dicom_folder_are_cases_unless_they_are_no_ct(
    tiny: Phantom, tmp_path: Path
) -> None:
    for name in ("ct", "mr"):
        write_dicom_series(tiny.volume, tmp_path / "study" / name)
    for file in (tmp_path / "study" / "mr").iterdir():
        image = pydicom.dcmread(file)
        image.Modality, image.SeriesInstanceUID = "MR", image.SeriesInstanceUID + ".9"
        image.save_as(file)
    cohort = found(tmp_path / "study")
    assert [case.name for case in cohort.cases] == ["ct"]
    assert "only CT" in told(cohort, Status.SKIPPED)["mr"]


def test_a_name_tells_no_patient(tiny: Phantom, tmp_path: Path) -> None:
    write_dicom_series(tiny.volume, tmp_path / "in" / "phantom of today" / "ct")
    (case,) = found(tmp_path / "in").cases
    assert "phantom" not in case.name.casefold()
    assert case.name.endswith("__ct")


def test_a_number_chooses_one_volume_and_its_name_stays(scans: Path) -> None:
    (case,) = found(scans, 2).cases
    assert case == found(scans).cases[1]
    with pytest.raises(UnreadableFileError, match="no volume 9"):
        found(scans, 9)


def test_archives_in_a_folder_are_cases_and_leave_nothing_unpacked(
    scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with zipfile.ZipFile(scans / "more.zip", "w") as archive:
        archive.write(scans / "a.nii.gz", "inside/b.nii.gz")
    (scans / "bad.zip").write_bytes(b"no archive")
    with zipfile.ZipFile(scans / "texts.zip", "w") as archive:
        archive.writestr("a.txt", "text")
    cohort = found(scans)
    assert [case.name for case in cohort.cases] == ["a", "one__scan", "two__scan", "more"]
    assert told(cohort, Status.FAILED).keys() == {"bad.zip"}
    assert told(cohort, Status.SKIPPED).keys() == {"texts.zip"}
    assert list((tmp_path / "temporary").iterdir()) == []
    assert [case.name for case in found(scans / "more.zip").cases] == ["more"]
    archives.remove_unpacked()


def test_masks_of_earlier_runs_inside_the_input_are_no_scans(scans: Path) -> None:
    shutil.copy(scans / "a.nii.gz", scans / "one" / "other.nii.gz")
    cohort = find_cases(scans, scans / "one", Progress())
    assert [case.name for case in cohort.cases] == ["a", "two__scan"]


def test_a_changed_file_has_another_fingerprint(scans: Path, tiny: Phantom) -> None:
    before = {case.name: case.fingerprint for case in found(scans).cases}
    os.utime(scans / "a.nii.gz", ns=(1, 1))
    after = {case.name: case.fingerprint for case in found(scans).cases}
    assert {name for name in before if before[name] != after[name]} == {"a"}
    write_dicom_series(tiny.volume, scans / "one" / "dicom")
    (first,) = (case for case in found(scans).cases if case.path.name == "dicom")
    file = sorted((scans / "one" / "dicom").iterdir())[3]
    image = pydicom.dcmread(file)
    image.PixelData = np.zeros_like(image.pixel_array).tobytes()
    image.save_as(file)
    (second,) = (case for case in found(scans).cases if case.path.name == "dicom")
    assert first.fingerprint != second.fingerprint
