"""Panes and their layouts, linked zoom and pan, slabs, cine, the strip and the slice number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from liverseg_gui.core.annotations import Annotation, AnnotationKind
from liverseg_gui.core.display import LabelStyle, grey
from liverseg_gui.core.labels import LIVER, TUMOR
from liverseg_gui.core.planes import Plane
from liverseg_gui.core.slabs import SlabMode
from liverseg_gui.state.view import Layout, Pane
from liverseg_gui.ui.viewer.corner_texts import round_length
from tests.ui.conftest import Desk


@pytest.fixture
def opened(desk: Desk, files: Path) -> Desk:
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    desk.qtbot.waitUntil(desk.window.isActiveWindow)
    return desk


def visible(desk: Desk) -> set[Pane]:
    return {pane for pane, widget in desk.window.panes.panes.items() if widget.isVisible()}


def drag(desk: Desk, plane: Plane, button: Qt.MouseButton, by: QPoint, keys=None) -> None:
    viewport = desk.window.views[plane].canvas.viewport()
    keys = keys or Qt.KeyboardModifier.NoModifier
    start = viewport.rect().center()
    desk.qtbot.mousePress(viewport, button, keys, start)
    for share in (0.5, 1.0):
        move(viewport, start + QPoint(round(by.x() * share), round(by.y() * share)), button, keys)
    desk.qtbot.mouseRelease(viewport, button, keys, start + by)


def move(viewport: QWidget, at: QPoint, button: Qt.MouseButton, keys) -> None:
    """A mouse move with keys held down, which qtbot's knows nothing of."""
    none, place = Qt.MouseButton.NoButton, QPointF(at)
    event = QMouseEvent(
        QEvent.Type.MouseMove, place, viewport.mapToGlobal(place), none, button, keys
    )
    QApplication.sendEvent(viewport, event)
    QApplication.processEvents()


@pytest.mark.parametrize(
    ("key", "shown", "strip"),
    [
        (Qt.Key.Key_F2, {Pane.AXIAL}, False),
        (Qt.Key.Key_F3, set(Pane), False),
        (Qt.Key.Key_F4, set(Pane), False),
        (Qt.Key.Key_F6, {Pane.AXIAL}, True),
    ],
)
def test_each_layout_is_one_key_away(opened: Desk, key: Qt.Key, shown: set, strip: bool) -> None:
    opened.qtbot.keyClick(opened.window, Qt.Key.Key_F4)
    opened.qtbot.keyClick(opened.window, key)
    assert visible(opened) == shown
    assert opened.window.panes.strip.isVisible() is strip


def test_two_by_two_gives_every_pane_the_same_room(opened: Desk) -> None:
    opened.trigger("layout two_by_two")
    QApplication.processEvents()
    sizes = [widget.size() for widget in opened.window.panes.panes.values()]
    assert max(s.width() for s in sizes) - min(s.width() for s in sizes) <= 4
    assert max(s.height() for s in sizes) - min(s.height() for s in sizes) <= 4
    at = {
        pane: widget.mapTo(opened.window, QPoint(0, 0))
        for pane, widget in opened.window.panes.panes.items()
    }
    assert at[Pane.AXIAL].y() == at[Pane.CORONAL].y() < at[Pane.SAGITTAL].y()
    assert at[Pane.AXIAL].x() == at[Pane.SAGITTAL].x() < at[Pane.SURFACE].x()


def test_one_and_three_gives_the_axial_plane_most_room_again_after_other_layouts(
    opened: Desk,
) -> None:
    before = [widget.geometry() for widget in opened.window.panes.panes.values()]
    for key in ("two_by_two", "strip", "single", "one_three"):
        opened.trigger(f"layout {key}")
    QApplication.processEvents()
    after = [widget.geometry() for widget in opened.window.panes.panes.values()]
    for a, b in zip(before, after, strict=True):
        assert abs(a.width() - b.width()) <= 12
        assert abs(a.height() - b.height()) <= 12
    assert after[0].width() > 1.4 * after[1].width()


def test_one_pane_shows_the_one_that_keys_act_on(opened: Desk) -> None:
    opened.window.views[Plane.CORONAL].setFocus()
    opened.trigger("layout single")
    assert visible(opened) == {Pane.CORONAL}
    opened.qtbot.keyClick(opened.window, Qt.Key.Key_Tab, Qt.KeyboardModifier.ControlModifier)
    assert visible(opened) == {Pane.SAGITTAL}


