"""What is told of the voxel under the cursor while the cursor rests."""

from __future__ import annotations

from pathlib import Path

from liverseg_gui.core.planes import Plane
from liverseg_gui.core.slabs import Slab, SlabMode, project
from tests.ui.conftest import Desk
from tests.ui.test_window_level import hover


def test_the_hu_under_a_resting_cursor_is_that_of_the_slice_scrolled_to(reading: Desk) -> None:
    view, volume = reading.window.views[Plane.AXIAL], reading.window.study.volume
    i, j, k = hover(reading, (90, 70, 24))
    hu = str(volume.hu[i, j, k])
    for step in range(1, 20):
        if str(volume.hu[i, j, k + step]) != hu:
            break
    view.step(step)
    wanted = f"{volume.hu[i, j, k + step]} HU"
    reading.qtbot.waitUntil(lambda: view.labels["hu"].text() == wanted)
    cursor = reading.window.status.cursor.text()
    assert cursor.startswith(wanted)
    assert f"voxel {i}, {j}, {k + step} " in cursor


def test_the_hu_under_a_resting_cursor_becomes_that_of_the_slab(reading: Desk) -> None:
    view, volume = reading.window.views[Plane.AXIAL], reading.window.study.volume
    i, j, k = hover(reading, (90, 70, 24))
    slab = Slab(SlabMode.MAXIMUM, 40.0)
    shown = project(volume, Plane.AXIAL, k, slab)[::-1, ::-1].T
    reading.window.view_state.slab = slab
    reading.qtbot.waitUntil(lambda: view.labels["hu"].text() == f"{shown[i, j]} HU (MIP)")


def test_zooming_brings_another_voxel_under_a_resting_cursor(reading: Desk) -> None:
    view, volume = reading.window.views[Plane.AXIAL], reading.window.study.volume
    before = hover(reading, (90, 70, 24))
    view.box.zoom_by(3.0)
    after = view.voxel_under_cursor
    middle = view.plane.to_voxel(
        *(
            mm / size
            for mm, size in zip(
                view.box.viewRect().center().toTuple(),
                view.plane.pixel_mm(volume.affine),
                strict=True,
            )
        ),
        24,
        volume.shape,
    )
    for axis in (0, 1):  # a third as far from the middle as before
        assert abs((after[axis] - middle[axis]) * 3 - (before[axis] - middle[axis])) <= 3
    assert after != before
    assert f"voxel {after[0]}, {after[1]}, 24 " in reading.window.status.cursor.text()


def test_nothing_of_the_old_scan_is_told_once_another_is_open(reading: Desk, files: Path) -> None:
    i, j, k = hover(reading, (90, 70, 24))
    reading.open(files / "truth.nii.gz")
    volume = reading.window.study.volume
    wanted = f"{volume.hu[i, j, k]} HU"
    cursor = reading.window.status.cursor
    reading.qtbot.waitUntil(lambda: cursor.text().startswith(f"{wanted} "))


def test_a_resting_cursor_does_not_take_the_keys_from_another_pane(reading: Desk) -> None:
    hover(reading, (90, 70, 24))
    reading.trigger("next_pane")
    active = reading.window.view_state.active
    reading.window.views[Plane.AXIAL].step(2)
    reading.window.views[Plane.AXIAL].redraw()
    assert reading.window.view_state.active is active
