from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from liverseg_gui.core.geometry import Affine
from liverseg_gui.ui.dialogs.geometry_dialog import GeometryChoice, GeometryDialog
from tests.ui.conftest import Desk


@pytest.fixture
def unknown(tmp_path: Path) -> Path:
    """A scan that says 1 x 1 x 1 mm at the origin, as programs write that know neither."""
    hu = np.random.default_rng(0).integers(-1000, 200, (20, 24, 12)).astype(np.int16)
    nib.save(nib.Nifti1Image(hu, np.eye(4)), tmp_path / "unknown.nii")
    return tmp_path / "unknown.nii"


def test_a_stated_spacing_takes_the_mark_from_the_figures(desk: Desk, unknown: Path) -> None:
    desk.open(unknown)
    assert not desk.window.study.volume.mm_reliable
    desk.dialogs.geometry_choice = GeometryChoice((0.7, 0.7, 2.5), None)
    desk.trigger("state_geometry")
    desk.qtbot.waitUntil(lambda: desk.window.study.volume.mm_reliable)
    assert desk.window.study.volume.affine.spacing_mm == pytest.approx((0.7, 0.7, 2.5))
    assert "geometry-stated" in [f.code for f in desk.window.study.volume.issues]


def test_an_unsaved_mask_is_asked_about_before_the_geometry_changes(
    desk: Desk, unknown: Path
) -> None:
    desk.open(unknown)
    desk.trigger("segment")
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    desk.idle()
    desk.dialogs.geometry_choice = GeometryChoice((2.0, 2.0, 2.0), None)
    desk.trigger("state_geometry")
    desk.idle()
    assert desk.dialogs.questions
    assert desk.window.study.mask is not None
    assert not desk.window.study.volume.mm_reliable


def test_the_dialog_states_only_what_is_ticked(qtbot: QtBot) -> None:
    dialog = GeometryDialog(None, Affine(np.diag([-0.7, -0.8, 2.5, 1.0])))
    qtbot.addWidget(dialog)
    ok = dialog.buttons.button(dialog.buttons.StandardButton.Ok)
    assert not ok.isEnabled()
    assert dialog.choice == GeometryChoice(None, None)
    dialog.orientation_box.setChecked(True)
    assert ok.isEnabled()
    assert dialog.choice == GeometryChoice(None, "LPS")
    dialog.spacing_box.setChecked(True)
    assert dialog.choice.spacing_mm == pytest.approx((0.7, 0.8, 2.5))
