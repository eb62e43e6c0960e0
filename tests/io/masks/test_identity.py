from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from liverseg_gui.core.errors import IdentityMismatchError
from liverseg_gui.core.measure import measure
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.volume import DicomIdentity, Volume
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.io.masks.read import read_mask
from liverseg_gui.io.scans import open_scan
from tests.io.masks.test_dicom_seg import channels, slices_of, stack, write_seg
from tests.io.masks.test_read import structure

UID = "2.25.777"
Change = Callable[[pydicom.Dataset], None]


@pytest.fixture(scope="module")
def folder(phantom: Phantom, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A series of a patient, and the SEG that was drawn on it."""
    folder = tmp_path_factory.mktemp("identity")
    write_dicom_series(phantom.volume, folder / "ct")
    for file in (folder / "ct").iterdir():
        one = pydicom.dcmread(file)
        one.PatientID, one.PatientName = "4711", "Doe^Jane"
        one.save_as(file)
    pixels = channels(stack(phantom))
    write_seg(folder / "seg.dcm", slices_of(folder / "ct"), pixels, ["Liver", "Tumor"])
    return folder


@pytest.fixture(scope="module")
def scan(folder: Path) -> Volume:
    return open_scan(folder / "ct")


def changed(folder: Path, tmp_path: Path, **tags: str) -> Path:
    """The SEG with other `tags`; `series` is the one it refers to, empty for none."""
    seg = pydicom.dcmread(folder / "seg.dcm")
    series = tags.pop("series", None)
    if series == "":
        del seg.ReferencedSeriesSequence
    elif series is not None:
        seg.ReferencedSeriesSequence[0].SeriesInstanceUID = series
    for name, value in tags.items():
        setattr(seg, name, value)
    seg.save_as(tmp_path / "changed.dcm")
    return tmp_path / "changed.dcm"


NOBODY = {"PatientID": "", "PatientName": ""}
OTHER_SCAN = {"StudyInstanceUID": UID, "FrameOfReferenceUID": f"{UID}.1", "series": f"{UID}.2"}
NO_SCAN = {"StudyInstanceUID": "", "FrameOfReferenceUID": "", "series": ""}


def test_the_mask_of_a_scan_is_taken_without_a_word(
    folder: Path, scan: Volume, phantom: Phantom
) -> None:
    mask = read_mask(folder / "seg.dcm", scan)
    np.testing.assert_array_equal(mask.labels, phantom.truth.labels)
    assert mask.issues == ()


@pytest.mark.parametrize(
    "tags",
    [
        {"PatientID": "4712", **OTHER_SCAN},
        {"PatientID": "4712", **NO_SCAN},
        {"PatientID": "4712", "series": f"{UID}.2"},
        {"PatientID": "", "PatientName": "Roe^Richard", **OTHER_SCAN},
    ],
)
def test_a_mask_of_another_patient_is_refused_and_nobody_is_named(
    folder: Path, scan: Volume, tmp_path: Path, tags: dict[str, str]
) -> None:
    path = changed(folder, tmp_path, **tags)
    with pytest.raises(IdentityMismatchError, match="of another patient") as refused:
        read_mask(path, scan)
    for private in ("4711", "4712", "Doe", "Roe"):
        assert private not in str(refused.value).replace(str(path), "")


@pytest.mark.parametrize(
    ("tags", "code", "word"),
    [
        ({"PatientID": "4712"}, "mask-other-patient", "another patient"),
        ({"PatientID": "4712", "PatientName": "Roe"}, "mask-other-patient", "another patient"),
        (OTHER_SCAN, "mask-other-scan", "study, series and frame of reference"),
        ({"FrameOfReferenceUID": UID}, "mask-other-scan", "another frame of reference"),
        ({"series": UID}, "mask-other-scan", "another series"),
        ({"StudyInstanceUID": UID}, "mask-other-scan", "another study"),
        ({**NOBODY, **OTHER_SCAN}, "mask-other-scan", "study, series and frame of reference"),
        ({**NOBODY, **NO_SCAN}, "mask-unnamed", "does not say whose it is"),
        ({"PatientID": "anonymous", "PatientName": "", **NO_SCAN}, "mask-unnamed", "whose it is"),
    ],
)
def test_a_doubt_whose_mask_it_is_stands_beside_the_figures(
    folder: Path, scan: Volume, tmp_path: Path, tags: dict[str, str], code: str, word: str
) -> None:
    mask = read_mask(changed(folder, tmp_path, **tags), scan)
    assert [issue.code for issue in mask.issues] == [code]
    assert any(word in text for text in measure(scan, mask).warnings)


@pytest.mark.parametrize("tags", [NOBODY, {**NOBODY, "series": ""}, {"PatientName": "DOE^JANE^^"}])
def test_an_anonymized_mask_that_refers_to_the_scan_is_taken(
    folder: Path, scan: Volume, tmp_path: Path, tags: dict[str, str]
) -> None:
    assert read_mask(changed(folder, tmp_path, **tags), scan).issues == ()


def test_a_scan_that_does_not_say_whose_it_is_is_compared_with_nothing(
    folder: Path, scan: Volume, tmp_path: Path
) -> None:
    path = changed(folder, tmp_path, PatientID="4712", **OTHER_SCAN)
    for identity in (None, DicomIdentity()):
        silent = replace(scan, origin=replace(scan.origin, identity=identity))
        assert read_mask(path, silent).issues == ()


def test_masks_of_single_slices_of_another_patient_are_refused(
    folder: Path, scan: Volume, phantom: Phantom, tmp_path: Path
) -> None:
    liver = tmp_path / "masks" / "liver"
    structure(phantom.volume, phantom.truth.labels > 0, liver)
    for file in liver.iterdir():
        one = pydicom.dcmread(file)
        one.PatientID, one.FrameOfReferenceUID = "4711", scan.origin.identity.frame_of_reference
        one.StudyInstanceUID = scan.origin.identity.study_uid
        one.save_as(file)
    assert read_mask(tmp_path / "masks", scan).issues == ()
    one.StudyInstanceUID = UID
    one.save_as(file)
    assert [i.code for i in read_mask(tmp_path / "masks", scan).issues] == ["mask-other-scan"]
    one.PatientID = "4712"
    one.save_as(file)
    with pytest.raises(IdentityMismatchError, match="another patient"):
        read_mask(tmp_path / "masks", scan)
