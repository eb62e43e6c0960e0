from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QApplication, QLineEdit

from liverseg_gui.core.annotations import AnnotationKind
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.planes import Plane
from liverseg_gui.core.scan_issues import Concern, ScanIssue, Severity
from liverseg_gui.core.slabs import Slab, SlabMode
from liverseg_gui.state.view import Layout, Pane, Tool
from liverseg_gui.ui.widgets.severity import SHORT_MARK
from tests.ui.conftest import Desk
from tests.ui.drawing import Hand

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture(autouse=True)
def every_move_counts(desk: Desk) -> Iterator[None]:
    """No card lies over the panes, and moves faster than a hand's are not left out."""
    desk.settings.change(welcomed=True)
    before = pg.getConfigOption("mouseRateLimit")
    pg.setConfigOption("mouseRateLimit", -1)
    yield
    pg.setConfigOption("mouseRateLimit", before)


@pytest.fixture
def hand(desk: Desk, files: Path) -> Hand:
    desk.open(files / "scan.nii.gz")
    desk.qtbot.waitUntil(desk.window.isActiveWindow)
    desk.window.views[Plane.AXIAL].setFocus()
    return Hand(desk)


def choose(hand: Hand, tool: str) -> None:
    hand.desk.trigger(f"tool {tool}")


def figures(hand: Hand, n: int = -1):
    annotations = hand.desk.window.context.annotations
    return annotations.figures(list(annotations.items)[n])


def is_at(hand: Hand, point: tuple, spot: tuple) -> bool:
    """Whether a point lies where the mouse was, give or take a pixel."""
    return bool(np.abs(np.array(point) - hand.ijk(spot)).max() <= 1.1 * hand.voxel_px())


SPOTS = {
    Plane.AXIAL: ((40, 40), (90, 80)),
    Plane.CORONAL: ((40, 12), (90, 36)),
    Plane.SAGITTAL: ((40, 12), (90, 36)),
}


@pytest.mark.parametrize("plane", Plane)
@pytest.mark.parametrize("zoom", [1.0, 2.3])
@pytest.mark.parametrize("clicked", [False, True])
def test_a_ruler_is_as_long_as_drawn_in_every_plane_at_every_zoom(
    desk: Desk, files: Path, plane: Plane, zoom: float, clicked: bool
) -> None:
    desk.open(files / "scan.nii.gz")
    hand = Hand(desk, plane)
    a, b = SPOTS[plane]
    middle = hand.px(((a[0] + b[0]) / 2, (a[1] + b[1]) / 2))
    hand.view.box.zoom_by(zoom, hand.view.box.mapToView(middle))
    choose(hand, "ruler")
    (hand.click if clicked else hand.drag)(a, b)
    ruler = hand.last
    assert (ruler.kind, ruler.plane, ruler.index) == (AnnotationKind.RULER, plane, hand.view.index)
    assert is_at(hand, ruler.points_ijk[0], a)
    assert is_at(hand, ruler.points_ijk[1], b)
    affine = desk.window.study.volume.affine
    expected = np.linalg.norm(affine.to_mm(hand.ijk(a)) - affine.to_mm(hand.ijk(b)))
    assert figures(hand).length_mm == pytest.approx(expected, abs=3 / hand.view.box.px_per_mm)


def test_what_is_painted_lies_where_the_box_maps_it(hand: Hand) -> None:
    choose(hand, "ruler")
    hand.drag((40, 40), (90, 80))
    hand.view.box.zoom_by(1.7)
    (layout,) = hand.layer.layouts
    for (x, y), point in zip(layout.handles, hand.last.points_ijk, strict=True):
        at = hand.px((point[0], point[1]))
        assert abs(at.x() - x) <= 1
        assert abs(at.y() - y) <= 1


