"""A mask that is saved for an open study is kept as a study to learn from."""

from __future__ import annotations

import json
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


@pytest.fixture
def said(desk: Desk) -> list[str]:
    """What the status bar said."""
    told: list[str] = []
    desk.window.context.status_message.connect(told.append)
    return told


def review(desk: Desk) -> None:
    desk.window.actions_by_key["reviewed"].trigger()


def test_scan_and_mask_are_a_case_from_then_on(desk: Desk, scan: Path, tmp_path: Path) -> None:
    desk.open(scan, tmp_path / "drawn.nii.gz")
    assert corrected_sources() == []
    review(desk)
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
    review(desk)
    save(desk, tmp_path / "two_mask.nii.gz")
    (study,) = corrected_studies()
    assert study.volume == 2
    text = library_file().read_text()
    assert "4711" not in text
    assert "Doe" not in text
    slices = corrected_sources()[0].read().slices
    np.testing.assert_array_equal(slices, axial_slices(desk.window.study.volume))


def test_a_mask_that_nobody_reviewed_is_saved_and_kept_by_nobody(
    desk: Desk, scan: Path, tmp_path: Path, said: list[str]
) -> None:
    desk.open(scan)
    desk.trigger("segment")
    desk.idle()
    save(desk, tmp_path / "a_mask.nii.gz")
    assert said[-1].endswith("a_mask.nii.gz. Not reviewed: not kept for training")
    desk.open(scan, tmp_path / "a_mask.nii.gz")
    assert "Not reviewed." in desk.window.panel._source.text()
    save(desk, tmp_path / "a_again.nii.gz")
    assert said[-1].endswith("Not reviewed: not kept for training")
    assert corrected_studies() == []


def test_a_mask_of_a_model_is_kept_once_it_was_reviewed(
    desk: Desk, scan: Path, tmp_path: Path, said: list[str]
) -> None:
    action = desk.window.actions_by_key["reviewed"]
    desk.open(scan)
    assert not action.isEnabled()
    desk.trigger("segment")
    desk.idle()
    review(desk)
    assert said[-1] == "Marked as reviewed. Save it (Ctrl+S), and it is kept for training"
    assert action.isChecked()
    today = desk.window.study.mask_source.reviewed
    assert f"Reviewed on {today}." in desk.window.panel._source.text()
    save(desk, tmp_path / "a_mask.nii.gz")
    assert said[-1].endswith("Kept for training as corrected-1")
    (study,) = corrected_studies()
    assert (study.reviewed, study.model, study.why_not) == (today, "fake", "")


def test_a_mask_that_is_saved_already_is_kept_as_it_is_marked_until_that_is_undone(
    desk: Desk, scan: Path, tmp_path: Path, said: list[str]
) -> None:
    desk.open(scan)
    desk.trigger("segment")
    desk.idle()
    save(desk, tmp_path / "a_mask.nii.gz")
    review(desk)
    assert said[-1] == "Marked as reviewed. Kept for training as corrected-1"
    assert len(corrected_sources()) == 1
    desk.trigger("undo")
    assert not desk.window.actions_by_key["reviewed"].isChecked()
    assert corrected_sources() == []
    desk.trigger("redo")
    assert len(corrected_sources()) == 1
    review(desk)
    assert said[-1] == "Marked as not reviewed: corrected-1 is not trained on any more"
    assert corrected_sources() == []


def test_what_was_reviewed_is_known_when_it_is_opened_again_unless_it_was_changed(
    desk: Desk, scan: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "a_mask.nii.gz"
    desk.open(scan, tmp_path / "drawn.nii.gz")
    review(desk)
    save(desk, kept)
    desk.open(scan, kept)
    assert desk.window.study.mask_source.reviewed == corrected_studies()[0].reviewed
    pair(small(2), tmp_path / "other.nii.gz", kept)
    desk.open(scan, kept)
    assert desk.window.study.mask_source.reviewed == ""


def test_a_mask_of_a_model_that_is_saved_over_a_reviewed_one_is_not_learned_from(
    desk: Desk, scan: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "a_mask.nii.gz"
    desk.open(scan, tmp_path / "drawn.nii.gz")
    review(desk)
    save(desk, kept)
    desk.dialogs.yes = True
    desk.trigger("segment")
    desk.idle()
    assert not desk.window.actions_by_key["reviewed"].isChecked()
    save(desk, kept)
    assert corrected_sources() == []


def test_the_report_says_whether_the_mask_was_reviewed(
    desk: Desk, scan: Path, tmp_path: Path
) -> None:
    desk.open(scan, tmp_path / "drawn.nii.gz")
    told = []
    for name in ("before.json", "after.json"):
        desk.dialogs.path = tmp_path / name
        desk.trigger("save_report")
        values = json.loads((tmp_path / name).read_text())
        told.append((values["reviewed"], values["reviewed_on"]))
        if name == "before.json":
            review(desk)
    assert told == [(False, None), (True, corrected_studies()[0].reviewed)]


def test_a_phantom_is_not_kept(desk: Desk, files: Path, tmp_path: Path, said: list[str]) -> None:
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    review(desk)
    save(desk, tmp_path / "mask.nii.gz")
    assert said[-1].endswith("A phantom is not kept for training")
    assert corrected_studies() == []


def test_a_scan_with_a_stated_geometry_is_not_kept(
    desk: Desk, scan: Path, tmp_path: Path, said: list[str]
) -> None:
    desk.open(scan)
    desk.dialogs.geometry_choice = GeometryChoice((4.0, 4.0, 9.0), "RAS")
    desk.trigger("state_geometry")
    desk.idle()
    desk.trigger("segment")
    desk.idle()
    review(desk)
    save(desk, tmp_path / "a_mask.nii.gz")
    assert said[-1].endswith("no file has the scan as it is shown")
    assert corrected_studies() == []


def test_a_damaged_list_does_not_keep_the_mask_from_being_saved(
    desk: Desk, scan: Path, tmp_path: Path, said: list[str]
) -> None:
    library_file().parent.mkdir(parents=True)
    library_file().write_text("{")
    desk.open(scan, tmp_path / "drawn.nii.gz")
    review(desk)
    save(desk, tmp_path / "a_mask.nii.gz")
    assert (tmp_path / "a_mask.nii.gz").exists()
    assert "not in the list of corrected studies" in said[-1]
    assert not desk.window.study.unsaved