def test_keys_scroll_the_plane_that_was_chosen_by_keys(opened: Desk) -> None:
    state = opened.window.view_state
    i, j, k = state.crosshair_ijk
    opened.qtbot.keyClick(opened.window, Qt.Key.Key_Tab, Qt.KeyboardModifier.ControlModifier)
    assert state.active is Pane.CORONAL
    opened.qtbot.keyClick(opened.window, Qt.Key.Key_Up)
    assert state.crosshair_ijk == (i, j + 1, k)


def test_the_active_pane_has_a_frame_in_the_color_of_its_plane(opened: Desk) -> None:
    def corner(plane: Plane) -> tuple[int, int, int]:
        return opened.window.views[plane].grab().toImage().pixelColor(0, 5).getRgb()[:3]

    opened.window.view_state.active = Pane.AXIAL
    assert corner(Plane.AXIAL) == (0xFF, 0x6B, 0x6B)
    opened.window.view_state.active = Pane.CORONAL
    assert corner(Plane.AXIAL) != (0xFF, 0x6B, 0x6B)
    assert corner(Plane.CORONAL) == (0x7B, 0xD8, 0x8F)


def test_maximizing_shows_one_pane_and_then_the_layout_again(opened: Desk) -> None:
    opened.trigger("layout two_by_two")
    opened.window.views[Plane.SAGITTAL].maximize_requested.emit()
    assert visible(opened) == {Pane.SAGITTAL}
    opened.window.views[Plane.SAGITTAL].maximize_requested.emit()
    assert visible(opened) == set(Pane)
    assert opened.window.view_state.layout is Layout.TWO_BY_TWO


def test_linked_planes_zoom_to_one_magnification(opened: Desk) -> None:
    scales = lambda: [v.box.px_per_mm for v in opened.window.views.values()]  # noqa: E731
    assert max(scales()) / min(scales()) > 1.1
    opened.trigger("linked")
    assert max(scales()) / min(scales()) == pytest.approx(1.0, rel=1e-3)
    drag(opened, Plane.AXIAL, Qt.MouseButton.RightButton, QPoint(0, -60))
    assert max(scales()) / min(scales()) == pytest.approx(1.0, rel=1e-3)
    opened.trigger("linked")
    before = scales()
    drag(opened, Plane.AXIAL, Qt.MouseButton.RightButton, QPoint(0, 60))
    after = scales()
    assert after[0] != pytest.approx(before[0])
    assert after[1:] == pytest.approx(before[1:])


def test_linked_planes_pan_along_the_axes_they_share(opened: Desk) -> None:
    opened.trigger("linked")
    middle = lambda plane: opened.window.views[plane].box.viewRect().center()  # noqa: E731
    before = {plane: middle(plane) for plane in Plane}
    drag(opened, Plane.AXIAL, Qt.MouseButton.MiddleButton, QPoint(40, 24))
    moved = {plane: middle(plane) - before[plane] for plane in Plane}
    assert moved[Plane.AXIAL].x() < -5
    assert moved[Plane.AXIAL].y() < -5
    assert moved[Plane.CORONAL].x() == pytest.approx(moved[Plane.AXIAL].x(), abs=0.1)
    assert moved[Plane.CORONAL].y() == pytest.approx(0, abs=0.1)
    assert moved[Plane.SAGITTAL].x() == pytest.approx(moved[Plane.AXIAL].y(), abs=0.1)


@pytest.mark.parametrize(("y", "larger"), [(-50, True), (50, False)])
def test_right_drag_up_magnifies_and_down_shrinks(opened: Desk, y: int, larger: bool) -> None:
    box = opened.window.views[Plane.AXIAL].box
    before = box.px_per_mm
    drag(opened, Plane.AXIAL, Qt.MouseButton.RightButton, QPoint(0, y))
    assert (box.px_per_mm > before) is larger


def test_the_slice_stays_in_sight_however_far_one_zooms(opened: Desk) -> None:
    box = opened.window.views[Plane.AXIAL].box
    for factor in (0.01, 0.01, 1e5, 1e5):
        box.zoom_by(factor)
        assert 0.01 < box.px_per_mm < 1000


