from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from liverseg_gui.core.errors import SegmentationError
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.planes import Plane
from liverseg_gui.core.window_level import PRESETS
from liverseg_gui.state.open_scan import MaskSource
from liverseg_gui.state.view import Tool
from liverseg_gui.ui.main_window.actions import ROWS
from tests.conftest import WAIT_S
from tests.ui.conftest import Desk


def scene_point(desk: Desk, plane: Plane, voxel: tuple[int, int, int]) -> QPoint:
    """The place of a voxel on the view's widget."""
    view = desk.window.views[plane]
    volume = desk.window.study.volume
    column, row = plane.to_screen(voxel, volume.shape)
    width, height = plane.pixel_mm(volume.affine)
    return view.box.mapFromView(QPointF(column * width, row * height)).toPoint()


def test_a_scan_opens_in_the_middle_with_radiological_letters(desk: Desk, files: Path) -> None:
    desk.open(files / "scan.nii.gz")
    assert desk.window.view_state.crosshair_ijk == (64, 64, 24)
    for plane, expected in (
        (Plane.AXIAL, "RLAP"),
        (Plane.CORONAL, "RLSI"),
        (Plane.SAGITTAL, "APSI"),
    ):
        labels = desk.window.views[plane].labels
        sides = ("left", "right", "top", "bottom")
        assert "".join(labels[side].text() for side in sides) == expected


def test_the_marker_in_the_right_anterior_is_drawn_at_the_top_left(
    desk: Desk, phantom: Phantom, tmp_path: Path
) -> None:
    hu = np.full(phantom.volume.shape, -1000, np.int16)
    hu[110:120, 110:120, 20:28] = 1000
    nib.save(nib.Nifti1Image(hu, phantom.volume.affine.matrix), tmp_path / "marker.nii.gz")
    desk.open(tmp_path / "marker.nii.gz")
    desk.window.view_state.crosshair_visible = False
    view = desk.window.views[Plane.AXIAL]
    desk.qtbot.waitUntil(lambda: not view._redraw.isActive())
    image = view._graphics.grab().toImage()
    corner, opposite = (
        image.pixelColor(scene_point(desk, Plane.AXIAL, (n, n, 24))) for n in (115, 12)
    )
    assert corner.red() > 240
    assert opposite.red() < 15
    at = scene_point(desk, Plane.AXIAL, (115, 115, 24))
    assert at.x() < image.width() / 2
    assert at.y() < image.height() / 2


def test_a_pixel_is_as_wide_and_high_as_its_millimetres(desk: Desk, files: Path) -> None:
    desk.open(files / "scan.nii.gz")
    a = scene_point(desk, Plane.CORONAL, (20, 64, 10))
    b = scene_point(desk, Plane.CORONAL, (100, 64, 40))
    ratio = abs(a.y() - b.y()) / abs(a.x() - b.x())
    assert ratio == pytest.approx((30 * 4.5) / (80 * 3.0), rel=0.03)


def test_a_click_moves_the_crosshair_in_all_planes(desk: Desk, files: Path) -> None:
    desk.open(files / "scan.nii.gz")
    view = desk.window.views[Plane.AXIAL]
    at = scene_point(desk, Plane.AXIAL, (90, 40, 24))
    desk.qtbot.mouseClick(view._graphics.viewport(), Qt.MouseButton.LeftButton, pos=at)
    i, j, k = desk.window.view_state.crosshair_ijk
    assert abs(i - 90) <= 1
    assert abs(j - 40) <= 1
    assert k == 24
    desk.qtbot.waitUntil(lambda: desk.window.views[Plane.SAGITTAL].row.slider.value() == i)
    assert desk.window.views[Plane.CORONAL].index == j