def test_an_ellipse_fills_the_dragged_box_and_measures_what_lies_inside(
    hand: Hand, phantom: Phantom
) -> None:
    choose(hand, "ellipse")
    hand.drag((50, 50), (80, 70))
    ellipse, found = hand.last, figures(hand)
    (u0, v0), (u1, v1) = ellipse.in_plane
    assert found.area_mm2 == pytest.approx(np.pi * 15 * 10 * 9, rel=0.08)
    u, v = np.ogrid[:128, :128]
    inside = ((u - (u0 + u1) / 2) / ((u1 - u0) / 2)) ** 2 + (
        (v - (v0 + v1) / 2) / ((v1 - v0) / 2)
    ) ** 2 <= 1
    hu = phantom.volume.hu[:, :, ellipse.index][inside]
    assert (found.voxels, found.min_hu, found.max_hu) == (hu.size, hu.min(), hu.max())
    assert found.mean_hu == pytest.approx(hu.mean())


def test_a_caliper_is_dragged_along_and_then_across(hand: Hand) -> None:
    choose(hand, "caliper")
    hand.drag((40, 60), (100, 60))
    assert not hand.annotations
    hand.drag((70, 50), (74, 75))
    found = figures(hand)
    assert found.longest_mm == pytest.approx(180, abs=3)
    assert found.perpendicular_mm == pytest.approx(75, abs=3)
    a, b, c, d = np.array(hand.last.points_ijk)
    assert (b - a) @ (d - c) == pytest.approx(0, abs=1e-6)


def test_a_clicked_short_axis_lies_even_about_the_long_one(hand: Hand) -> None:
    choose(hand, "caliper")
    hand.click((40, 60), (100, 60), (70, 70))
    found = figures(hand)
    assert found.perpendicular_mm == pytest.approx(60, abs=5)


@pytest.mark.parametrize("dragged", [False, True])
def test_an_angle_takes_its_vertex_second(hand: Hand, dragged: bool) -> None:
    choose(hand, "angle")
    if dragged:
        hand.drag((90, 50), (50, 50))
        hand.click((90, 90))
    else:
        hand.click((90, 50), (50, 50), (90, 90))
    assert figures(hand).angle_deg == pytest.approx(45, abs=2)


@pytest.mark.parametrize("how", ["double click", "enter", "first corner"])
def test_a_polygon_is_closed_in_three_ways(hand: Hand, how: str) -> None:
    choose(hand, "polygon")
    hand.click((40, 40), (80, 40), (80, 80))
    if how == "double click":
        hand.double_click((40, 80))
    else:
        hand.click((40, 80))
        hand.key(Qt.Key.Key_Return) if how == "enter" else hand.click((40, 40))
    assert len(hand.last.points_ijk) == 4
    assert figures(hand).area_mm2 == pytest.approx(120 * 120, rel=0.03)
    assert not hand.drawing
    assert len(hand.layer.layouts) == 1


def test_a_probe_tells_the_voxel_under_the_click(hand: Hand, phantom: Phantom) -> None:
    choose(hand, "probe")
    hand.click((70, 60))
    i, j, k = np.round(hand.last.points_ijk[0]).astype(int)
    assert abs(i - 70) <= 1
    assert abs(j - 60) <= 1
    assert figures(hand).hu == phantom.volume.hu[i, j, k]
    assert f"{figures(hand).hu} HU" in hand.layer.layouts[0].texts[0]


def test_text_is_typed_in_place_and_keys_do_not_change_the_tool(hand: Hand) -> None:
    choose(hand, "text")
    hand.click((70, 60))
    editor = hand.view.canvas.findChild(QLineEdit)
    hand.desk.qtbot.waitUntil(editor.hasFocus)
    hand.desk.qtbot.keyClicks(editor, "near L2")
    hand.desk.qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert (hand.last.kind, hand.last.text) == (AnnotationKind.TEXT, "near L2")
    assert hand.desk.window.view_state.tool is Tool.TEXT
    assert hand.layer.layouts[0].texts == ("near L2",)


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Escape])
def test_no_text_leaves_nothing(hand: Hand, key: Qt.Key) -> None:
    choose(hand, "text")
    hand.click((70, 60))
    editor = hand.view.canvas.findChild(QLineEdit)
    hand.desk.qtbot.waitUntil(editor.hasFocus)
    if key == Qt.Key.Key_Escape:
        hand.desk.qtbot.keyClicks(editor, "not this")
    hand.desk.qtbot.keyClick(editor, key)
    hand.desk.qtbot.waitUntil(lambda: hand.view.canvas.findChild(QLineEdit) is None)
    assert not hand.annotations
    assert not hand.desk.window.context.history.can_undo


