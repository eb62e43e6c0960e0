from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from liverseg_gui.core.planes import Plane
from tests.ui.conftest import Desk
from tests.ui.test_overlay import a_mask, scene, seen

__all__ = ["scene"]


def turn(desk: Desk) -> None:
    """Half a flicker, without waiting for it."""
    desk.window.flicker.timer.timeout.emit()


def test_f_lets_the_overlay_go_and_come_until_f_is_pressed_again(scene: Desk) -> None:
    flicker = scene.window.flicker
    steady = seen(scene, Plane.AXIAL)
    scene.qtbot.keyClick(scene.window, "f")
    assert flicker.running
    for _ in range(2):
        assert np.array_equal(seen(scene, Plane.AXIAL), steady)
        with scene.qtbot.waitSignal(flicker.changed):
            turn(scene)
        assert seen(scene, Plane.AXIAL).max() == 0
        turn(scene)
    turn(scene)
    scene.trigger("flicker")
    assert not flicker.running
    assert np.array_equal(seen(scene, Plane.AXIAL), steady)


def test_it_runs_by_itself_and_not_faster_than_three_times_a_second(scene: Desk) -> None:
    flicker = scene.window.flicker
    with scene.qtbot.waitSignals([flicker.changed] * 3):
        scene.trigger("flicker")
    assert 1000 / 3 <= 2 * flicker.timer.interval() <= 1000 / 2


@pytest.mark.parametrize("how", ["Esc", "S", "button", "another scan", "comparison"])
def test_it_stops(scene: Desk, how: str, files: Path) -> None:
    window = scene.window
    scene.trigger("flicker")
    turn(scene)
    assert window.overlay_panel.flickering.isChecked()
    assert "flickers" in window.statusBar().currentMessage()
    if how == "Esc":
        scene.trigger("cancel")
    elif how == "S":
        scene.trigger("overlay")
    elif how == "button":
        window.overlay_panel.flickering.click()
    elif how == "another scan":
        scene.open(files / "scan.nii.gz")
    else:
        window.study.set_compared(a_mask(2), "other")
    assert not window.flicker.running
    assert not window.flicker.second
    assert not window.overlay_panel.flickering.isChecked()
    assert not window.actions_by_key["flicker"].isChecked()
    assert "flickers" not in window.statusBar().currentMessage()
    scene.idle()


def test_escape_stops_the_flicker_before_it_cancels_a_job(scene: Desk) -> None:
    scene.trigger("flicker")
    scene.segmenter.go_on.clear()
    scene.dialogs.yes = True
    scene.trigger("segment")
    scene.qtbot.waitUntil(lambda: scene.window.runner.busy)
    scene.trigger("cancel")
    assert not scene.window.flicker.running
    assert scene.window.runner.busy
    scene.trigger("cancel")
    scene.idle()
    assert scene.window.study.mask_source.model == ""


def test_a_hidden_overlay_is_shown_to_flicker(scene: Desk) -> None:
    scene.window.view_state.overlay_visible = False
    scene.trigger("flicker")
    assert scene.window.view_state.overlay_visible
    assert scene.window.flicker.running


def test_compared_masks_take_turns(scene: Desk) -> None:
    window = scene.window
    a, b = window.study.mask, a_mask(shift=4)
    window.study.set_compared(b, "other")
    scene.idle()
    scene.trigger("flicker")
    pictures = []
    for _ in range(2):
        pictures.append(seen(scene, Plane.CORONAL))
        turn(scene)
    scene.trigger("stop_comparing")
    for picture, mask in zip(pictures, (a, b), strict=True):
        window.study.set_mask(mask, window.study.mask_source)
        assert np.array_equal(picture, seen(scene, Plane.CORONAL))
    assert not np.array_equal(*pictures)
    scene.idle()