def test_the_wheel_scrolls_its_own_plane(desk: Desk, files: Path) -> None:
    desk.open(files / "scan.nii.gz")
    viewport = desk.window.views[Plane.CORONAL]._graphics.viewport()
    center = QPointF(viewport.rect().center())
    event = QWheelEvent(
        center,
        viewport.mapToGlobal(center),
        QPoint(0, 0),
        QPoint(0, 240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(viewport, event)
    assert desk.window.view_state.crosshair_ijk == (64, 66, 24)


def drag(desk: Desk, by: QPoint) -> None:
    viewport = desk.window.views[Plane.AXIAL]._graphics.viewport()
    start, button = viewport.rect().center(), Qt.MouseButton.LeftButton
    desk.qtbot.mousePress(viewport, button, pos=start)
    for share in (0.5, 1.0):
        at = start + QPoint(round(by.x() * share), round(by.y() * share))
        desk.qtbot.mouseMove(viewport, at)
        QApplication.processEvents()
    desk.qtbot.mouseRelease(viewport, button, pos=start + by)


@pytest.mark.parametrize("key", ["window_tool", "pacs"])
def test_dragging_with_the_window_tool_or_the_pacs_profile_changes_the_window(
    desk: Desk, files: Path, key: str
) -> None:
    desk.open(files / "scan.nii.gz")
    desk.trigger(key)
    before, crosshair = desk.window.view_state.window, desk.window.view_state.crosshair_ijk
    drag(desk, QPoint(60, 30))
    assert desk.window.view_state.window.width > before.width
    assert desk.window.view_state.window.center > before.center
    assert desk.window.view_state.crosshair_ijk == crosshair


def test_keys_choose_presets_slices_and_tools(desk: Desk, files: Path) -> None:
    desk.open(files / "scan.nii.gz")
    desk.qtbot.waitUntil(desk.window.isActiveWindow)
    state = desk.window.view_state
    for key, name in zip("12345", PRESETS, strict=False):
        desk.qtbot.keyClick(desk.window, key)
        assert state.window == PRESETS[name]
    desk.qtbot.keyClick(desk.window, Qt.Key.Key_W)
    assert state.tool is Tool.WINDOW
    desk.qtbot.keyClick(desk.window, Qt.Key.Key_Space)
    assert state.tool is Tool.NAVIGATE
    desk.qtbot.keyClick(desk.window, Qt.Key.Key_Up)
    assert state.crosshair_ijk[2] == 25
    desk.qtbot.keyClick(desk.window, Qt.Key.Key_Home)
    assert state.crosshair_ijk[2] == 0
    desk.qtbot.keyClick(desk.window, Qt.Key.Key_S)
    assert not state.overlay_visible
    desk.qtbot.keyClick(desk.window, Qt.Key.Key_0)
    assert state.window.width > 100


def test_no_shortcut_is_given_twice() -> None:
    keys = [key for row in ROWS for key in row.shortcuts]
    assert len(keys) == len(set(keys))


def test_the_status_bar_shows_hu_and_position_under_the_cursor(
    desk: Desk, files: Path, phantom: Phantom
) -> None:
    desk.open(files / "scan.nii.gz")
    rng = np.random.default_rng(0)
    view = desk.window.views[Plane.AXIAL]
    for i, j in rng.integers(0, 128, (50, 2)):
        column, row = Plane.AXIAL.to_screen((i, j, 24), phantom.volume.shape)
        view._hover(QPointF(column * 3.0, row * 3.0))
        text = desk.window.status.cursor.text()
        assert text.startswith(f"{phantom.volume.hu[i, j, 24]} HU")
        assert f"voxel {i}, {j}, 24" in text
    view._hover(QPointF(-5, -5))
    assert desk.window.status.cursor.text() == ""


def test_double_click_shows_one_view_alone_and_all_again(desk: Desk, files: Path) -> None:
    desk.open(files / "scan.nii.gz")
    view = desk.window.views[Plane.SAGITTAL]
    view.maximize_requested.emit()
    assert [v.isVisible() for v in desk.window.views.values()] == [False, False, True]
    view.maximize_requested.emit()
    assert all(v.isVisible() for v in desk.window.views.values())


def test_a_mask_over_a_scan_can_be_dropped(desk: Desk, files: Path, phantom: Phantom) -> None:
    mime = QMimeData()
    names = ("truth.nii.gz", "scan.nii.gz")
    mime.setUrls([QUrl.fromLocalFile(str(files / name)) for name in names])
    event = QDropEvent(
        QPointF(5, 5),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
        QEvent.Type.Drop,
    )
    desk.window.dropEvent(event)
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    assert desk.window.study.measurements.liver_ml == pytest.approx(phantom.liver_ml, rel=0.01)
    assert "Mask from truth.nii.gz" in desk.window.panel._source.text()


def test_a_lesion_in_the_table_brings_all_planes_there(
    desk: Desk, files: Path, phantom: Phantom
) -> None:
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    desk.window.panel._table.setCurrentCell(1, 0)
    expected = phantom.volume.affine.to_ijk(phantom.tumors[1].center_mm)
    np.testing.assert_allclose(desk.window.view_state.crosshair_ijk, expected, atol=1.6)


def test_a_bad_file_is_reported_and_the_open_study_stays(
    desk: Desk, files: Path, tmp_path: Path
) -> None:
    desk.open(files / "scan.nii.gz")
    volume = desk.window.study.volume
    (tmp_path / "bad.nii").write_text("no image")
    desk.open(tmp_path / "bad.nii")
    desk.qtbot.waitUntil(lambda: bool(desk.dialogs.problems))
    assert "bad.nii is no NIfTI image" in desk.dialogs.problems[0][0]
    assert desk.window.study.volume is volume


def test_a_bad_file_does_not_stop_the_measuring_of_the_open_mask(
    desk: Desk, files: Path, phantom: Phantom, tmp_path: Path
) -> None:
    desk.open(files / "scan.nii.gz")
    release = threading.Event()
    desk.window.runner.submit("hold", lambda _: release.wait(WAIT_S), lambda _: None)
    desk.window.controller._set_mask(phantom.truth, MaskSource(files / "truth.nii.gz"))
    (tmp_path / "bad.nii").write_text("no image")
    desk.window.controller.open(tmp_path / "bad.nii")
    release.set()
    desk.qtbot.waitUntil(lambda: bool(desk.dialogs.problems))
    assert desk.window.study.measurements is not None


def test_several_volumes_are_offered_for_choice(desk: Desk, tmp_path: Path) -> None:
    data = np.stack([np.full((8, 8, 4), n, np.int16) for n in (10, 20)], axis=3)
    nib.save(nib.Nifti1Image(data, np.diag([2.0, 2, 2, 1])), tmp_path / "two.nii")
    desk.dialogs.choice = 1
    desk.open(tmp_path / "two.nii")
    desk.qtbot.waitUntil(lambda: desk.window.study.volume is not None)
    assert desk.window.study.volume.hu[0, 0, 0] == 20


def test_segmentation_shows_progress_and_then_figures(desk: Desk, files: Path) -> None:
    desk.open(files / "scan.nii.gz")
    desk.segmenter.go_on.clear()
    desk.trigger("segment")
    desk.qtbot.waitUntil(lambda: "Half way" in desk.window.job_bar._phase.text())
    assert desk.window.job_bar.isVisible()
    assert not desk.window.actions_by_key["segment"].isEnabled()
    desk.segmenter.go_on.set()
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    desk.idle()
    assert desk.window.study.unsaved
    assert "ml" in desk.window.panel._values["liver_ml"].text()
    assert not desk.window.job_bar.isVisible()


def test_escape_cancels_and_nothing_changes(desk: Desk, files: Path) -> None:
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    desk.idle()
    mask = desk.window.study.mask
    desk.dialogs.yes = True
    desk.segmenter.go_on.clear()
    desk.trigger("segment")
    desk.qtbot.waitUntil(lambda: desk.window.job_bar.isVisible())
    desk.trigger("cancel")
    desk.idle()
    assert desk.window.study.mask is mask
    assert desk.dialogs.problems == []


def test_a_failed_segmentation_says_why_and_keeps_the_study(desk: Desk, files: Path) -> None:
    desk.open(files / "scan.nii.gz")
    desk.segmenter.failure = SegmentationError("The model is missing. Install it.")
    desk.trigger("segment")
    desk.qtbot.waitUntil(lambda: bool(desk.dialogs.problems))
    assert desk.dialogs.problems == [("The model is missing. Install it.", "")]
    assert desk.window.study.volume is not None
    assert desk.window.study.mask is None


def test_segmenting_over_an_opened_mask_asks_first(desk: Desk, files: Path) -> None:
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    desk.idle()
    mask = desk.window.study.mask
    desk.trigger("segment")
    desk.idle()
    assert "replaces the mask you opened" in desk.dialogs.questions[0]
    assert desk.window.study.mask is mask


def test_opening_a_mask_while_segmenting_asks_first(desk: Desk, files: Path) -> None:
    desk.open(files / "scan.nii.gz")
    desk.segmenter.go_on.clear()
    desk.trigger("segment")
    desk.qtbot.waitUntil(lambda: desk.window.job_bar.isVisible())
    desk.dialogs.path = files / "truth.nii.gz"
    desk.trigger("open_mask")
    assert "still running" in desk.dialogs.questions[0]
    desk.segmenter.go_on.set()
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    assert desk.window.study.unsaved


@pytest.fixture
def unsaved(desk: Desk, files: Path) -> Desk:
    desk.open(files / "scan.nii.gz")
    desk.trigger("segment")
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    desk.idle()
    return desk


def test_segmenting_again_asks_about_the_unsaved_mask(unsaved: Desk) -> None:
    mask = unsaved.window.study.mask
    unsaved.trigger("segment")
    unsaved.idle()
    assert "not saved" in unsaved.dialogs.questions[0]
    assert unsaved.window.study.mask is mask


def test_opening_another_study_asks_about_the_unsaved_mask(unsaved: Desk, files: Path) -> None:
    mask = unsaved.window.study.mask
    unsaved.open(files / "scan.nii.gz")
    assert unsaved.dialogs.questions
    assert unsaved.window.study.mask is mask
    unsaved.dialogs.save_answer = False
    unsaved.open(files / "scan.nii.gz")
    assert unsaved.window.study.mask is None


def test_closing_asks_and_can_be_stopped_or_saved(unsaved: Desk, tmp_path: Path) -> None:
    assert not unsaved.window.close()
    assert unsaved.window.isVisible()
    unsaved.dialogs.save_answer, unsaved.dialogs.path = True, tmp_path / "kept.nii.gz"
    assert unsaved.window.close()
    assert (tmp_path / "kept.nii.gz").exists()


def test_a_save_that_fails_keeps_the_mask_and_the_window(unsaved: Desk, tmp_path: Path) -> None:
    unsaved.dialogs.save_answer, unsaved.dialogs.path = True, tmp_path / "gone" / "m.nii.gz"
    assert not unsaved.window.close()
    assert "could not be written" in unsaved.dialogs.problems[0][0]
    assert unsaved.window.study.unsaved


@pytest.mark.usefixtures("patient_shutdown")
def test_closing_while_a_job_runs_asks_and_ends_cleanly(desk: Desk, files: Path) -> None:
    desk.open(files / "scan.nii.gz")
    desk.segmenter.go_on.clear()
    desk.trigger("segment")
    desk.qtbot.waitUntil(lambda: desk.window.job_bar.isVisible())
    assert not desk.window.close()
    assert "still running" in desk.dialogs.questions[0]
    desk.dialogs.yes = True
    assert desk.window.close()
    assert not desk.window.runner._thread.is_alive()


def test_opening_another_study_while_segmenting_asks_and_cancels(
    desk: Desk, files: Path, tmp_path: Path
) -> None:
    desk.open(files / "scan.nii.gz")
    volume = desk.window.study.volume
    desk.segmenter.go_on.clear()
    desk.trigger("segment")
    desk.qtbot.waitUntil(lambda: desk.window.job_bar.isVisible())
    desk.window.controller.open(files / "scan.nii.gz")
    assert "still running" in desk.dialogs.questions[0]
    assert desk.window.runner.busy
    desk.dialogs.yes = True
    desk.open(files / "scan.nii.gz")
    assert desk.window.study.volume is not volume
    assert desk.window.study.mask is None


def test_commands_that_need_a_scan_are_off_without_one(desk: Desk, qtbot: QtBot) -> None:
    actions = desk.window.actions_by_key
    assert not any(actions[row.key].isEnabled() for row in ROWS if row.needs_scan)
    assert actions["open_file"].isEnabled()
    assert not actions["cancel"].isEnabled()


def test_nothing_slow_is_loaded_before_the_first_window() -> None:
    code = (
        "import sys; from PySide6.QtWidgets import QApplication; app = QApplication([]);"
        "from liverseg_gui.segmentation.segmenter_process import ProcessSegmenter;"
        "from liverseg_gui.ui.main_window.window import MainWindow;"
        "window = MainWindow(ProcessSegmenter()); window.show(); app.processEvents();"
        "slow = ('torch', 'fastai', 'SimpleITK', 'scipy', 'nibabel', 'pydicom', 'pandas',"
        "'contourpy');"
        "print([m for m in slow if m in sys.modules]); window.close()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_overlay_follows_mask_opacity_and_slice(
    desk: Desk, files: Path, phantom: Phantom
) -> None:
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    view, state = desk.window.views[Plane.AXIAL], desk.window.view_state

    def settled() -> np.ndarray:
        desk.qtbot.waitUntil(lambda: not view._redraw.isActive())
        return desk.window.overlays[Plane.AXIAL].fill.image

    np.testing.assert_array_equal(settled(), Plane.AXIAL.cut(phantom.truth.labels, 24))
    desk.trigger("next_slice")
    np.testing.assert_array_equal(settled(), Plane.AXIAL.cut(phantom.truth.labels, 25))
    state.overlay_opacity = 1.0
    settled()
    assert desk.window.overlays[Plane.AXIAL].fill.lut[1, 3] == 255
    empty = LabelMap(np.zeros_like(phantom.truth.labels), desk.window.study.volume.grid)
    desk.window.study.set_mask(empty, MaskSource(files / "empty.nii.gz"))
    assert not settled().any()
