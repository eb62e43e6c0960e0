from __future__ import annotations

import threading
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from liverseg_gui.core.errors import SaveError
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.io.formats import nifti_write
from liverseg_gui.io.masks.read import read_mask
from liverseg_gui.state.open_scan import MaskSource
from liverseg_gui.ui.dialogs.labels_dialog import LabelChoice
from liverseg_gui.ui.jobs.blocking_call import run_blocking
from liverseg_gui.ui.main_window.drop_handling import sort_dropped
from tests.conftest import WAIT_S
from tests.ui.conftest import Desk


@pytest.fixture
def foreign(files: Path, tmp_path: Path) -> Path:
    """The phantom's mask as another program numbers it: liver 5, tumor 7, and a kidney 9."""
    image = nib.load(files / "truth.nii.gz")
    labels = np.array([0, 5, 7], np.uint8)[np.asarray(image.dataobj)]
    labels[:3, :3, :3] = 9
    path = tmp_path / "foreign.nii.gz"
    nib.save(nib.Nifti1Image(labels, image.affine), path)
    return path


def measured(desk: Desk) -> None:
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    desk.idle()


def test_a_foreign_mask_is_asked_about_once(
    desk: Desk, files: Path, foreign: Path, phantom: Phantom
) -> None:
    mapping = {5: 1, 7: 2, 9: 0}
    desk.dialogs.label_choice = LabelChoice(mapping, remember=True)
    desk.open(files / "scan.nii.gz", foreign)
    measured(desk)
    assert desk.dialogs.questions == ["foreign.nii.gz"]
    assert set(desk.dialogs.proposal) == {5, 7, 9}
    assert desk.window.study.measurements.liver_ml == pytest.approx(phantom.liver_ml, rel=0.01)
    assert "Label 5 is liver, 7 is tumor." in desk.window.panel._source.text()
    desk.open(files / "scan.nii.gz", foreign)
    measured(desk)
    assert len(desk.dialogs.questions) == 1
    said = "As was said of a mask with the same values before, label 5 is liver, 7 is tumor."
    assert said in desk.window.panel._warnings.text()
    swapped = np.choose(np.asanyarray(nib.load(foreign).dataobj), [0] * 5 + [7, 0, 5, 0, 9])
    nib.save(nib.Nifti1Image(swapped.astype(np.uint8), nib.load(foreign).affine), foreign)
    desk.open(files / "scan.nii.gz", foreign)
    measured(desk)
    assert len(desk.dialogs.questions) == 2
    desk.trigger("forget_labels")
    desk.open(files / "scan.nii.gz", foreign)
    measured(desk)
    assert len(desk.dialogs.questions) == 3


def test_what_is_not_to_be_remembered_is_asked_again(
    desk: Desk, files: Path, foreign: Path
) -> None:
    desk.dialogs.label_choice = LabelChoice({5: 1, 7: 2, 9: 0}, remember=False)
    for asked in (1, 2):
        desk.open(files / "scan.nii.gz", foreign)
        measured(desk)
        assert len(desk.dialogs.questions) == asked


def test_a_foreign_mask_that_is_not_explained_is_not_opened(
    desk: Desk, files: Path, foreign: Path
) -> None:
    desk.open(files / "scan.nii.gz", foreign)
    desk.idle()
    assert desk.dialogs.questions == ["foreign.nii.gz"]
    assert desk.window.study.mask is None
    assert desk.dialogs.problems == []


def test_a_mask_that_is_dropped_with_its_scan_is_told_apart(files: Path) -> None:
    scan, mask = files / "scan.nii.gz", files / "truth.nii.gz"
    assert sort_dropped([mask, scan]) == ([scan], mask)
    assert sort_dropped([scan, mask]) == ([scan], mask)
    assert sort_dropped([mask]) == ([mask], None)
    assert sort_dropped([scan, Path("ct.seg.nrrd")]) == ([scan], Path("ct.seg.nrrd"))


@pytest.mark.real_data
def test_a_dicom_segmentation_is_told_from_its_slices(real_data: Path) -> None:
    folder = real_data / "dicom" / "seg_3slice"
    slices = sorted(f for f in folder.iterdir() if f.suffix == ".dcm" and f.name != "liver.dcm")
    assert sort_dropped([folder / "liver.dcm", slices[0]]) == ([slices[0]], folder / "liver.dcm")


def test_of_the_files_of_a_folder_one_stands_for_all(tmp_path: Path) -> None:
    files = [tmp_path / "a" / "1", tmp_path / "a" / "2", tmp_path / "b" / "1", tmp_path / "x.zip"]
    assert sort_dropped(files) == ([files[0], files[2], files[3]], None)


def test_waiting_lets_the_window_live_and_brings_the_result(qtbot: QtBot) -> None:
    ticks: list[int] = []
    go_on = threading.Event()

    def tick() -> None:
        ticks.append(len(ticks))
        if len(ticks) == 3:
            go_on.set()

    timer = QTimer()
    timer.timeout.connect(tick)
    timer.start(1)
    name = run_blocking(lambda: go_on.wait(WAIT_S) and threading.current_thread().name)
    assert name == "liverseg-save"
    timer.stop()
    assert len(ticks) >= 3


def test_waiting_raises_what_the_work_raised(qtbot: QtBot) -> None:
    def work() -> None:
        raise SaveError("The disk is full. Free some space.")

    with pytest.raises(SaveError, match="disk is full"):
        run_blocking(work)


def test_the_window_cannot_be_closed_while_its_mask_is_being_saved(
    desk: Desk, files: Path, phantom: Phantom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.open(files / "scan.nii.gz")
    source = MaskSource(model="fake", device="cpu", seconds=1.0)
    desk.window.controller._set_mask(phantom.truth, source)
    measured(desk)
    go_on, closed, save = threading.Event(), [], nifti_write.save_mask

    def slow_save(*arguments: object, **more: object) -> None:
        assert go_on.wait(WAIT_S)
        save(*arguments, **more)

    def try_to_close() -> None:
        try:
            closed.append(desk.window.close())
        finally:
            go_on.set()

    monkeypatch.setattr(nifti_write, "save_mask", slow_save)
    desk.dialogs.path = tmp_path / "mask.nii.gz"
    QTimer.singleShot(0, try_to_close)
    assert desk.window.controller.save_mask()
    assert closed == [False]
    assert not desk.window.study.unsaved
    saved = read_mask(tmp_path / "mask.nii.gz", desk.window.study.volume)
    assert np.array_equal(saved.labels, phantom.truth.labels)
