from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from liverseg_gui.core.errors import ChangedFileError, UnreadableFileError
from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.io.changes import unchanged
from liverseg_gui.io.dicom import index, reader
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.io.formats.nifti_write import write_scan
from liverseg_gui.io.scans import list_volumes, open_scan
from tests.io.dicom_files import change


def small(spacing_mm: float) -> Volume:
    grid = StoredGrid((8, 8, 8), Affine(np.diag([spacing_mm, spacing_mm, 5.0, 1.0])))
    return Volume(np.zeros((8, 8, 8), np.int16), grid, Origin(Path("x")))


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_scan_that_was_replaced_since_it_was_listed_is_not_read(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    write_scan(small(2.0), path)
    (entry,) = list_volumes(path)
    assert entry.read(Progress()).affine.spacing_mm[0] == pytest.approx(2.0)
    write_scan(small(1.0), path)
    os.utime(path, ns=(1, 1))
    with pytest.raises(ChangedFileError, match="has changed since it was listed"):
        entry.read(Progress())
    assert open_scan(path).affine.spacing_mm[0] == pytest.approx(1.0)


def test_a_scan_that_went_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.nii"
    write_scan(small(2.0), path)
    (entry,) = list_volumes(tmp_path)
    path.unlink()
    with pytest.raises(UnreadableFileError, match="does not exist"):
        entry.read(Progress())


@pytest.fixture
def series(phantom: Phantom, tmp_path: Path) -> Path:
    write_dicom_series(phantom.volume, tmp_path / "series")
    return tmp_path / "series"


def test_a_header_from_the_cache_is_never_shown_with_the_pixels_of_another(
    series: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "file_stamp", lambda path: (1, 2, 3, 4))  # the disk tells nothing
    (entry,) = list_volumes(series)
    for file in series.iterdir():
        change(file, PatientName="Another", PixelSpacing=[0.5, 0.5])
    (stale,) = list_volumes(series)
    assert stale.about.patient == entry.about.patient
    with pytest.raises(ChangedFileError):
        stale.read(Progress())
    (fresh,) = list_volumes(series)
    assert fresh.about.patient == "Another"
    assert fresh.read(Progress()).affine.spacing_mm[0] == pytest.approx(0.5)


def test_another_patient_of_the_same_names_sizes_and_times_is_seen(series: Path) -> None:
    for file in series.iterdir():
        change(file, PatientName="First^Person")
        os.utime(file, ns=(1, 1))
    assert list_volumes(series)[0].about.patient == "First, Person"
    for file in series.iterdir():
        change(file, PatientName="Other^Person")
        os.utime(file, ns=(1, 1))
    assert list_volumes(series)[0].about.patient == "Other, Person"


def test_a_slice_that_is_overwritten_while_the_series_is_read_spoils_it(
    series: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (entry,) = list_volumes(series)
    last, real = max(series.iterdir()), reader.read_hu

    def read_hu(*arguments: object) -> object:
        os.utime(last, ns=(1, 1))
        return real(*arguments)

    monkeypatch.setattr(reader, "read_hu", read_hu)
    with pytest.raises(ChangedFileError, match="was changed while it was read"):
        entry.read(Progress())


def test_what_goes_wrong_while_a_file_changes_is_due_to_that(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("1")

    def cut_short() -> None:
        path.write_text("12")
        raise UnreadableFileError("cut short")

    with pytest.raises(ChangedFileError), unchanged([path]):
        cut_short()
    with pytest.raises(UnreadableFileError, match="cut short"), unchanged([path]):
        raise UnreadableFileError("cut short")