def test_an_arrow_points_at_where_the_drag_began(hand: Hand) -> None:
    choose(hand, "arrow")
    hand.drag((60, 60), (90, 90))
    assert hand.last.kind is AnnotationKind.ARROW
    assert is_at(hand, hand.last.points_ijk[0], (60, 60))


def test_the_figure_shows_while_a_ruler_is_drawn(hand: Hand) -> None:
    choose(hand, "ruler")
    hand.drag((40, 60), (90, 60), release=False)
    (layout,) = hand.layer.layouts
    assert float(layout.texts[0].split()[0]) == pytest.approx(150, abs=3)
    assert not hand.annotations
    hand.key(Qt.Key.Key_Escape)
    hand.desk.qtbot.mouseRelease(hand.viewport, Qt.MouseButton.LeftButton, pos=hand.px((90, 60)))
    assert not hand.annotations
    assert not hand.layer.layouts


def test_escape_gives_up_a_polygon_before_it_cancels_a_job(hand: Hand) -> None:
    desk = hand.desk
    desk.segmenter.go_on.clear()
    desk.trigger("segment")
    desk.qtbot.waitUntil(desk.window.job_bar.isVisible)
    choose(hand, "polygon")
    hand.click((40, 40), (80, 40))
    hand.key(Qt.Key.Key_Escape)
    assert not hand.drawing
    assert desk.window.job_bar._cancel.isEnabled()
    hand.key(Qt.Key.Key_Escape)
    assert not desk.window.job_bar._cancel.isEnabled()
    desk.idle()
    assert desk.window.study.mask is None


def test_another_tool_gives_up_what_is_unfinished(hand: Hand) -> None:
    choose(hand, "polygon")
    hand.click((40, 40), (80, 40), (80, 80))
    hand.key(Qt.Key.Key_N)
    assert not hand.drawing
    assert not hand.annotations


def test_a_polygon_waits_while_its_slice_is_out_of_sight(hand: Hand) -> None:
    choose(hand, "polygon")
    hand.click((40, 40), (80, 40))
    hand.key(Qt.Key.Key_Up)
    hand.settle()
    assert not hand.layer.layouts
    hand.key(Qt.Key.Key_Down)
    hand.click((80, 80))
    hand.key(Qt.Key.Key_Return)
    assert hand.last.index == 24
    assert len(hand.last.points_ijk) == 3


@pytest.fixture
def ruler(hand: Hand) -> Hand:
    """A hand that drew a ruler and navigates again."""
    choose(hand, "ruler")
    hand.drag((40, 60), (90, 60))
    hand.key(Qt.Key.Key_N)
    hand.settle()
    return hand


def test_a_ruler_is_moved_by_its_line_in_one_step_and_the_crosshair_stays(ruler: Hand) -> None:
    before, crosshair = ruler.last, ruler.desk.window.view_state.crosshair_ijk
    ruler.drag((60, 60), (62, 70), (70, 80))
    assert is_at(ruler, ruler.last.points_ijk[0], (50, 80))
    assert is_at(ruler, ruler.last.points_ijk[1], (100, 80))
    assert ruler.desk.window.view_state.crosshair_ijk == crosshair
    ruler.key(Qt.Key.Key_Z, CTRL)
    assert ruler.last == before
    ruler.key(Qt.Key.Key_Z, CTRL, SHIFT)
    assert is_at(ruler, ruler.last.points_ijk[0], (50, 80))


def test_an_end_of_a_ruler_is_moved_alone(ruler: Hand) -> None:
    start = ruler.last.points_ijk[0]
    ruler.drag((90, 60), (90, 90))
    assert ruler.last.points_ijk[0] == start
    assert is_at(ruler, ruler.last.points_ijk[1], (90, 90))


