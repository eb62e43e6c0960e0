"""Everyday flow: gestures that meet keys, boxes that meet the mouse, strokes that are cut short."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QRegion, QWheelEvent
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QWidget

from liverseg_gui.core.planes import Plane
from liverseg_gui.core.slabs import Slab, SlabMode
from liverseg_gui.core.window_level import PRESETS
from liverseg_gui.state.view import Layout, Pane, Tool
from liverseg_gui.ui.widgets.number_box import NumberBox
from tests.ui.conftest import Desk
from tests.ui.drawing import Hand, Spot
from tests.ui.gestures import turn

CTRL = Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton
RATE_MS = 12
"""pyqtgraph leaves out moves that follow faster than 100 a second."""


@pytest.fixture
def at_work(desk: Desk, files: Path) -> Desk:
    """A scan with its mask, the card of gestures read."""
    desk.settings.change(welcomed=True)
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    desk.qtbot.waitUntil(desk.window.isActiveWindow)
    return desk


@pytest.fixture
def display(at_work: Desk) -> Desk:
    """The Display panel in front, a slab of 10 mm."""
    at_work.window.display_dock.raise_()
    at_work.window.view_state.slab = Slab(SlabMode.MAXIMUM, 10.0)
    at_work.qtbot.waitUntil(at_work.window.window_panel.plot.isVisible)
    return at_work


def press(desk: Desk, key: Qt.Key, held: Qt.KeyboardModifier | None = None) -> None:
    """On whatever has the focus, as the keyboard does."""
    target = desk.window.focusWidget() or desk.window
    desk.qtbot.keyClick(target, key, held or Qt.KeyboardModifier.NoModifier)


def slow_drag(hand: Hand, *spots: Spot) -> None:
    """A drag that goes on after the last of `spots`."""
    hand.settle()
    way, qtbot = [hand.px(spot) for spot in spots], hand.desk.qtbot
    qtbot.mouseMove(hand.viewport, way[0])
    qtbot.mousePress(hand.viewport, LEFT, pos=way[0])
    for before, to in pairwise(way):
        for share in (0.5, 1.0):
            qtbot.wait(RATE_MS)
            qtbot.mouseMove(hand.viewport, before + (QPointF(to - before) * share).toPoint())


def end_at(hand: Hand, spot: Spot) -> None:
    hand.settle()
    hand.desk.qtbot.wait(RATE_MS)
    hand.desk.qtbot.mouseMove(hand.viewport, hand.px(spot))
    hand.desk.qtbot.mouseRelease(hand.viewport, LEFT, pos=hand.px(spot))


def box_named(desk: Desk, name: str) -> QWidget:
    kinds = (QComboBox, NumberBox)
    boxes = [box for kind in kinds for box in desk.window.findChildren(kind)]
    return next(box for box in boxes if box.accessibleName() == name)


@pytest.mark.parametrize("tool", [Tool.RULER, Tool.ELLIPSE, Tool.CALIPER, Tool.ANGLE])
def test_a_stroke_that_ends_on_another_slice_is_dropped(at_work: Desk, tool: Tool) -> None:
    hand = Hand(at_work)
    at_work.window.view_state.choose_tool(tool)
    slow_drag(hand, (40, 40), (60, 60))
    at_work.window.step(2)
    end_at(hand, (70, 80))
    assert not hand.drawing
    assert not hand.annotations


def test_a_stroke_goes_on_when_its_slice_is_back(at_work: Desk) -> None:
    hand = Hand(at_work)
    at_work.window.view_state.choose_tool(Tool.RULER)
    slow_drag(hand, (40, 40), (60, 60))
    at_work.window.step(2)
    hand.settle()
    hand.move((65, 60))
    at_work.window.step(-2)
    end_at(hand, (70, 60))
    (reading,) = hand.annotations
    assert reading.points_ijk[1] == pytest.approx((70, 60, 24), abs=2 * hand.voxel_px())


def test_a_polygon_waits_for_its_slice(at_work: Desk) -> None:
    hand = Hand(at_work)
    at_work.window.view_state.choose_tool(Tool.POLYGON)
    hand.click((40, 40), (60, 40), (60, 60))
    at_work.window.step(1)
    hand.settle()
    hand.move((50, 70))
    at_work.window.step(-1)
    hand.settle()
    press(at_work, Qt.Key.Key_Return)
    assert hand.last.index == 24
    assert len(hand.last.points_ijk) == 3


@pytest.mark.parametrize("grabbed", [(40, 40), (50, 50)])
def test_a_reading_that_scrolled_out_of_sight_is_not_changed(at_work: Desk, grabbed: Spot) -> None:
    hand = Hand(at_work)
    at_work.window.view_state.choose_tool(Tool.RULER)
    slow_drag(hand, (40, 40), (60, 60))
    end_at(hand, (60, 60))
    before = hand.last
    at_work.window.view_state.choose_tool(Tool.NAVIGATE)
    slow_drag(hand, grabbed, (grabbed[0] + 8, grabbed[1]))
    assert hand.drawing
    at_work.window.step(3)
    end_at(hand, (70, 60))
    assert not hand.drawing
    assert hand.last == before


def test_keys_act_on_the_pane_that_is_seen_when_the_strip_comes_back(at_work: Desk) -> None:
    state = at_work.window.view_state
    for key in (Qt.Key.Key_F6, Qt.Key.Key_F7):
        press(at_work, key)
    press(at_work, Qt.Key.Key_Tab, CTRL)
    assert state.active is Pane.CORONAL
    press(at_work, Qt.Key.Key_F7)
    assert at_work.window.panes.shown == (Pane.AXIAL,)
    press(at_work, Qt.Key.Key_Up)
    assert state.crosshair_ijk == (64, 64, 25)


def test_a_reading_of_another_plane_is_gone_to_from_the_strip(at_work: Desk) -> None:
    window = at_work.window
    hand = Hand(at_work, Plane.CORONAL)
    window.view_state.choose_tool(Tool.PROBE)
    hand.click((50, 20))
    window.view_state.layout = Layout.STRIP
    window.annotations.go_to(1)
    assert window.view_state.active is Pane.CORONAL
    assert window.views[Plane.CORONAL].isVisible()


def test_leaving_the_slice_number_leads_where_the_reader_goes(display: Desk) -> None:
    number, width = display.window.views[Plane.AXIAL].row.number, display.window.window_panel._width
    number.setFocus()
    width.setFocus()
    assert width.hasFocus()


def test_a_half_typed_slice_number_stays_while_something_else_is_drawn(at_work: Desk) -> None:
    view = at_work.window.views[Plane.AXIAL]
    view.row.number.setFocus()
    view.row.number.selectAll()
    at_work.qtbot.keyClick(view.row.number, "1")
    at_work.window.view_state.active = Pane.CORONAL
    at_work.qtbot.waitUntil(lambda: not view._redraw.isActive())
    at_work.qtbot.keyClick(view.row.number, "2")
    press(at_work, Qt.Key.Key_Return)
    assert view.index == 11


def test_esc_drops_what_was_typed_and_gives_the_keys_back(at_work: Desk) -> None:
    view = at_work.window.views[Plane.AXIAL]
    view.row.number.setFocus()
    view.row.number.selectAll()
    at_work.qtbot.keyClick(view.row.number, "7")
    press(at_work, Qt.Key.Key_Escape)
    assert view.hasFocus()
    assert view.index == 24
    assert view.row.number.text() == "25 / 48"


@pytest.mark.parametrize(
    "name", ["Thickness of the slab", "Thickness of the contour"], ids=["slab", "contour"]
)
def test_enter_in_a_box_gives_the_keys_back_to_the_pane(display: Desk, name: str) -> None:
    box, state = box_named(display, name), display.window.view_state
    box.setFocus()
    box.selectAll()  # type: ignore[attr-defined]
    display.qtbot.keyClick(box, "3")
    press(display, Qt.Key.Key_Return)
    assert 3 in (state.slab.thickness_mm, state.contour_px)
    press(display, Qt.Key.Key_Up)
    assert state.crosshair_ijk == (64, 64, 25)


def test_enter_in_a_floating_panel_gives_the_keys_back_too(display: Desk) -> None:
    window = display.window
    window.display_dock.setFloating(True)
    display.qtbot.waitUntil(window.display_dock.isVisible)
    window.display_dock.activateWindow()
    width = window.window_panel._width
    width.setFocus()
    display.qtbot.waitUntil(width.hasFocus)
    display.qtbot.keyClick(width, Qt.Key.Key_Return)
    display.qtbot.waitUntil(window.views[Plane.AXIAL].hasFocus)


@pytest.mark.parametrize(
    "name",
    [
        "Window preset",
        "Kind of slab",
        "How masks are drawn",
        "Thickness of the slab",
        "Thickness of the contour",
    ],
)
def test_scrolling_past_a_box_or_list_changes_nothing(display: Desk, name: str) -> None:
    state, box = display.window.view_state, box_named(display, name)

    def look() -> tuple[object, ...]:
        return state.window, state.slab, state.fill, state.contour, state.contour_px

    before = look()
    for notches in (-1, -1, 1, 1, 1):
        turn(box, notches)
        assert look() == before


def test_a_click_on_the_display_panel_leaves_the_keys_to_the_pane(display: Desk) -> None:
    window = display.window
    window.views[Plane.AXIAL].setFocus()
    for part in (window.overlay_panel.opacity, window.overlay_panel.mode, window.overlay_panel):
        while part is not None and not part.isWindow():
            assert not part.focusPolicy() & Qt.FocusPolicy.ClickFocus & ~Qt.FocusPolicy.TabFocus
            part = part.parentWidget()


def test_enter_chooses_from_the_list_of_a_box(display: Desk) -> None:
    presets = display.window.window_panel._presets
    presets.setFocus()
    press(display, Qt.Key.Key_Space)
    display.qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
    display.qtbot.keyClick(presets.view(), Qt.Key.Key_Down)
    display.qtbot.keyClick(presets.view(), Qt.Key.Key_Return)
    assert QApplication.activePopupWidget() is None
    assert display.window.view_state.window == PRESETS["Liver"]


def test_a_notch_over_slider_and_number_is_a_slice(at_work: Desk) -> None:
    view = at_work.window.views[Plane.AXIAL]
    for part in (view.row.slider, view.row.number):
        turn(part, 1)
        assert view.index == 24  # left to the row they are in
    turn(view.row, 1)
    assert view.index == 25
    turn(view.row, -2)
    assert view.index == 23


def test_a_fine_wheel_moves_the_strip_by_whole_notches(at_work: Desk) -> None:
    window = at_work.window
    window.view_state.layout = Layout.STRIP
    strip = window.panes.strip
    middle, none = QPointF(strip.rect().center()), Qt.MouseButton.NoButton
    keys, phase = Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
    for _ in range(8):
        place = strip.mapToGlobal(middle)
        part = QWheelEvent(middle, place, QPoint(), QPoint(0, 15), none, keys, phase, False)
        QApplication.sendEvent(strip, part)
    assert window.view_state.crosshair_ijk == (64, 64, 25)


@pytest.mark.parametrize("layout", ["two_by_two", "single", "strip", "one_three"])
def test_linked_planes_keep_one_magnification_in_every_layout(at_work: Desk, layout: str) -> None:
    window = at_work.window
    at_work.trigger("linked")
    at_work.trigger("reset")

    def scales() -> list[float]:
        return [view.box.px_per_mm for view in window.views.values() if view.isVisible()]

    for key in ("single", layout):
        at_work.trigger(f"layout {key}")
        QApplication.processEvents()
    at_work.qtbot.waitUntil(lambda: max(scales()) == pytest.approx(min(scales()), rel=1e-3))
    fit = min(view.fitting_px_per_mm for view in window.views.values() if view.isVisible())
    at_work.qtbot.waitUntil(lambda: scales()[0] == pytest.approx(fit, rel=0.02))


def test_reset_of_linked_planes_fits_those_that_are_seen(at_work: Desk) -> None:
    box = at_work.window.views[Plane.AXIAL].box
    at_work.trigger("layout single")
    QApplication.processEvents()
    at_work.trigger("reset")
    alone = box.px_per_mm
    at_work.trigger("linked")
    at_work.trigger("reset")
    assert box.px_per_mm == pytest.approx(alone, rel=0.01)


def test_cine_stays_in_the_plane_it_began_in(at_work: Desk) -> None:
    window, state = at_work.window, at_work.window.view_state
    at_work.trigger("cine")
    state.active = Pane.CORONAL
    window.cine.tick()
    assert state.crosshair_ijk == (64, 64, 25)
    at_work.trigger("layout single")
    window.cine.tick()
    assert state.crosshair_ijk == (64, 65, 25)
    at_work.trigger("cine")


def test_tab_goes_on_from_the_list_of_lesions(at_work: Desk) -> None:
    at_work.window.panel._table.setFocus()
    press(at_work, Qt.Key.Key_Tab)
    assert not at_work.window.panel._table.hasFocus()


def test_selected_figures_are_copied_and_not_a_picture(at_work: Desk) -> None:
    figure: QLabel = at_work.window.panel._values["tumor_ml"]
    figure.setFocus()
    figure.setSelection(0, 4)
    selected = figure.selectedText()
    QApplication.clipboard().clear()
    press(at_work, Qt.Key.Key_C, CTRL)
    assert QApplication.clipboard().text() == selected
    figure.setSelection(0, 0)
    press(at_work, Qt.Key.Key_C, CTRL)
    assert QApplication.clipboard().mimeData().hasImage()


def test_hidden_readings_are_not_deleted(at_work: Desk) -> None:
    hand = Hand(at_work)
    at_work.window.view_state.choose_tool(Tool.PROBE)
    hand.click((40, 40))
    at_work.window.view_state.annotations_visible = False
    press(at_work, Qt.Key.Key_Delete)
    assert hand.annotations
    at_work.window.view_state.annotations_visible = True
    press(at_work, Qt.Key.Key_Delete)
    assert not hand.annotations


def test_the_hu_under_a_resting_cursor_is_that_of_the_slice_shown(at_work: Desk) -> None:
    window, hand = at_work.window, Hand(at_work)
    hand.settle()
    hand.move((70, 60))

    def said() -> list[str]:
        return window.status.cursor.text().split("    ")

    def is_read() -> bool:
        voxel = window.panes.voxel_under_cursor
        assert voxel is not None
        hu = window.study.volume.hu[voxel]
        return said()[:2] == [f"{hu} HU", "voxel {}, {}, {}".format(*voxel)]

    assert is_read()
    before = said()
    turn(hand.viewport, 3)
    at_work.qtbot.waitUntil(lambda: said() != before)
    assert is_read()
    assert window.panes.voxel_under_cursor[2] == 27
    window.view_state.slab = Slab(SlabMode.MAXIMUM, 10.0)
    at_work.qtbot.waitUntil(lambda: "MIP" in said()[0])
    window.view_state.slab = Slab(SlabMode.OFF, 10.0)
    at_work.qtbot.waitUntil(is_read)


def test_what_lies_under_a_resting_cursor_follows_zoom_and_pan(at_work: Desk) -> None:
    window, hand = at_work.window, Hand(at_work)
    hand.settle()
    at = hand.px((50, 75))
    hand.move((50, 75))
    assert window.panes.voxel_under_cursor is not None
    hand.view.box.zoom_by(2)
    place = hand.view.box.mapToView(QPointF(at))
    assert window.panes.voxel_under_cursor == hand.view.voxel_at(place)
    assert window.panes.voxel_under_cursor != (50, 75, 24)
    assert "voxel {}, {}, {}".format(*hand.view.voxel_at(place)) in window.status.cursor.text()


def test_a_pane_that_keys_chose_stays_active_under_a_resting_cursor(at_work: Desk) -> None:
    hand = Hand(at_work)
    hand.settle()
    hand.move((70, 60))
    press(at_work, Qt.Key.Key_Tab, CTRL)
    press(at_work, Qt.Key.Key_Up)
    at_work.qtbot.waitUntil(lambda: not hand.view._redraw.isActive())
    assert at_work.window.view_state.active is Pane.CORONAL


def test_texts_of_a_narrow_pane_do_not_cover_each_other(at_work: Desk) -> None:
    window = at_work.window
    window.resize(900, 600)
    labels = window.views[Plane.CORONAL].labels
    at_work.qtbot.waitUntil(lambda: labels["info"].parentWidget().width() < 250)
    labels.set(hu="-1024 HU (Average)")
    assert not labels["hu"].geometry().intersects(labels["info"].geometry())


def test_the_scale_bar_is_legible_on_white(at_work: Desk) -> None:
    bar = at_work.window.views[Plane.AXIAL].labels.scale
    image = QImage(bar.size(), QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    bar.render(image, QPoint(), QRegion(), QWidget.RenderFlag(0))
    right, middle = bar.width() - 3, bar.height() // 4
    line, beside = (image.pixelColor(x, middle).lightness() for x in (right, right - 2))
    assert line - beside > 80
