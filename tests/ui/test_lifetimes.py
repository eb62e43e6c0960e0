"""What outlives what: scans, jobs, figures, dialogs and the window."""

from __future__ import annotations

import gc
import json
import shutil
import threading
import weakref
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.ui.jobs.job_runner import JobRunner
from liverseg_gui.ui.main_window.drop_handling import sort_dropped
from tests.conftest import WAIT_S
from tests.ui.conftest import Desk


def measured(desk: Desk) -> None:
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    desk.idle()


def test_the_old_scan_is_freed_when_another_is_opened(desk: Desk, files: Path) -> None:
    seen = []
    for _ in range(4):
        desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
        measured(desk)
        seen.append(weakref.ref(desk.window.study.volume))
    gc.collect()
    assert sum(volume() is not None for volume in seen[:-2]) == 0


def test_the_old_mask_is_freed_when_a_scan_without_one_is_opened(desk: Desk, files: Path) -> None:
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    measured(desk)
    mask = weakref.ref(desk.window.study.mask)
    desk.open(files / "scan.nii.gz")
    gc.collect()
    assert mask() is None


def test_a_mask_is_freed_when_it_is_compared_no_more(desk: Desk, files: Path) -> None:
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    measured(desk)
    comparer = desk.window.controller.comparer
    comparer.open(files / "truth.nii.gz")
    desk.qtbot.waitUntil(lambda: comparer.comparisons is not None)
    desk.idle()
    mask = weakref.ref(desk.window.study.compared)
    comparer.stop()
    QApplication.processEvents()
    gc.collect()
    assert mask() is None


def test_a_job_that_has_ended_holds_nothing_of_those_who_listened(qtbot: QtBot) -> None:
    runner, held = JobRunner(), Progress()
    job = runner.submit("work", lambda _: None, lambda _: None)
    job.ended.connect(partial(lambda _: None, held))
    del job
    qtbot.waitUntil(lambda: not runner.busy)
    listener = weakref.ref(held)
    del held
    qtbot.waitUntil(lambda: gc.collect() >= 0 and listener() is None)
    assert runner.shutdown()


def test_a_report_names_the_source_of_the_figures_it_holds(
    desk: Desk, files: Path, tmp_path: Path
) -> None:
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    measured(desk)
    opened = desk.window.study.measurements

    def slow_dialog(_: Path) -> Path:
        desk.dialogs.yes = True
        desk.trigger("segment")
        desk.qtbot.waitUntil(lambda: desk.window.study.measurements not in (None, opened))
        return tmp_path / "r.json"

    desk.dialogs.save_report_as = slow_dialog  # type: ignore[method-assign]
    desk.trigger("save_report")
    values = json.loads((tmp_path / "r.json").read_text())
    assert values["liver_ml"] == opened.liver_ml
    assert values["model"] == ""


@pytest.mark.usefixtures("patient_shutdown")
def test_nothing_comes_of_a_job_that_ends_while_the_window_closes(qtbot: QtBot) -> None:
    runner, came = JobRunner(), []
    done = threading.Event()

    def work(_: Progress) -> str:
        done.set()
        return "late"

    runner.submit("work", work, came.append)
    assert done.wait(WAIT_S)
    assert runner.shutdown(WAIT_S)
    qtbot.waitUntil(lambda: not runner.busy)
    assert came == []


def test_escape_does_not_take_the_figures_from_a_mask(desk: Desk, files: Path) -> None:
    desk.open(files / "scan.nii.gz")
    hold = threading.Event()
    desk.window.runner.submit("hold", lambda _: hold.wait(WAIT_S), lambda _: None)
    desk.window.controller._set_mask(
        desk.segmenter.segment(desk.window.study.volume, Progress()).labels,
        desk.window.study.mask_source,
    )
    desk.trigger("cancel")
    hold.set()
    measured(desk)


def test_escape_while_a_mask_is_read_keeps_the_study_as_it_was(
    desk: Desk, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from liverseg_gui.io.masks import read

    desk.open(files / "scan.nii.gz")
    real, reading, go_on = read.read_mask, threading.Event(), threading.Event()

    def slow(*words: object) -> object:
        reading.set()
        go_on.wait(WAIT_S)
        return real(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(read, "read_mask", slow)
    desk.window.controller.open_mask(files / "truth.nii.gz")
    desk.qtbot.waitUntil(reading.is_set)
    desk.qtbot.waitUntil(desk.window.actions_by_key["cancel"].isEnabled)
    desk.trigger("cancel")
    go_on.set()
    desk.idle()
    assert desk.window.study.mask is None


def test_a_hidden_patient_is_not_proposed_as_a_file_name(
    desk: Desk, files: Path, tmp_path: Path
) -> None:
    scan = tmp_path / "Mueller Hans.nii.gz"
    shutil.copy(files / "scan.nii.gz", scan)
    desk.open(scan, files / "truth.nii.gz")
    measured(desk)
    proposed: list[Path] = []
    desk.dialogs.save_mask_as = proposed.append  # type: ignore[assignment,method-assign]
    desk.settings.change(hide_patient=True)
    desk.trigger("save_mask")
    assert proposed[0].name == "scan_mask.nii.gz"


def test_a_foreign_file_among_dropped_slices_does_not_stand_for_them(
    phantom: Phantom, files: Path, tmp_path: Path
) -> None:
    from liverseg_gui.io.dicom.write import write_dicom_series

    write_dicom_series(phantom.volume, tmp_path)
    readme, mask = tmp_path / "000_readme.txt", tmp_path / "truth.nii.gz"
    readme.write_text("text")
    shutil.copy(files / "truth.nii.gz", mask)
    scans, found = sort_dropped(sorted(tmp_path.iterdir()))
    assert scans == [tmp_path / "IM0001.dcm"]
    assert found == mask
