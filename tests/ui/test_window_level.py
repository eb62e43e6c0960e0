"""Window/level by mouse, keys, boxes and from the region under the cursor."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication

from liverseg_gui.core.histogram import hu_histogram, region_window
from liverseg_gui.core.planes import Plane
from liverseg_gui.core.window_level import PRESETS, Window
from liverseg_gui.ui.panels.histogram_plot import fitting_range, ticks
from liverseg_gui.ui.widgets.theme import tone_of
from tests.ui.conftest import Desk
from tests.ui.gestures import LEFT, NONE, PLAIN, SHIFT, at_hu, drag, hu_a_px, now, panel, send, turn
from tests.ui.test_window import scene_point


@pytest.mark.parametrize("hu", [40, 100, -90])
def test_dragging_the_band_moves_the_center_alone(reading: Desk, hu: int) -> None:
    plot = panel(reading).plot
    step = hu_a_px(plot)
    drag(plot, at_hu(plot, hu), 20)
    assert now(reading).width == 400
    assert now(reading).center == pytest.approx(40 + 20 * step, abs=1)


@pytest.mark.parametrize(("edge", "by_px"), [(-160, -15), (240, 15)])
def test_dragging_an_edge_changes_the_width_alone(reading: Desk, edge: int, by_px: int) -> None:
    plot = panel(reading).plot
    step = hu_a_px(plot)
    drag(plot, at_hu(plot, edge), by_px)
    assert now(reading).center == 40
    assert now(reading).width == pytest.approx(400 + 30 * step, abs=2)


@pytest.mark.parametrize(("edge", "other"), [(-160, 240), (240, -160)])
def test_with_shift_the_other_edge_stays(reading: Desk, edge: int, other: int) -> None:
    plot = panel(reading).plot
    drag(plot, at_hu(plot, edge), 10 if edge > 0 else -10, SHIFT)
    kept = now(reading).low if other < 0 else now(reading).high
    assert kept == pytest.approx(other, abs=1.5)
    assert now(reading).width > 420


def test_pressing_beside_the_band_does_nothing(reading: Desk) -> None:
    plot = panel(reading).plot
    drag(plot, at_hu(plot, 400), 30)
    assert now(reading) == Window(400, 40)


def test_an_edge_cannot_be_dragged_beyond_the_middle(reading: Desk) -> None:
    plot = panel(reading).plot
    drag(plot, at_hu(plot, 240), -plot.width())
    assert now(reading) == Window(1, 40)


def test_the_wheel_over_the_histogram_changes_the_width(reading: Desk) -> None:
    turn(panel(reading).plot, 1)
    assert now(reading) == Window(440, 40)
    turn(panel(reading).plot, -2)
    assert now(reading).width == pytest.approx(440 / 1.21, abs=1)
    for _ in range(80):
        turn(panel(reading).plot, -1)
    assert now(reading).width == 1
    turn(panel(reading).plot, 1)
    assert now(reading).width == 2


def test_a_double_click_on_the_histogram_is_auto(reading: Desk) -> None:
    plot = panel(reading).plot
    reading.qtbot.mouseDClick(plot, LEFT, pos=at_hu(plot, 40))
    volume = reading.window.study.volume
    assert now(reading) == hu_histogram(volume.hu).auto_window() != Window(400, 40)


def test_arrow_keys_on_the_histogram_move_center_and_width(reading: Desk) -> None:
    plot, slice_ = panel(reading).plot, reading.window.view_state.crosshair_ijk
    plot.setFocus()
    for key, keys, expected in (
        (Qt.Key.Key_Right, PLAIN, Window(400, 50)),
        (Qt.Key.Key_Up, PLAIN, Window(400, 60)),
        (Qt.Key.Key_Left, PLAIN, Window(400, 50)),
        (Qt.Key.Key_Down, PLAIN, Window(400, 40)),
        (Qt.Key.Key_Right, SHIFT, Window(420, 40)),
        (Qt.Key.Key_Left, SHIFT, Window(398, 40)),
    ):
        reading.qtbot.keyClick(plot, key, keys)
        assert now(reading).center == expected.center
        assert now(reading).width == pytest.approx(expected.width, abs=2)
    assert reading.window.view_state.crosshair_ijk == slice_


def test_other_keys_on_the_histogram_are_still_commands(reading: Desk) -> None:
    plot = panel(reading).plot
    plot.setFocus()
    reading.qtbot.keyClick(plot, "4")
    assert now(reading) == PRESETS["Lung"]


def test_the_panel_follows_a_drag_on_a_slice(reading: Desk) -> None:
    reading.trigger("window_tool")
    viewport = reading.window.views[Plane.AXIAL]._graphics.viewport()
    drag(viewport, viewport.rect().center(), 40)
    window = now(reading)
    assert window.width > 400
    assert panel(reading)._width.value() == round(window.width)
    assert panel(reading)._center.value() == round(window.center)
    assert panel(reading)._presets.currentIndex() == -1
    assert panel(reading).plot._window == window


def test_many_moves_within_a_frame_draw_each_plane_once(reading: Desk) -> None:
    drawn: dict[Plane, int] = dict.fromkeys(Plane, 0)
    for plane, view in reading.window.views.items():
        reading.qtbot.waitUntil(lambda view=view: not view._redraw.isActive())

        class Counter:
            def __init__(self, plane: Plane) -> None:
                self.plane = plane

            def redraw(self, _frame: object) -> None:
                drawn[self.plane] += 1

        view.layers.append(Counter(plane))
    plot = panel(reading).plot
    drag(plot, at_hu(plot, 40), 60, moves=60)
    views = reading.window.views.values()
    reading.qtbot.waitUntil(lambda: not any(view._redraw.isActive() for view in views))
    assert set(drawn.values()) == {1}


def test_numbers_are_taken_on_enter_and_the_keys_go_back_to_the_pane(reading: Desk) -> None:
    box = panel(reading)._width
    box.setFocus()
    box.selectAll()
    reading.qtbot.keyClicks(box, "250")
    assert now(reading) == Window(400, 40)
    reading.qtbot.keyClick(box, Qt.Key.Key_Return)
    assert now(reading) == Window(250, 40)
    reading.qtbot.waitUntil(lambda: reading.window.panes.active_view.hasFocus())
    reading.qtbot.keyClick(reading.window.focusWidget(), "2")
    assert now(reading) == PRESETS["Liver"]


@pytest.mark.parametrize(
    ("name", "typed", "expected"),
    [
        ("_width", "9000", Window(8000, 40)),
        ("_width", "0", Window(1, 40)),
        ("_center", "-2500", Window(400, -2000)),
        ("_center", "-", Window(400, 40)),
    ],
)
def test_a_number_beyond_the_limits_becomes_the_limit_and_no_other_number(
    reading: Desk, name: str, typed: str, expected: Window
) -> None:
    box = getattr(panel(reading), name)
    box.setFocus()
    box.selectAll()
    reading.qtbot.keyClicks(box, typed)
    reading.qtbot.keyClick(box, Qt.Key.Key_Return)
    assert now(reading) == expected
    assert box.value() == round(expected.width if name == "_width" else expected.center)


def test_numbers_are_taken_when_the_box_is_left_and_arrows_step(reading: Desk) -> None:
    center = panel(reading)._center
    center.setFocus()
    center.selectAll()
    reading.qtbot.keyClicks(center, "-80")
    panel(reading)._width.setFocus()
    assert now(reading) == Window(400, -80)
    reading.qtbot.keyClick(panel(reading)._width, Qt.Key.Key_Up)
    assert now(reading) == Window(410, -80)


def test_a_box_without_the_focus_leaves_the_wheel_alone(reading: Desk) -> None:
    reading.window.panes.active_view.setFocus()
    turn(panel(reading)._width, 1)
    assert now(reading) == Window(400, 40)


def test_a_window_with_a_fraction_is_not_rounded_by_being_shown(reading: Desk) -> None:
    reading.window.view_state.window = Window(300.4, 70.6)
    panel(reading)._width.setFocus()
    reading.qtbot.keyClick(panel(reading)._width, Qt.Key.Key_Return)
    assert now(reading) == Window(300.4, 70.6)


def test_the_list_of_presets_sets_the_window_and_names_it(reading: Desk) -> None:
    presets = panel(reading)._presets
    presets.setCurrentIndex(3)
    presets.activated.emit(3)
    assert now(reading) == PRESETS["Lung"]
    reading.qtbot.keyClick(reading.window, "1")
    assert presets.currentText().startswith("Abdomen")


def test_the_buttons_are_the_commands(reading: Desk) -> None:
    buttons = panel(reading)._buttons
    volume = reading.window.study.volume
    reading.qtbot.mouseClick(buttons["auto_window"], LEFT)
    assert now(reading) == hu_histogram(volume.hu).auto_window()
    reading.qtbot.mouseClick(buttons["invert"], LEFT)
    assert reading.window.view_state.inverted
    assert tone_of(buttons["invert"]) == "accent"
    reading.qtbot.mouseClick(buttons["reset_window"], LEFT)
    assert now(reading) == PRESETS["Abdomen"]
    assert not reading.window.view_state.inverted
    assert tone_of(buttons["invert"]) is None
    assert "Abdomen" not in buttons["reset_window"].text()
    assert "400 / 40" in buttons["reset_window"].toolTip()


def test_nothing_can_be_set_without_a_scan(desk: Desk) -> None:
    assert not panel(desk).plot.isEnabled()
    assert not any(button.isEnabled() for button in panel(desk)._buttons.values())
    assert not panel(desk)._width.isEnabled()


def hover(desk: Desk, voxel: tuple[int, int, int]) -> tuple[int, int, int]:
    """Put the cursor on a voxel of the axial plane; the voxel it is on."""
    view = desk.window.views[Plane.AXIAL]
    at = scene_point(desk, Plane.AXIAL, voxel)
    send(view._graphics.viewport(), QEvent.Type.MouseMove, at, NONE)
    under = view.voxel_under_cursor
    assert under is not None
    return under


def test_u_takes_the_window_of_the_region_under_the_cursor(reading: Desk) -> None:
    volume = reading.window.study.volume
    under = hover(reading, (90, 70, 24))
    assert np.abs(np.subtract(under, (90, 70, 24))).max() <= 1
    reading.qtbot.keyClick(reading.window, "u")
    assert now(reading) == region_window(volume.hu, under, volume.affine)


def test_u_after_the_wheel_means_the_slice_that_is_shown(reading: Desk) -> None:
    volume = reading.window.study.volume
    i, j, k = hover(reading, (90, 70, 24))
    reading.trigger("up_ten")
    reading.qtbot.keyClick(reading.window, "u")
    assert now(reading) == region_window(volume.hu, (i, j, k + 10), volume.affine)


def test_u_away_from_the_slices_means_the_crosshair(reading: Desk) -> None:
    volume, view = reading.window.study.volume, reading.window.views[Plane.AXIAL]
    hover(reading, (90, 70, 24))
    QApplication.sendEvent(view._graphics, QEvent(QEvent.Type.Leave))
    assert view.voxel_under_cursor is None
    reading.window.view_state.crosshair_ijk = (50, 60, 20)
    reading.qtbot.keyClick(reading.window, "u")
    assert now(reading) == region_window(volume.hu, (50, 60, 20), volume.affine)


@pytest.mark.parametrize("window", [*PRESETS.values(), Window(1, 0), Window(8000, 4000)])
def test_a_window_is_shown_with_room_on_either_side(window: Window) -> None:
    low, high = fitting_range(window, (-560, 640))
    assert low < window.low < window.high < high
    assert len(ticks(low, high, 256)) in range(2, 8)


def test_what_is_seen_of_the_hu_stays_through_small_changes() -> None:
    seen = fitting_range(Window(400, 40), None)
    assert fitting_range(Window(430, 60), seen) == seen
    assert fitting_range(Window(80, 40), seen) != seen
    assert fitting_range(Window(400, 600), seen) != seen


def test_the_band_is_legible_in_the_colors_of_the_theme(reading: Desk) -> None:
    plot = panel(reading).plot
    image = plot.grab().toImage()
    edge, base = (image.pixelColor(at_hu(plot, hu)).lightness() for hu in (-160, 600))
    assert abs(edge - base) > 80
