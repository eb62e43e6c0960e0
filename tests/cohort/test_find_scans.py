from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest

from liverseg_gui.cohort.case_names import Place, case_names
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


def test_a_folder_that_may_not_be_read_has_a_failed_row_and_the_others_are_cases(
    scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.scandir

    def scandir(place: Path) -> object:
        if Path(place).name == "two":
            raise PermissionError(13, "Permission denied", str(place))
        return real(place)

    monkeypatch.setattr(os, "scandir", scandir)
    cohort = found(scans)
    assert [case.name for case in cohort.cases] == ["a", "one__scan"]
    (row,) = cohort.settled
    assert (row.name, row.path, row.status) == ("", scans / "two", Status.FAILED)
    assert row.reason == "cannot be read: Permission denied."


def test_a_link_that_leads_nowhere_fails_and_changes_no_name(tiny: Phantom, tmp_path: Path) -> None:
    write_dicom_series(tiny.volume, tmp_path / "in" / "study")
    names = [case.name for case in found(tmp_path / "in").cases]
    (tmp_path / "in" / "study" / "loop").symlink_to("loop")
    (tmp_path / "in" / "study2").symlink_to("nowhere")
    cohort = found(tmp_path / "in")
    assert [case.name for case in cohort.cases] == names == ["study"]
    assert told(cohort, Status.FAILED).keys() == {"loop", "study2"}


def test_a_link_to_a_folder_is_skipped_with_a_row(scans: Path) -> None:
    (scans / "again").symlink_to("one")
    cohort = found(scans)
    assert len(cohort.cases) == 3
    assert "not followed" in told(cohort, Status.SKIPPED)["again"]


@pytest.mark.skipif(os.name == "nt", reason="has no such files")
def test_pipes_and_devices_among_scans_have_failed_rows(scans: Path) -> None:
    for name in ("p.nii.gz", "p.mha", "p.zip"):
        os.mkfifo(scans / name)
    (scans / "z.zip").symlink_to("/dev/zero")
    cohort = found(scans)
    assert len(cohort.cases) == 3
    failed = told(cohort, Status.FAILED)
    assert failed.keys() == {"p.nii.gz", "p.mha", "p.zip", "z.zip"}
    assert all("not a file" in why for why in failed.values())


def test_odd_archives_end_their_own_rows_alone(scans: Path) -> None:
    with zipfile.ZipFile(scans / "sound.zip", "w") as archive:
        archive.write(scans / "a.nii.gz", "inside (1)/b.nii.gz")
        archive.writestr("inside (1)/bad.nii", "no image")
        archive.writestr("inside (1)/more.zip", "no archive")
    sound = (scans / "sound.zip").read_bytes()
    (scans / "cut.zip").write_bytes(sound[:-40])
    entry = sound.rindex(b"PK\x01\x02")
    (scans / "nameless.zip").write_bytes(sound[: entry + 28] + b"\0\0" + sound[entry + 30 :])
    (scans / "packed.7z").write_bytes(b"7z")
    cohort = found(scans)
    assert [case.name for case in cohort.cases] == ["a", "one__scan", "two__scan", "sound"]
    assert told(cohort, Status.FAILED).keys() == {"cut.zip", "nameless.zip", "bad.nii"}
    assert told(cohort, Status.SKIPPED).keys() == {"more.zip", "packed.7z"}


def ircadb(tiny: Phantom, root: Path) -> Path:
    """Two patients of 3D-IRCADb-01, whose PatientIDs are the names of their folders."""
    for n in (1, 2):
        patient = root / f"3Dircadb1.{n}"
        for name in ("PATIENT_DICOM", "MASKS_DICOM/liver"):
            write_dicom_series(tiny.volume, patient / name)
            for file in (patient / name).iterdir():
                image = pydicom.dcmread(file)
                image.PatientID = image.PatientName = patient.name
                image.SeriesInstanceUID += f".{n}{len(name)}"
                image.save_as(file)
    return root


def test_patients_of_ircadb_are_called_as_the_data_set_calls_them(
    tiny: Phantom, tmp_path: Path
) -> None:
    root = ircadb(tiny, tmp_path / "set")
    for source in (root, root.parent):
        cohort = find_cases(source, tmp_path / "out", Progress())
        assert [case.name for case in cohort.cases] == ["3Dircadb1.1", "3Dircadb1.2"]
        assert [result.reason for result in cohort.settled] == ["masks of 3D-IRCADb-01"] * 2
    (one,) = found(root / "3Dircadb1.2").cases
    assert one.name == "3Dircadb1.2"


def test_what_an_earlier_run_called_otherwise_keeps_its_name(tiny: Phantom, tmp_path: Path) -> None:
    root = ircadb(tiny, tmp_path / "set")
    (tmp_path / "out").mkdir()
    names = case_names(
        root,
        [Place(root / "3Dircadb1.1" / "PATIENT_DICOM", 1, ("3Dircadb1.1", "3Dircadb1.1"))],
    )
    (tmp_path / "out" / f"{names[0]}.json").write_text("{}")
    cases = find_cases(root, tmp_path / "out", Progress()).cases
    assert [case.name for case in cases] == [names[0], "3Dircadb1.2"]