def test_shift_and_left_drag_pans_and_leaves_the_crosshair(opened: Desk) -> None:
    box, state = opened.window.views[Plane.AXIAL].box, opened.window.view_state
    before, crosshair = box.viewRect().center(), state.crosshair_ijk
    shift = Qt.KeyboardModifier.ShiftModifier
    drag(opened, Plane.AXIAL, Qt.MouseButton.LeftButton, QPoint(30, 0), shift)
    assert box.viewRect().center().x() < before.x() - 5
    assert state.crosshair_ijk == crosshair


def test_moving_with_shift_brings_the_crosshair_along(opened: Desk) -> None:
    viewport = opened.window.views[Plane.AXIAL].canvas.viewport()
    crosshair = opened.window.view_state.crosshair_ijk
    at = viewport.rect().center() + QPoint(40, 30)
    opened.qtbot.mouseMove(viewport, viewport.rect().center())
    opened.qtbot.mouseMove(viewport, at)
    QApplication.processEvents()
    assert opened.window.view_state.crosshair_ijk == crosshair
    view = opened.window.views[Plane.AXIAL]
    there = at + QPoint(5, 5)

    def moved() -> bool:  # pyqtgraph passes over moves that come too fast
        move(viewport, there, Qt.MouseButton.NoButton, Qt.KeyboardModifier.ShiftModifier)
        return opened.window.view_state.crosshair_ijk != crosshair

    opened.qtbot.waitUntil(moved)
    expected = view.voxel_at(view.box.mapToView(QPointF(there)))
    assert opened.window.view_state.crosshair_ijk == expected


def test_typing_a_number_shows_that_slice(opened: Desk) -> None:
    number = opened.window.views[Plane.AXIAL].row.number
    assert number.text() == "25 / 48"
    number.setFocus()
    number.selectAll()
    opened.qtbot.keyClicks(number, "12")
    assert opened.window.view_state.crosshair_ijk[2] == 24
    opened.qtbot.keyClick(number, Qt.Key.Key_Return)
    assert opened.window.view_state.crosshair_ijk[2] == 11


def test_the_slider_and_the_number_follow_the_slice(opened: Desk) -> None:
    opened.qtbot.keyClick(opened.window, Qt.Key.Key_Up)
    view = opened.window.views[Plane.AXIAL]
    opened.qtbot.waitUntil(lambda: view.row.slider.value() == 25 and view.row.number.value() == 26)


def test_a_slab_is_drawn_told_and_read_under_the_cursor(opened: Desk, phantom) -> None:
    view = opened.window.views[Plane.AXIAL]
    opened.trigger("slab maximum")
    opened.window.view_state.slab = type(opened.window.view_state.slab)(SlabMode.MAXIMUM, 18.0)
    opened.qtbot.waitUntil(lambda: "MIP, 5 slices" in view.labels["info"].text())
    expected = phantom.volume.hu[40, 64, 22:27].max()
    opened.window._hover(view, (40, 64, 24))
    assert opened.window.status.cursor.text().startswith(f"{expected} HU (MIP)")
    opened.trigger("slab off")
    opened.qtbot.waitUntil(lambda: "MIP" not in view.labels["info"].text())
    opened.window._hover(view, (40, 64, 24))
    assert opened.window.status.cursor.text().startswith(f"{phantom.volume.hu[40, 64, 24]} HU ")


def test_keys_change_kind_and_thickness_of_the_slab(opened: Desk) -> None:
    state = opened.window.view_state
    opened.qtbot.keyClick(opened.window, Qt.Key.Key_M)
    assert state.slab.mode is SlabMode.MAXIMUM
    before = state.slab.thickness_mm
    opened.qtbot.keyClicks(opened.window, "++-")
    assert state.slab.thickness_mm == before + 2
    for _ in range(3):
        opened.qtbot.keyClick(opened.window, Qt.Key.Key_M)
    assert not state.slab.on


def test_cine_runs_to_the_end_turns_and_stops(opened: Desk) -> None:
    window, state = opened.window, opened.window.view_state
    opened.qtbot.keyClick(window, Qt.Key.Key_V)
    assert window.cine.running
    window.views[Plane.AXIAL].go_to(46)
    seen = []
    for _ in range(4):
        window.cine.tick()
        seen.append(state.crosshair_ijk[2])
    assert seen == [47, 46, 45, 44]
    opened.qtbot.keyClick(window, Qt.Key.Key_V)
    assert not window.cine.running


