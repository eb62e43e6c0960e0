"""Window/level by mouse, keys, boxes and presets, and what a study was last seen with."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QDockWidget, QWidget
from pytestqt.qtbot import QtBot

from liverseg_gui.core.display import PRESETS, Window
from liverseg_gui.core.histogram import hu_histogram, region_window
from liverseg_gui.core.planes import Plane
from liverseg_gui.state.user_presets import MOST_USER_PRESETS
from liverseg_gui.ui.histogram_plot import HistogramPlot
from liverseg_gui.ui.histogram_range import fitting_range, ticks
from liverseg_gui.ui.preset_dialog import PresetDialog
from liverseg_gui.ui.window_panel import WindowPanel
from tests.ui.conftest import Desk
from tests.ui.test_window import scene_point

_LEFT, _NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
_SHIFT, _PLAIN = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.NoModifier
_KEYS = Qt.Key


@pytest.fixture
def reading(desk: Desk, files: Path) -> Desk:
    """An open scan, the Display panel in front."""
    desk.open(files / "scan.nii.gz")
    dock = desk.window.findChild(QDockWidget, "display")
    assert isinstance(dock, QDockWidget)
    dock.raise_()
    desk.qtbot.waitActive(desk.window)
    desk.qtbot.waitUntil(desk.window.window_panel.plot.isVisible)
    return desk


def panel(desk: Desk) -> WindowPanel:
    return desk.window.window_panel


def now(desk: Desk) -> Window:
    return desk.window.view_state.window


def send(
    widget: QWidget,
    kind: QEvent.Type,
    at: QPoint,
    held: Qt.MouseButton,
    keys: Qt.KeyboardModifier = _PLAIN,
) -> None:
    button = _NONE if kind is QEvent.Type.MouseMove else _LEFT
    place = QPointF(widget.mapToGlobal(at))
    QApplication.sendEvent(widget, QMouseEvent(kind, QPointF(at), place, button, held, keys))


def drag(
    widget: QWidget, start: QPoint, by_px: int, keys: Qt.KeyboardModifier = _PLAIN, moves: int = 4
) -> None:
    send(widget, QEvent.Type.MouseButtonPress, start, _LEFT, keys)
    for n in range(1, moves + 1):
        at = start + QPoint(by_px * n // moves, 0)
        send(widget, QEvent.Type.MouseMove, at, _LEFT, keys)
    send(widget, QEvent.Type.MouseButtonRelease, start + QPoint(by_px, 0), _NONE, keys)


def turn(widget: QWidget, notches: int) -> None:
    middle = QPointF(widget.rect().center())
    event = QWheelEvent(
        middle,
        widget.mapToGlobal(middle),
        QPoint(0, 0),
        QPoint(0, 120 * notches),
        _NONE,
        _PLAIN,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def at_hu(plot: HistogramPlot, hu: float) -> QPoint:
    return QPoint(round(plot.x_of(hu)), 30)


def hu_a_px(plot: HistogramPlot) -> float:
    low, high = plot.range_hu
    return (high - low) / plot.width()


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
    drag(plot, at_hu(plot, edge), 10 if edge > 0 else -10, _SHIFT)
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
    reading.qtbot.mouseDClick(plot, _LEFT, pos=at_hu(plot, 40))
    volume = reading.window.study.volume
    assert now(reading) == hu_histogram(volume.hu).auto_window() != Window(400, 40)


def test_arrow_keys_on_the_histogram_move_center_and_width(reading: Desk) -> None:
    plot, slice_ = panel(reading).plot, reading.window.view_state.crosshair_ijk
    plot.setFocus()
    for key, keys, expected in (
        (_KEYS.Key_Right, _PLAIN, Window(400, 50)),
        (_KEYS.Key_Up, _PLAIN, Window(400, 60)),
        (_KEYS.Key_Left, _PLAIN, Window(400, 50)),
        (_KEYS.Key_Down, _PLAIN, Window(400, 40)),
        (_KEYS.Key_Right, _SHIFT, Window(420, 40)),
        (_KEYS.Key_Left, _SHIFT, Window(398, 40)),
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
    reading.qtbot.keyClick(box, _KEYS.Key_Return)
    assert now(reading) == Window(250, 40)
    reading.qtbot.waitUntil(lambda: reading.window.panes.active_view.hasFocus())
    reading.qtbot.keyClick(reading.window.focusWidget(), "2")
    assert now(reading) == PRESETS["Liver"]


def test_numbers_are_taken_when_the_box_is_left_and_arrows_step(reading: Desk) -> None:
    center = panel(reading)._center
    center.setFocus()
    center.selectAll()
    reading.qtbot.keyClicks(center, "-80")
    panel(reading)._width.setFocus()
    assert now(reading) == Window(400, -80)
    reading.qtbot.keyClick(panel(reading)._width, _KEYS.Key_Up)
    assert now(reading) == Window(410, -80)


def test_a_box_without_the_focus_leaves_the_wheel_alone(reading: Desk) -> None:
    reading.window.panes.active_view.setFocus()
    turn(panel(reading)._width, 1)
    assert now(reading) == Window(400, 40)


def test_a_window_with_a_fraction_is_not_rounded_by_being_shown(reading: Desk) -> None:
    reading.window.view_state.window = Window(300.4, 70.6)
    panel(reading)._width.setFocus()
    reading.qtbot.keyClick(panel(reading)._width, _KEYS.Key_Return)
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
    reading.qtbot.mouseClick(buttons["auto_window"], _LEFT)
    assert now(reading) == hu_histogram(volume.hu).auto_window()
    reading.qtbot.mouseClick(buttons["invert"], _LEFT)
    assert reading.window.view_state.inverted
    reading.qtbot.mouseClick(buttons["reset_window"], _LEFT)
    assert now(reading) == PRESETS["Abdomen"]
    assert not reading.window.view_state.inverted
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
    send(view._graphics.viewport(), QEvent.Type.MouseMove, at, _NONE)
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


def stating(path: Path, low: float, high: float) -> Path:
    image = nib.Nifti1Image(np.zeros((8, 8, 6), np.int16), np.diag([2.0, 2.0, 2.0, 1.0]))
    image.header["cal_min"], image.header["cal_max"] = low, high
    nib.save(image, path)
    return path


def test_7_takes_the_window_of_the_file_which_is_not_taken_by_itself(
    reading: Desk, tmp_path: Path
) -> None:
    reading.open(stating(tmp_path / "scan.nii", -100, 200))
    assert now(reading) == PRESETS["Abdomen"]
    reading.qtbot.keyClick(reading.window, "7")
    assert now(reading) == Window(300, 50)
    assert panel(reading)._presets.currentText() == "File  300 / 50"


def test_7_again_takes_the_next_window_of_the_file(reading: Desk, real_data: Path) -> None:
    reading.open(real_data / "dicom" / "jpeg2000")
    for expected in (Window(300, 40), Window(1500, 300), Window(300, 40)):
        reading.qtbot.keyClick(reading.window, "7")
        assert now(reading) == expected


def test_where_the_file_states_none_its_command_says_so(reading: Desk) -> None:
    action = reading.window.actions_by_key["file_window"]
    assert not action.isEnabled()
    assert action.toolTip() == "The file states no window of its own"
    reading.qtbot.keyClick(reading.window, "7")
    assert now(reading) == PRESETS["Abdomen"]


def save_preset(desk: Desk, name: str, window: Window) -> None:
    desk.window.view_state.window = window
    desk.dialogs.preset = name
    desk.trigger("save_preset")


def test_a_preset_of_ones_own_is_in_menu_and_panel_and_at_the_next_start(reading: Desk) -> None:
    save_preset(reading, "HCC & late", Window(250, 110))
    action = reading.window.actions_by_key["user preset 1"]
    assert action.isVisible()
    assert action.text() == "HCC && late  250 / 110"
    assert not reading.window.actions_by_key["user preset 2"].isVisible()
    assert panel(reading)._presets.currentText() == "HCC & late  250 / 110"
    reading.qtbot.keyClick(reading.window, "1")
    action.trigger()
    assert now(reading) == Window(250, 110)
    kept = json.loads(reading.settings._file.read_text())["user_presets"]
    assert kept == {"HCC & late": [250.0, 110.0]}


def test_a_preset_of_ones_own_can_be_renamed_and_deleted(reading: Desk) -> None:
    save_preset(reading, "Fat", Window(300, -80))
    save_preset(reading, "Late", Window(250, 110))
    reading.window.actions_by_key["user preset 1"].trigger()
    reading.dialogs.preset = "Belly"
    reading.trigger("rename_preset")
    assert list(reading.settings.user_presets) == ["Belly", "Late"]
    reading.trigger("delete_preset")
    assert list(reading.settings.user_presets) == ["Belly", "Late"]
    reading.dialogs.yes = True
    reading.trigger("delete_preset")
    assert list(reading.settings.user_presets) == ["Late"]
    assert now(reading) == Window(300, -80)
    assert not reading.window.actions_by_key["delete_preset"].isEnabled()
    assert "own presets" in reading.window.actions_by_key["delete_preset"].toolTip()


def test_a_dialog_given_up_changes_no_preset(reading: Desk) -> None:
    reading.dialogs.preset = None
    reading.trigger("save_preset")
    assert reading.settings.user_presets == {}


def asked(qtbot: QtBot, typed: str, taken: tuple[str, ...], replace: bool) -> PresetDialog:
    dialog = PresetDialog(None, "Save as preset", "", taken, replace)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.keyClicks(dialog._name, typed)
    return dialog


@pytest.mark.parametrize(
    ("typed", "replace", "button", "note"),
    [
        ("", True, "", "Type a name."),
        ("   ", True, "", "Type a name."),
        ("LIVER", True, "", "A preset of the program has this name. Choose another one."),
        ("HCC late", True, "Save", ""),
        ("fat", True, "Replace", 'Replaces "Fat".'),
        ("fat", False, "", "Another preset of yours has this name."),
    ],
)
def test_the_dialog_takes_only_names_that_can_be_used(
    qtbot: QtBot, typed: str, replace: bool, button: str, note: str
) -> None:
    dialog = asked(qtbot, typed, ("Fat",), replace)
    save = dialog._buttons.button(QDialogButtonBox.StandardButton.Save)
    assert save.isEnabled() == bool(button)
    assert not button or save.text() == button
    assert dialog._note.text() == note
    qtbot.keyClick(dialog._name, _KEYS.Key_Return)
    assert bool(dialog.result()) == bool(button)


def test_a_replaced_preset_keeps_its_spelling(qtbot: QtBot) -> None:
    assert asked(qtbot, " hcc  LATE ", ("HCC late",), True).name == "HCC late"


def test_a_thirteenth_preset_must_replace_one(qtbot: QtBot) -> None:
    taken = tuple(f"Own {n}" for n in range(MOST_USER_PRESETS))
    for typed, can in (("One more", False), ("Own 3", True)):
        dialog = asked(qtbot, typed, taken, True)
        save = dialog._buttons.button(QDialogButtonBox.StandardButton.Save)
        assert save.isEnabled() is can


def test_a_study_comes_back_with_the_window_it_was_last_seen_with(
    reading: Desk, files: Path, tmp_path: Path
) -> None:
    other = stating(tmp_path / "other.nii", 0, 0)
    reading.qtbot.keyClick(reading.window, "5")
    reading.open(other)
    assert now(reading) == PRESETS["Abdomen"]
    reading.open(files / "scan.nii.gz")
    assert now(reading) == PRESETS["Bone"]
    stored = json.loads(reading.settings._file.read_text())["study_windows"]
    assert list(stored.values()) == [[2000.0, 400.0]]
    assert not any("scan" in key for key in stored)


def test_two_volumes_of_a_file_have_a_window_each(reading: Desk, tmp_path: Path) -> None:
    data = np.stack([np.full((8, 8, 4), n, np.int16) for n in (10, 20)], axis=3)
    nib.save(nib.Nifti1Image(data, np.diag([2.0, 2, 2, 1])), tmp_path / "two.nii")
    for choice, key in ((0, "4"), (1, "6")):
        reading.dialogs.choice = choice
        reading.open(tmp_path / "two.nii")
        reading.qtbot.waitUntil(
            lambda choice=choice: reading.window.study.volume.hu[0, 0, 0] == (10, 20)[choice]
        )
        reading.qtbot.keyClick(reading.window, key)
    reading.dialogs.choice = 0
    reading.open(tmp_path / "two.nii")
    reading.qtbot.waitUntil(lambda: reading.window.study.volume.hu[0, 0, 0] == 10)
    assert now(reading) == PRESETS["Lung"]


def test_the_window_is_kept_after_a_pause_and_not_while_it_is_dragged(reading: Desk) -> None:
    reading.window.windows._keep_later.setInterval(50)
    written: list[None] = []
    reading.settings.changed.connect(lambda: written.append(None))
    plot, key = panel(reading).plot, reading.window.study.key
    drag(plot, at_hu(plot, 40), 60, moves=60)
    assert not written
    reading.qtbot.waitUntil(lambda: bool(written))
    assert len(written) == 1
    assert reading.settings.study_window(key) == now(reading)


def test_closing_the_window_keeps_it_at_once(reading: Desk) -> None:
    reading.qtbot.keyClick(reading.window, "4")
    key = reading.window.study.key
    assert reading.settings.study_window(key) is None
    assert reading.window.close()
    assert reading.settings.study_window(key) == PRESETS["Lung"]


@pytest.mark.parametrize("command", ["clear_recent", "clear_traces"])
def test_clearing_forgets_the_windows_of_studies(reading: Desk, command: str) -> None:
    reading.qtbot.keyClick(reading.window, "4")
    reading.window.windows.keep()
    reading.qtbot.keyClick(reading.window, "5")
    key = reading.window.study.key
    reading.trigger(command)
    reading.idle()
    assert reading.window.close()
    assert reading.settings.study_window(key) is None


def test_stating_the_geometry_keeps_the_window_and_the_histogram(reading: Desk) -> None:
    from liverseg_gui.ui.geometry_dialog import GeometryChoice

    reading.qtbot.keyClick(reading.window, "4")
    volume, histogram = reading.window.study.volume, reading.window.study.histogram
    reading.dialogs.geometry_choice = GeometryChoice((1.0, 1.0, 2.0), None)
    reading.trigger("state_geometry")
    reading.idle()
    assert reading.window.study.volume is not volume
    assert now(reading) == PRESETS["Lung"]
    assert reading.window.study.histogram is histogram


def test_another_scan_brings_its_own_histogram(reading: Desk, tmp_path: Path) -> None:
    before = panel(reading).plot._histogram
    reading.open(stating(tmp_path / "other.nii", 0, 0))
    after = panel(reading).plot._histogram
    assert after is reading.window.study.histogram
    assert after is not before
    assert after.counts[1024] == 8 * 8 * 6


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
