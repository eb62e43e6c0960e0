from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from liverseg_gui.core.errors import GridMismatchError
from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.measure import measure
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.window_level import Window
from liverseg_gui.state.open_scan import MaskSource, OpenScan
from liverseg_gui.state.view import MouseProfile, Tool, ViewState


@pytest.fixture
def study(phantom: Phantom) -> OpenScan:
    study = OpenScan()
    study.open(phantom.volume)
    return study


def test_a_computed_mask_is_unsaved_until_it_is_on_disk(study: OpenScan, phantom: Phantom) -> None:
    study.set_mask(phantom.truth, MaskSource(model="default", device="cpu", seconds=1.0))
    assert study.unsaved
    study.mark_saved(phantom.truth)
    assert not study.unsaved


def test_a_mask_from_a_file_is_saved_already(study: OpenScan, phantom: Phantom) -> None:
    study.set_mask(phantom.truth, MaskSource(Path("m.nii.gz")))
    assert not study.unsaved


def test_a_mask_of_another_grid_changes_nothing(study: OpenScan, phantom: Phantom) -> None:
    study.set_mask(phantom.truth, MaskSource(Path("m.nii.gz")))
    grid = StoredGrid((4, 4, 4), Affine.from_spacing((1, 1, 1)))
    with pytest.raises(GridMismatchError):
        study.set_mask(LabelMap(np.zeros((4, 4, 4), np.uint8), grid), MaskSource())
    assert study.mask is phantom.truth


def test_figures_of_a_mask_that_is_gone_are_not_shown(study: OpenScan, phantom: Phantom) -> None:
    old = LabelMap(phantom.truth.labels.copy(), phantom.truth.grid)
    study.set_mask(phantom.truth, MaskSource())
    study.set_measurements(old, measure(phantom.volume, old))
    assert study.measurements is None


def test_opening_another_scan_closes_the_mask(study: OpenScan, phantom: Phantom) -> None:
    study.set_mask(phantom.truth, MaskSource())
    study.open(phantom.volume)
    assert study.mask is None
    assert not study.unsaved


def test_a_preview_leaves_the_study_alone_and_goes_when_it_is_dropped(
    study: OpenScan, phantom: Phantom
) -> None:
    study.set_mask(phantom.truth, MaskSource())
    told: list[object] = []
    study.preview_changed.connect(lambda: told.append(study.preview))
    study.show_preview(phantom.volume)
    assert study.mask is phantom.truth
    assert study.unsaved
    study.drop_preview()
    study.drop_preview()
    assert told == [phantom.volume, None]


def test_when_the_preview_goes_for_the_new_scan_the_old_mask_is_gone_already(
    study: OpenScan, phantom: Phantom
) -> None:
    study.set_mask(phantom.truth, MaskSource())
    study.show_preview(phantom.volume)
    seen: list[object] = []
    study.preview_changed.connect(lambda: seen.append((study.preview, study.mask)))
    study.open(phantom.volume, "arterial")
    assert seen == [(None, None)]
    assert study.phase == "arterial"


def test_the_crosshair_stays_inside() -> None:
    view = ViewState()
    view.move_crosshair((-3, 99, 2), (10, 10, 10))
    assert view.crosshair_ijk == (0, 9, 2)


def test_dragging_right_widens_and_down_raises_the_center() -> None:
    view = ViewState(window=Window(400, 40))
    view.drag_window(10, 5)
    assert (view.window.width, view.window.center) == (420, 50)
    view.drag_window(-10_000, 0)
    assert view.window.width == 1


def test_the_pacs_profile_drags_window_level_whatever_the_tool() -> None:
    view = ViewState()
    assert view.dragging is Tool.NAVIGATE
    view.mouse_profile = MouseProfile.PACS
    assert view.dragging is Tool.WINDOW


def test_changes_are_told_to_listeners() -> None:
    view, heard = ViewState(), []
    view.events.window.connect(heard.append)
    view.window = Window(100, 50)
    assert heard == [Window(100, 50)]
