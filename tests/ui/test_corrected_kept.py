"""A mask that is saved for an open study is kept as a study to learn from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.segmentation.preprocessing import axial_slices
from liverseg_gui.state.corrected_studies import corrected_studies, library_file
from liverseg_gui.ui.dialogs.geometry_dialog import GeometryChoice
from tests.io.dicom_files import change
from tests.training.layouts import pair, small, true_labels
from tests.ui.conftest import Desk
from training.data.dataset_layouts import corrected_sources


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path / "home"))


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    pair(small(1), tmp_path / "a.nii.gz", tmp_path / "drawn.nii.gz")
    return tmp_path / "a.nii.gz"


def save(desk: Desk, path: Path) -> None:
    desk.dialogs.path = path
    assert desk.window.controller.save_mask()


def test_scan_and_mask_are_a_case_from_then_on(desk: Desk, scan: Path, tmp_path: Path) -> None:
    desk.open(scan, tmp_path / "drawn.nii.gz")
    assert corrected_sources() == []
    save(desk, tmp_path / "a_mask.nii.gz")
    (study,) = corrected_studies()
    assert (study.scan, study.mask) == (scan, tmp_path / "a_mask.nii.gz")
    np.testing.assert_array_equal(corrected_sources()[0].read().labels, true_labels(small(1)))


def test_the_volume_that_was_open_is_kept_of_a_folder_of_several(
    desk: Desk, tmp_path: Path
) -> None:
    for name, shown in (("one", small(1)), ("two", small(2))):
        write_dicom_series(shown.volume, tmp_path / "pacs" / name)
        for file in (tmp_path / "pacs" / name).iterdir():
            change(file, PatientID="4711", PatientName="Doe^John")
    pair(small(2), tmp_path / "two.nii.gz", tmp_path / "drawn.nii.gz")
    desk.dialogs.choice = 1
    desk.open(tmp_path / "pacs")
    desk.dialogs.path = tmp_path / "drawn.nii.gz"
    desk.trigger("open_mask")
    desk.idle()
    save(desk, tmp_path / "two_mask.nii.gz")
    (study,) = corrected_studies()
    assert study.volume == 2
    text = library_file().read_text()
    assert "4711" not in text
    assert "Doe" not in text
    slices = corrected_sources()[0].read().slices
    np.testing.assert_array_equal(slices, axial_slices(desk.window.study.volume))


def test_a_mask_of_a_model_is_kept_only_once_it_was_changed_elsewhere(
    desk: Desk, scan: Path, tmp_path: Path
) -> None:
    desk.open(scan)
    desk.trigger("segment")
    desk.idle()
    save(desk, tmp_path / "a_mask.nii.gz")
    assert corrected_studies() == []
    desk.open(scan, tmp_path / "a_mask.nii.gz")
    save(desk, tmp_path / "a_corrected.nii.gz")
    assert [study.mask for study in corrected_studies()] == [tmp_path / "a_corrected.nii.gz"]


def test_a_phantom_is_not_kept(desk: Desk, files: Path, tmp_path: Path) -> None:
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    save(desk, tmp_path / "mask.nii.gz")
    assert corrected_studies() == []


def test_a_scan_with_a_stated_geometry_is_not_kept(desk: Desk, scan: Path, tmp_path: Path) -> None:
    desk.open(scan)
    desk.dialogs.geometry_choice = GeometryChoice((4.0, 4.0, 9.0), "RAS")
    desk.trigger("state_geometry")
    desk.idle()
    desk.trigger("segment")
    desk.idle()
    save(desk, tmp_path / "a_mask.nii.gz")
    assert corrected_studies() == []


def test_a_damaged_list_does_not_keep_the_mask_from_being_saved(
    desk: Desk, scan: Path, tmp_path: Path
) -> None:
    library_file().parent.mkdir(parents=True)
    library_file().write_text("{")
    said: list[str] = []
    desk.window.context.status_message.connect(said.append)
    desk.open(scan, tmp_path / "drawn.nii.gz")
    save(desk, tmp_path / "a_mask.nii.gz")
    assert (tmp_path / "a_mask.nii.gz").exists()
    assert "not in the list of corrected studies" in said[-1]
    assert not desk.window.study.unsaved