def test_cine_turns_by_its_own_clock_at_the_speed_that_is_set(opened: Desk) -> None:
    cine = opened.window.cine
    speed = cine.speed
    opened.trigger("cine_faster")
    assert cine.speed > speed
    before = opened.window.view_state.crosshair_ijk[2]
    opened.trigger("cine")
    opened.qtbot.waitUntil(lambda: opened.window.view_state.crosshair_ijk[2] != before)
    opened.trigger("cine")


def test_the_strip_shows_neighbors_and_a_click_goes_there(opened: Desk) -> None:
    opened.trigger("layout strip")
    QApplication.processEvents()
    strip, state = opened.window.panes.strip, opened.window.view_state
    assert 24 in strip.slices
    assert len(strip.slices) >= 3
    target = strip.slices[strip.slices.index(24) + 1]
    cell = next(box for box, k in strip._cells(opened.window.study.volume) if k == target)
    opened.qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=cell.center().toPoint())
    assert state.crosshair_ijk[2] == target


def test_back_in_the_strip_keys_act_on_the_plane_that_is_seen(opened: Desk) -> None:
    opened.trigger("layout strip")
    opened.trigger("maximize")
    opened.trigger("next_pane")
    assert visible(opened) == {Pane.CORONAL}
    opened.trigger("maximize")
    assert visible(opened) == {Pane.AXIAL}
    assert opened.window.view_state.active is Pane.AXIAL
    i, j, k = opened.window.view_state.crosshair_ijk
    opened.trigger("next_slice")
    assert opened.window.view_state.crosshair_ijk == (i, j, k + 1)


def test_a_reading_on_another_plane_is_shown_from_the_strip(opened: Desk) -> None:
    ends = ((60.0, 50.0, 20.0), (70.0, 50.0, 20.0))
    id_ = opened.window.context.annotations.add(
        Annotation(AnnotationKind.RULER, Plane.CORONAL, 50, ends)
    )
    opened.trigger("layout strip")
    opened.window.annotations.go_to(id_)
    assert opened.window.view_state.active is Pane.CORONAL
    assert Pane.CORONAL in visible(opened)


def test_the_scale_bar_is_as_long_as_it_says(opened: Desk) -> None:
    view = opened.window.views[Plane.AXIAL]
    bar = view.labels.scale
    assert bar.height() - 1 == round(bar.mm * view.box.px_per_mm)
    assert bar.caption in ("5 cm", "10 cm", "20 cm")
    view.box.zoom_by(8)
    assert bar.height() - 1 == round(bar.mm * view.box.px_per_mm)


@pytest.mark.parametrize(
    ("most", "length"), [(0.03, 0.02), (0.9, 0.5), (1, 1), (7, 5), (55, 50), (199, 100), (200, 200)]
)
def test_a_scale_bar_has_a_round_length(most: float, length: float) -> None:
    assert round_length(most) == pytest.approx(length)


def test_a_slice_of_the_strip_shows_grays_and_labels_as_the_plane_does(
    opened: Desk, files: Path
) -> None:
    opened.open(files / "scan.nii.gz", files / "truth.nii.gz")
    window, strip = opened.window, opened.window.panes.strip
    volume, mask, state = window.study.volume, window.study.mask, window.view_state
    state.inverted = True
    state.styles = {**state.styles, LIVER: LabelStyle((200, 40, 0), 0.5)}
    state.overlay_opacity = 0.6
    k = 24
    drawn = strip._picture(volume, k, volume.shape[1], strip._colors())
    shade = 255 - grey(Plane.AXIAL.cut(volume.hu, k), state.window).astype(float)
    labels = Plane.AXIAL.cut(mask.labels, k)
    assert (drawn.height(), drawn.width()) == labels.shape
    for label, (row, column) in (
        (label, np.argwhere(labels == label)[0]) for label in (0, LIVER, TUMOR)
    ):
        style = state.styles[label] if label else LabelStyle((0, 0, 0), 0.0)
        share = 0.6 * style.opacity
        wanted = shade[row, column] * (1 - share) + share * np.array(style.rgb)
        seen = drawn.pixelColor(int(column), int(row)).getRgb()[:3]
        np.testing.assert_allclose(seen, wanted, atol=1.0)
