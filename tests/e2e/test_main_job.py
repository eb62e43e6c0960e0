"""The whole path in the real window: open, segment, scroll, save, reopen."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from liverseg_gui.io.masks.read import read_mask
from liverseg_gui.segmentation.segmenter_process import ProcessSegmenter
from liverseg_gui.ui.main_window.window import MainWindow
from tests.ui.conftest import Desk, FakeDialogs, desk, files  # noqa: F401


def test_open_segment_scroll_save_reopen(desk: Desk, files: Path, tmp_path: Path) -> None:  # noqa: F811
    desk.open(files / "scan.nii.gz")
    desk.trigger("segment")
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    desk.idle()
    for _ in range(5):
        desk.trigger("next_slice")
    assert desk.window.view_state.crosshair_ijk[2] == 29
    found = desk.window.study.measurements
    desk.dialogs.path = tmp_path / "mask.nii.gz"
    desk.trigger("save_mask")
    assert not desk.window.study.unsaved
    desk.dialogs.path = tmp_path / "report.json"
    desk.trigger("save_report")
    assert json.loads((tmp_path / "report.json").read_text())["liver_ml"] == found.liver_ml
    np.testing.assert_array_equal(
        nib.load(tmp_path / "mask.nii.gz").affine, nib.load(files / "scan.nii.gz").affine
    )
    desk.open(files / "scan.nii.gz", tmp_path / "mask.nii.gz")
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    assert desk.window.study.measurements.liver_ml == pytest.approx(found.liver_ml)


@pytest.mark.slow
@pytest.mark.real_data
def test_the_real_model_segments_a_real_scan_in_the_window(
    qtbot: QtBot, real_data: Path, tmp_path: Path
) -> None:
    segmenter, dialogs = ProcessSegmenter(device="cpu"), FakeDialogs()
    window = MainWindow(segmenter, dialogs)  # type: ignore[arg-type]
    qtbot.addWidget(window)
    window.show()
    window.controller.open(real_data / "dicom" / "chaos_ct3")
    qtbot.waitUntil(lambda: window.study.volume is not None)
    qtbot.waitUntil(lambda: not window.runner.busy)
    window.controller.segment()
    qtbot.waitUntil(lambda: window.study.measurements is not None)
    dialogs.path = tmp_path / "mask.nii.gz"
    assert window.controller.save_mask()
    volume = window.study.volume
    truth = read_mask(real_data / "nifti" / "chaos_ct3_liver.nii.gz", volume).labels > 0
    saved = read_mask(tmp_path / "mask.nii.gz", volume).labels > 0
    dice = 2 * np.count_nonzero(truth & saved) / (truth.sum() + saved.sum())
    assert dice >= 0.93
    assert window.close()
    segmenter.close()