def test_a_reading_is_grabbed_by_its_label_too(ruler: Hand) -> None:
    before = np.array(ruler.last.points_ijk)
    at = ruler.layer.layouts[0].label.center().toPoint()
    button = Qt.MouseButton.LeftButton
    ruler.desk.qtbot.mousePress(ruler.viewport, button, pos=at)
    for step in (20, 40):
        ruler.desk.qtbot.mouseMove(ruler.viewport, at + QPoint(0, step))
        QApplication.processEvents()
    ruler.desk.qtbot.mouseRelease(ruler.viewport, button, pos=at + QPoint(0, 40))
    moved = np.array(ruler.last.points_ijk) - before
    assert moved[0, 1] == pytest.approx(-40 * ruler.voxel_px(), abs=0.01)
    assert np.allclose(moved[0], moved[1])


def test_a_click_chooses_a_reading_delete_deletes_it_and_undo_brings_it_back(ruler: Hand) -> None:
    state = ruler.desk.window.view_state
    crosshair = state.crosshair_ijk
    annotations = ruler.desk.window.context.annotations
    ruler.click((100, 100))
    assert annotations.chosen is None
    assert state.crosshair_ijk != crosshair
    crosshair = state.crosshair_ijk
    ruler.click((60, 60))
    assert annotations.chosen is not None
    assert state.crosshair_ijk == crosshair
    ruler.key(Qt.Key.Key_Delete)
    assert not ruler.annotations
    ruler.key(Qt.Key.Key_Z, CTRL)
    assert len(ruler.annotations) == 1


def test_with_the_tool_in_the_hand_a_handle_of_the_new_reading_can_be_moved(hand: Hand) -> None:
    choose(hand, "ellipse")
    hand.drag((50, 50), (80, 70))
    hand.drag((80, 60), (95, 60))
    assert len(hand.annotations) == 1
    assert abs(hand.last.in_plane[:, 0].max() - 95) <= 2 * hand.voxel_px()
    hand.drag((20, 20), (40, 40))
    assert len(hand.annotations) == 2


def test_the_window_tool_leaves_readings_alone(ruler: Hand) -> None:
    before, window = ruler.last, ruler.desk.window.view_state.window
    ruler.key(Qt.Key.Key_W)
    ruler.drag((60, 60), (80, 80))
    assert ruler.last == before
    assert ruler.desk.window.view_state.window != window


def test_readings_show_on_their_own_slice_and_only_while_they_are_to_be_seen(ruler: Hand) -> None:
    assert len(ruler.layer.layouts) == 1
    ruler.key(Qt.Key.Key_Up)
    ruler.settle()
    assert not ruler.layer.layouts
    ruler.key(Qt.Key.Key_Down)
    ruler.desk.trigger("show_readings")
    ruler.settle()
    assert not ruler.layer.layouts
    choose(ruler, "probe")
    ruler.click((100, 100))
    assert len(ruler.layer.layouts) == 2


def test_the_label_stays_in_the_pane_and_off_the_handles(ruler: Hand) -> None:
    for spots in (((2, 60), (125, 60)), ((60, 2), (60, 125)), ((5, 5), (7, 120))):
        choose(ruler, "ruler")
        ruler.drag(*spots)
        layout = ruler.layer.layouts[-1]
        assert ruler.view.box.rect().contains(layout.label)
        for x, y in layout.handles:
            assert not layout.label.contains(x, y)


def test_the_cursor_says_what_a_press_would_do(ruler: Hand) -> None:
    shapes = Qt.CursorShape
    for spot, shape in (
        ((60, 60), shapes.OpenHandCursor),
        ((90, 60), shapes.SizeAllCursor),
        ((20, 20), shapes.ArrowCursor),
    ):
        ruler.move(spot)
        assert ruler.view.box.cursor().shape() == shape
    choose(ruler, "angle")
    assert ruler.view.box.cursor().shape() == shapes.CrossCursor
    choose(ruler, "text")
    assert ruler.view.box.cursor().shape() == shapes.IBeamCursor


def test_the_table_lists_readings_and_goes_to_the_one_that_is_clicked(ruler: Hand) -> None:
    window = ruler.desk.window
    table = window.annotations_panel._table
    assert [table.item(0, column).text() for column in range(3)] == ["1", "Ruler", "Ax 25"]
    assert "mm" in table.item(0, 3).text()
    state = window.view_state
    state.layout, state.active = Layout.SINGLE, Pane.SAGITTAL
    state.move_crosshair((1, 1, 1), window.study.volume.shape)
    ruler.desk.trigger("show_readings")
    table.cellClicked.emit(0, 0)
    assert state.crosshair_ijk == (65, 60, 24)
    assert (state.active, state.annotations_visible) == (Pane.AXIAL, True)
    assert window.context.annotations.chosen == 1


