"""A worst slice in the viewer, and going back to the model before in the models dialog."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from liverseg_gui.segmentation.models.history import choose_instead
from liverseg_gui.segmentation.models.registry import user_models
from liverseg_gui.ui.dialogs.models_dialog import ModelsDialog
from tests.ui.conftest import Desk


def test_the_scan_is_opened_at_the_slice(desk: Desk, files: Path) -> None:
    desk.window.controller.opener.show_slice(files / "scan.nii.gz", None, 3)
    desk.idle()
    assert desk.window.view_state.crosshair_ijk[2] == 3


def test_in_the_open_scan_only_the_slice_changes(desk: Desk, files: Path) -> None:
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    mask, before = desk.window.study.mask, desk.window.view_state.crosshair_ijk
    assert mask is not None
    desk.window.controller.opener.show_slice(files / "scan.nii.gz", None, 5)
    assert not desk.window.runner.busy
    assert desk.window.study.mask is mask
    assert desk.window.view_state.crosshair_ijk == (*before[:2], 5)


def test_another_scan_opens_in_its_middle_again(desk: Desk, files: Path) -> None:
    desk.window.controller.opener.show_slice(files / "scan.nii.gz", None, 3)
    desk.idle()
    desk.open(files / "scan.nii.gz")
    assert desk.window.study.volume is not None
    assert desk.window.view_state.crosshair_ijk[2] == desk.window.study.volume.shape[2] // 2


def test_the_models_dialog_rolls_back(
    desk: Desk, untrained_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.trigger("models")
    (dialog,) = desk.window.findChildren(ModelsDialog)
    assert not dialog.roll_back_button.isVisible()
    shutil.copytree(untrained_model, user_models() / "mine")
    choose_instead("mine", desk.settings)
    assert dialog.roll_back_button.isVisible()
    dialog.roll_back_button.click()
    assert desk.settings.model == "default"
    assert dialog.note.text() == "default is used again, from the next segmentation on."
    assert not dialog.roll_back_button.isVisible()
