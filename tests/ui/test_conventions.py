"""What a radiologist's hands and eyes expect, gesture by gesture and key by key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel

from liverseg_gui.core.annotations import Annotation, AnnotationKind
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.planes import Plane
from liverseg_gui.core.window_level import Window
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.report.measurements import CONVENTIONS
from liverseg_gui.state.preferences import MouseProfile
from liverseg_gui.state.view import Layout, Pane, Tool, ViewState
from liverseg_gui.ui.main_window.actions import ROWS
from liverseg_gui.ui.main_window.status_bar import NOTICE
from liverseg_gui.ui.widgets.scan_facts import volume_facts
from tests.ui.conftest import Desk
from tests.ui.test_layout import drag

_KEY = Qt.Key
_LEFT, _RIGHT, _MIDDLE = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.RightButton,
    Qt.MouseButton.MiddleButton,
)
_NONE, _SHIFT, _CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)


@pytest.fixture
def opened(desk: Desk, files: Path) -> Desk:
    desk.settings.change(welcomed=True)
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    desk.idle()
    desk.qtbot.waitUntil(desk.window.isActiveWindow)
    return desk


@pytest.fixture(params=list(MouseProfile), ids=lambda profile: profile.value)
def in_either_profile(request: pytest.FixtureRequest, opened: Desk) -> Desk:
    opened.settings.change(mouse_profile=request.param)
    return opened


def wheel(desk: Desk, notches: int, keys: Qt.KeyboardModifier = _NONE, at: QPoint | None = None):
    viewport = desk.window.views[Plane.AXIAL].canvas.viewport()
    place = QPointF(at or viewport.rect().center())
    event = QWheelEvent(
        place,
        viewport.mapToGlobal(place),
        QPoint(0, 0),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        keys,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(viewport, event)


def test_the_wheel_away_from_the_reader_goes_towards_the_head(in_either_profile: Desk) -> None:
    wheel(in_either_profile, 2)
    assert in_either_profile.window.view_state.crosshair_ijk == (64, 64, 26)
    wheel(in_either_profile, -3)
    assert in_either_profile.window.view_state.crosshair_ijk == (64, 64, 23)


def test_ctrl_and_wheel_zooms_at_the_cursor(in_either_profile: Desk) -> None:
    view = in_either_profile.window.views[Plane.AXIAL]
    at = view.canvas.viewport().rect().center() + QPoint(60, -40)
    before, under = view.box.px_per_mm, view.box.mapToView(QPointF(at))
    wheel(in_either_profile, 2, _CTRL, at)
    assert view.box.px_per_mm > 1.2 * before
    now = view.box.mapToView(QPointF(at))
    assert (now.x(), now.y()) == pytest.approx((under.x(), under.y()), abs=0.5)
    wheel(in_either_profile, -2, _CTRL, at)
    assert view.box.px_per_mm == pytest.approx(before)
    assert in_either_profile.window.view_state.crosshair_ijk == (64, 64, 24)


@pytest.mark.parametrize(("down_px", "larger"), [(-50, True), (50, False)])
def test_a_right_drag_up_magnifies_in_either_profile(
    in_either_profile: Desk, down_px: int, larger: bool
) -> None:
    box = in_either_profile.window.views[Plane.AXIAL].box
    before = box.px_per_mm
    drag(in_either_profile, Plane.AXIAL, _RIGHT, QPoint(0, down_px))
    assert (box.px_per_mm > before) is larger


@pytest.mark.parametrize(("button", "keys"), [(_MIDDLE, _NONE), (_LEFT, _SHIFT)])
def test_middle_drag_and_shift_with_left_drag_pan(
    in_either_profile: Desk, button: Qt.MouseButton, keys: Qt.KeyboardModifier
) -> None:
    view, state = in_either_profile.window.views[Plane.AXIAL], in_either_profile.window.view_state
    before = view.box.viewRect()
    looked = state.crosshair_ijk, state.window
    drag(in_either_profile, Plane.AXIAL, button, QPoint(40, 24), keys)
    now = view.box.viewRect()
    moved_px = (now.center() - before.center()) * view.box.px_per_mm
    assert moved_px.x() < -20
    assert moved_px.y() < -10
    assert now.width() == pytest.approx(before.width())
    assert (state.crosshair_ijk, state.window) == looked


def test_a_left_drag_with_the_navigate_tool_takes_all_planes_along(opened: Desk) -> None:
    views, state = opened.window.views, opened.window.view_state
    drag(opened, Plane.AXIAL, _LEFT, QPoint(45, 30))
    i, j, k = state.crosshair_ijk
    assert i < 64  # to the right of the screen is the patient's left
    assert j < 64
    assert k == 24
    assert (views[Plane.SAGITTAL].index, views[Plane.CORONAL].index) == (i, j)


@pytest.mark.parametrize("how", ["window tool", "PACS profile"])
@pytest.mark.parametrize(
    ("by", "wider", "higher"),
    [((60, 0), 1, 0), ((-60, 0), -1, 0), ((0, 40), 0, 1), ((0, -40), 0, -1)],
)
def test_window_level_by_a_left_drag(
    opened: Desk, how: str, by: tuple[int, int], wider: int, higher: int
) -> None:
    if how == "window tool":
        opened.qtbot.keyClick(opened.window, _KEY.Key_W)
    else:
        opened.settings.change(mouse_profile=MouseProfile.PACS)
    state = opened.window.view_state
    before = state.window
    drag(opened, Plane.AXIAL, _LEFT, QPoint(*by))
    assert sign(state.window.width - before.width) == wider
    assert sign(state.window.center - before.center) == higher
    assert state.crosshair_ijk == (64, 64, 24)
    opened.settings.change(window_up=True)
    state.window = before
    drag(opened, Plane.AXIAL, _LEFT, QPoint(*by))
    assert sign(state.window.width - before.width) == wider
    assert sign(state.window.center - before.center) == -higher


def sign(number: float) -> int:
    return (number > 0) - (number < 0)


def test_a_click_moves_the_crosshair_in_either_profile(in_either_profile: Desk) -> None:
    view, state = in_either_profile.window.views[Plane.AXIAL], in_either_profile.window.view_state
    viewport, window = view.canvas.viewport(), state.window
    at = viewport.rect().center() + QPoint(40, 30)
    expected = view.voxel_at(view.box.mapToView(QPointF(at)))
    in_either_profile.qtbot.mouseClick(viewport, _LEFT, pos=at)
    assert state.crosshair_ijk == expected != (64, 64, 24)
    assert state.window == window


def test_a_double_click_shows_the_pane_alone_and_all_again(in_either_profile: Desk) -> None:
    desk, state = in_either_profile, in_either_profile.window.view_state
    viewport = desk.window.views[Plane.CORONAL].canvas.viewport()
    for alone in (True, False):
        middle = viewport.rect().center()
        desk.qtbot.mouseClick(viewport, _LEFT, pos=middle)
        desk.qtbot.mouseDClick(viewport, _LEFT, pos=middle)
        desk.qtbot.mouseRelease(viewport, _LEFT, pos=middle)
        QApplication.processEvents()
        assert state.maximized is alone
        assert state.active is Pane.CORONAL
        assert desk.window.views[Plane.AXIAL].isVisible() is not alone


SLICE: dict[Qt.Key, int] = {
    _KEY.Key_Up: 25,
    _KEY.Key_Down: 23,
    _KEY.Key_PageUp: 34,
    _KEY.Key_PageDown: 14,
    _KEY.Key_Home: 0,
    _KEY.Key_End: 47,
}


def test_keys_of_slices(opened: Desk) -> None:
    for key, expected in SLICE.items():
        opened.window.view_state.crosshair_ijk = (64, 64, 24)
        opened.qtbot.keyClick(opened.window, key)
        assert opened.window.view_state.crosshair_ijk == (64, 64, expected), key


WINDOWS: dict[Qt.Key, Window] = {
    _KEY.Key_1: Window(400, 40),
    _KEY.Key_2: Window(150, 90),
    _KEY.Key_3: Window(150, 30),
    _KEY.Key_4: Window(1500, -600),
    _KEY.Key_5: Window(2000, 400),
    _KEY.Key_6: Window(80, 40),
}


def test_keys_of_windows(opened: Desk) -> None:
    for key, expected in WINDOWS.items():
        opened.window.view_state.window = Window(333, 33)
        opened.qtbot.keyClick(opened.window, key)
        assert opened.window.view_state.window == expected, key


def test_a_scan_opens_with_the_abdomen_window(opened: Desk) -> None:
    assert opened.window.view_state.window == Window(400, 40)


def test_key_0_is_the_automatic_window(opened: Desk) -> None:
    opened.qtbot.keyClick(opened.window, _KEY.Key_0)
    assert opened.window.view_state.window == opened.window.study.histogram.auto_window()


LOOKS: dict[Qt.Key, Callable[[ViewState], bool]] = {
    _KEY.Key_W: lambda state: state.tool is Tool.WINDOW,
    _KEY.Key_N: lambda state: state.tool is Tool.NAVIGATE,
    _KEY.Key_I: lambda state: state.inverted,
    _KEY.Key_S: lambda state: not state.overlay_visible,
    _KEY.Key_A: lambda state: state.overlay_opacity == pytest.approx(0.3),
    _KEY.Key_D: lambda state: state.overlay_opacity == pytest.approx(0.5),
    _KEY.Key_X: lambda state: not state.crosshair_visible,
    _KEY.Key_Z: lambda state: state.linked,
    _KEY.Key_M: lambda state: state.slab.on,
    _KEY.Key_Plus: lambda state: state.slab.thickness_mm == 12,
    _KEY.Key_Minus: lambda state: state.slab.thickness_mm == 8,
    _KEY.Key_F2: lambda state: state.layout is Layout.SINGLE,
    _KEY.Key_F4: lambda state: state.layout is Layout.TWO_BY_TWO,
    _KEY.Key_F6: lambda state: state.layout is Layout.STRIP,
    _KEY.Key_F7: lambda state: state.maximized,
    _KEY.Key_H: lambda state: state.tool is Tool.PROBE,
    _KEY.Key_L: lambda state: state.tool is Tool.RULER,
    _KEY.Key_K: lambda state: state.tool is Tool.CALIPER,
    _KEY.Key_G: lambda state: state.tool is Tool.ANGLE,
    _KEY.Key_O: lambda state: state.tool is Tool.ELLIPSE,
    _KEY.Key_P: lambda state: state.tool is Tool.POLYGON,
    _KEY.Key_Y: lambda state: state.tool is Tool.ARROW,
    _KEY.Key_T: lambda state: state.tool is Tool.TEXT,
}


@pytest.mark.parametrize("key", LOOKS, ids=lambda key: key.name)
def test_keys_of_tools_and_looks(opened: Desk, key: Qt.Key) -> None:
    state = opened.window.view_state
    if key is _KEY.Key_N:
        state.choose_tool(Tool.RULER)
    assert not LOOKS[key](state)
    opened.qtbot.keyClick(opened.window, key)
    assert LOOKS[key](state)


def test_space_swaps_the_last_two_tools(opened: Desk) -> None:
    state = opened.window.view_state
    opened.qtbot.keyClick(opened.window, _KEY.Key_L)
    for expected in (Tool.NAVIGATE, Tool.RULER, Tool.NAVIGATE):
        opened.qtbot.keyClick(opened.window, _KEY.Key_Space)
        assert state.tool is expected


def test_c_centers_on_the_crosshair_and_r_shows_the_whole_slice(opened: Desk) -> None:
    view, state = opened.window.views[Plane.AXIAL], opened.window.view_state
    state.move_crosshair((30, 90, 24), opened.window.study.volume.shape)
    view.box.zoom_by(3.0)
    scale = view.box.px_per_mm
    opened.qtbot.keyClick(opened.window, _KEY.Key_C)
    assert view.voxel_at(view.box.viewRect().center()) == (30, 90, 24)
    assert view.box.px_per_mm == pytest.approx(scale)
    opened.qtbot.keyClick(opened.window, _KEY.Key_R)
    assert view.box.viewRect().contains(view.extent())
    assert view.box.px_per_mm < scale


def test_ctrl_o_opens_ctrl_s_saves_and_f5_segments(desk: Desk, files: Path, tmp_path: Path) -> None:
    desk.settings.change(welcomed=True)
    desk.qtbot.waitUntil(desk.window.isActiveWindow)
    desk.dialogs.path = files / "scan.nii.gz"
    desk.qtbot.keyClick(desk.window, _KEY.Key_O, _CTRL)
    desk.qtbot.waitUntil(lambda: desk.window.study.volume is not None)
    desk.idle()
    desk.qtbot.keyClick(desk.window, _KEY.Key_F5)
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    desk.idle()
    desk.dialogs.path = tmp_path / "mask.nii.gz"
    desk.qtbot.keyClick(desk.window, _KEY.Key_S, _CTRL)
    assert (tmp_path / "mask.nii.gz").is_file()


def test_esc_cancels_what_runs(desk: Desk, files: Path) -> None:
    desk.settings.change(welcomed=True)
    desk.open(files / "scan.nii.gz")
    desk.qtbot.waitUntil(desk.window.isActiveWindow)
    desk.segmenter.go_on.clear()
    desk.trigger("segment")
    desk.qtbot.waitUntil(desk.window.actions_by_key["cancel"].isEnabled)
    desk.qtbot.keyClick(desk.window, _KEY.Key_Escape)
    desk.idle()
    assert desk.window.study.mask is None


def test_ctrl_z_takes_a_reading_back_and_ctrl_shift_z_brings_it_again(opened: Desk) -> None:
    annotations = opened.window.context.annotations
    ends = ((20.0, 30.0, 24.0), (60.0, 30.0, 24.0))
    annotations.add(Annotation(AnnotationKind.RULER, Plane.AXIAL, 24, ends))
    opened.qtbot.keyClick(opened.window, _KEY.Key_Z, _CTRL)
    assert not annotations.items
    opened.qtbot.keyClick(opened.window, _KEY.Key_Z, _CTRL | _SHIFT)
    assert len(annotations.items) == 1


def test_the_first_five_recent_files_have_ctrl_and_their_number() -> None:
    keys = {row.key: row.shortcuts for row in ROWS}
    assert [keys[f"recent {n}"] for n in range(1, 6)] == [(f"Ctrl+{n}",) for n in range(1, 6)]


def test_a_pane_says_its_slice_thickness_window_and_zoom(
    desk: Desk, phantom: Phantom, tmp_path: Path
) -> None:
    write_dicom_series(phantom.volume, tmp_path / "series")
    desk.open(tmp_path / "series")
    view = desk.window.views[Plane.AXIAL]

    def info() -> str:
        return f"25 / 48   4.5 mm\nW 400  L 40   {view.zoom_percent:.0f} %"

    desk.qtbot.waitUntil(lambda: view.labels["info"].text() == info())
    view.hovered.emit((40, 64, 24))
    assert view.labels["hu"].text() == f"{phantom.volume.hu[40, 64, 24]} HU"


def test_that_it_is_for_research_only_is_always_in_sight(opened: Desk) -> None:
    (notice,) = [
        label for label in opened.window.statusBar().findChildren(QLabel) if label.text() == NOTICE
    ]
    assert "Not a medical device" in notice.text()
    for said in ("", "Saved " + "a/long/path/" * 40):
        opened.window.context.say(said)
        for layout in Layout:
            opened.window.view_state.layout = layout
            QApplication.processEvents()
            assert notice.isVisible()
            assert notice.width() >= notice.sizeHint().width()


def test_beside_the_diameters_stands_in_which_plane_they_are(opened: Desk) -> None:
    assert opened.window.panel._table.horizontalHeaderItem(2).text() == "mm (axial)"
    assert "between outer voxel corners in the axial plane" in CONVENTIONS
    assert "26-connected" in CONVENTIONS


def test_without_a_stated_thickness_the_card_says_so(opened: Desk) -> None:
    rows = dict(volume_facts(opened.window.study.volume).rows)
    assert opened.window.study.volume.origin.slice_thickness_mm is None
    assert rows["Slice thickness"] == "not stated"
    shown = [label.text() for label in opened.window.card.findChildren(QLabel)]
    assert "not stated" in " ".join(shown)