def test_a_name_typed_in_the_table_stands_beside_the_reading(ruler: Hand) -> None:
    window = ruler.desk.window
    table = window.annotations_panel._table
    table.item(0, 1).setText("portal vein")
    assert ruler.last.text == "portal vein"
    assert ruler.layer.layouts[0].texts[0] == "portal vein"
    table.item(0, 1).setText("")
    assert table.item(0, 1).text() == "Ruler"
    window.context.history.undo()
    assert table.item(0, 1).text() == "portal vein"


def test_the_empty_panel_explains_the_tools(hand: Hand) -> None:
    panel = hand.desk.window.annotations_panel
    assert not panel._empty.isHidden()
    assert panel._table.isHidden()
    choose(hand, "probe")
    hand.click((70, 60))
    assert panel._empty.isHidden()
    hand.desk.trigger("delete_readings")
    assert not panel._empty.isHidden()


def test_commands_are_off_where_they_would_do_nothing(ruler: Hand) -> None:
    actions = ruler.desk.window.actions_by_key
    assert actions["undo"].text() == "&Undo draw ruler"
    assert not actions["redo"].isEnabled()
    assert not actions["close_polygon"].isEnabled()
    ruler.desk.trigger("undo")
    assert not actions["delete_reading"].isEnabled()
    assert not actions["delete_readings"].isEnabled()
    assert actions["redo"].isEnabled()


def test_the_tools_are_exclusive_with_navigating_and_window_level(hand: Hand) -> None:
    actions = hand.desk.window.actions_by_key
    tools = ["navigate", "window_tool", *(f"tool {kind.value}" for kind in AnnotationKind)]
    for key, tool in zip("NWHLKGOPYT", tools, strict=True):
        hand.desk.qtbot.keyClick(hand.desk.window, key)
        assert [name for name in tools if actions[name].isChecked()] == [tool]
    assert "Text" in hand.desk.window.status.view_label.text()


def test_a_report_can_hold_readings_alone(ruler: Hand, tmp_path: Path) -> None:
    desk = ruler.desk
    desk.dialogs.path = tmp_path / "report.json"
    assert desk.window.actions_by_key["save_report"].isEnabled()
    desk.trigger("save_report")
    values = json.loads(desk.dialogs.path.read_text())
    assert values["readings"][0]["length_mm"] == pytest.approx(150, abs=3)
    assert values["liver_ml"] is None


def test_a_report_of_a_mask_holds_the_readings_too(
    ruler: Hand, files: Path, tmp_path: Path
) -> None:
    desk = ruler.desk
    desk.window.controller.open_mask(files / "truth.nii.gz")
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    desk.dialogs.path = tmp_path / "report.json"
    desk.trigger("save_report")
    values = json.loads(desk.dialogs.path.read_text())
    assert len(values["readings"]) == 1
    assert values["liver_ml"] > 0


def test_another_scan_takes_readings_unfinished_ones_and_history_away(
    ruler: Hand, files: Path, tmp_path: Path
) -> None:
    choose(ruler, "polygon")
    ruler.click((40, 40), (80, 40))
    ruler.desk.dialogs.yes = True
    other = nib.load(files / "scan.nii.gz")
    values = np.asarray(other.dataobj).copy()
    values[0, 0, 0] += 1
    nib.save(nib.Nifti1Image(values, None, other.header), tmp_path / "other.nii.gz")
    ruler.desk.open(tmp_path / "other.nii.gz")
    assert not ruler.annotations
    assert not ruler.drawing
    assert not ruler.desk.window.context.history.can_undo
    assert not ruler.desk.window.actions_by_key["undo"].isEnabled()


def test_a_double_click_on_a_reading_lets_its_text_be_typed(ruler: Hand) -> None:
    ruler.double_click((60, 60))
    editor = ruler.view.canvas.findChild(QLineEdit)
    ruler.desk.qtbot.waitUntil(editor.hasFocus)
    ruler.desk.qtbot.keyClicks(editor, "node")
    ruler.desk.qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert ruler.last.text == "node"
    assert not ruler.desk.window.view_state.maximized
    assert ruler.desk.window.context.history.undo_name == "label ruler"


def test_arrow_keys_move_in_the_table_and_not_through_slices(ruler: Hand) -> None:
    choose(ruler, "probe")
    ruler.click((100, 100))
    window, qtbot = ruler.desk.window, ruler.desk.qtbot
    window.annotations_dock.raise_()
    table = window.annotations_panel._table
    table.setFocus()
    qtbot.waitUntil(table.hasFocus)
    assert window.context.annotations.chosen == 2
    qtbot.keyClick(table, Qt.Key.Key_Up)
    assert window.context.annotations.chosen == 1
    assert window.view_state.crosshair_ijk == (65, 60, 24)
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert table.state() is table.State.EditingState
    qtbot.keyClick(table.findChild(QLineEdit), Qt.Key.Key_Escape)
    qtbot.keyClick(table, Qt.Key.Key_Delete)
    assert list(window.context.annotations.items) == [2]


def test_lengths_are_marked_where_the_scan_does_not_state_its_size(
    desk: Desk, phantom: Phantom
) -> None:
    doubt = ScanIssue("no-spacing", Severity.WARNING, "No spacing.", "State it.", Concern.MM)
    desk.window.study.open(replace(phantom.volume, issues=(doubt,)))
    hand = Hand(desk)
    choose(hand, "ellipse")
    hand.drag((50, 50), (80, 70))
    area, *hu = hand.layer.layouts[0].texts
    assert area.endswith(SHORT_MARK)
    assert not any(SHORT_MARK in line for line in hu)
    cell = desk.window.annotations_panel._table.item(0, 3)
    assert SHORT_MARK in cell.text()
    assert "No spacing. State it." in cell.toolTip()


def test_on_a_slab_the_figures_say_that_they_are_of_the_slice(hand: Hand) -> None:
    choose(hand, "probe")
    hand.click((70, 60))
    hand.desk.window.view_state.slab = Slab(SlabMode.MAXIMUM, 20.0)
    hand.settle()
    assert hand.layer.layouts[0].texts[0].endswith("HU in this slice")


def test_a_region_between_voxel_centers_says_so(hand: Hand) -> None:
    hand.view.box.zoom_by(40)
    seen = hand.view.box.viewRect().center()
    volume = hand.desk.window.study.volume
    u, v, _ = Plane.AXIAL.points_to_ijk([(seen.x(), seen.y())], 24, volume.shape, volume.affine)[0]
    base = (np.floor(u) + 0.2, np.floor(v) + 0.2)
    choose(hand, "ellipse")
    hand.drag(base, (base[0] + 0.5, base[1] + 0.5))
    assert "No voxel center lies inside." in hand.layer.layouts[0].texts
    assert "No voxel center" in hand.desk.window.annotations_panel._table.item(0, 3).text()


def test_a_reading_out_of_sight_leaves_no_label_at_the_edge(ruler: Hand) -> None:
    assert ruler.layer.layouts[0].texts
    ruler.view.box.look_at(QPointF(380, 380), 20.0)
    assert not ruler.layer.layouts[0].texts


def test_nothing_is_drawn_beside_the_scan(hand: Hand) -> None:
    hand.view.box.zoom_by(0.3)
    choose(hand, "probe")
    hand.click((-60, 60))
    choose(hand, "ruler")
    hand.drag((-60, 60), (60, 60))
    assert not hand.annotations
    hand.drag((60, 60), (300, 60))
    assert hand.last.points_ijk[1][0] == pytest.approx(127.5)


def test_the_label_stands_by_the_part_of_a_line_that_is_seen(ruler: Hand) -> None:
    (layout,) = ruler.layer.layouts
    middle = ruler.view.box.mapToView(QPointF(*np.mean(layout.lines[0], axis=0)))
    ruler.view.box.look_at(middle, 15.0)
    (layout,) = ruler.layer.layouts
    assert ruler.view.box.rect().contains(layout.label)
    assert abs(layout.label.center().y() - ruler.view.box.rect().center().y()) < 60
