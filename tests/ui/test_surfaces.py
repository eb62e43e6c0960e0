"""The 3D pane: what it says, when it builds, and what a click does. OpenGL is faked but once."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from liverseg_gui.core.display import DEFAULT_STYLES
from liverseg_gui.core.geometry import Affine
from liverseg_gui.core.labels import TUMOR, LabelMap
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.planes import Plane
from liverseg_gui.core.surface import mesh
from liverseg_gui.core.surface.mesh import Surface
from liverseg_gui.state.open_scan import MaskSource
from liverseg_gui.state.view import Layout, Pane
from liverseg_gui.ui.controllers.surface import EMPTY, READING, UPDATING
from liverseg_gui.ui.viewer.screenshot import ScreenshotOptions, screenshot
from liverseg_gui.ui.viewer.surface3d import canvas
from liverseg_gui.ui.viewer.surface3d.camera import Camera
from liverseg_gui.ui.viewer.surface3d.scene import (
    NoOpenGLError,
    Scene,
    clip_plane,
    crosshair_rings,
    scan_box,
)
from liverseg_gui.ui.viewer.surface3d.view import NO_MASK
from tests.ui.conftest import Desk

SIZE = (400, 300)


class FakeRenderer:
    """Draws nothing, and remembers the last scene."""

    def __init__(self) -> None:
        self.scene = Scene({})
        self.drawn: list[tuple[tuple[int, int], int]] = []
        self.failure = ""
        self.closed = False

    def upload(self, surfaces: tuple[Surface, ...]) -> None:
        pass

    def render(self, camera: Camera, size: tuple[int, int], scene: Scene) -> QImage:
        if self.failure:
            raise RuntimeError(self.failure)
        self.scene = scene
        self.drawn.append((size, len(scene.frames)))
        return QImage(*size, QImage.Format.Format_RGB32)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def renderer(monkeypatch: pytest.MonkeyPatch) -> FakeRenderer:
    fake = FakeRenderer()
    monkeypatch.setattr(canvas, "make_renderer", lambda: fake)
    return fake


def shown(desk: Desk, files: Path) -> None:
    """The phantom and its true mask, and their surfaces."""
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    desk.qtbot.waitUntil(lambda: len(desk.window.surface.drawing.surfaces) == 4)
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    desk.idle()


def middle_on_screen(desk: Desk, number: int) -> QPoint:
    drawing = desk.window.surface.drawing
    (lesion,) = (s for s in drawing.surfaces if s.number == number)
    ((x, y),) = drawing.camera.project(lesion.vertices_mm.mean(0)[None], drawing._size)
    return QPoint(round(x), round(y))


def test_from_the_front_the_patients_right_is_on_the_left_and_the_head_is_up() -> None:
    camera = Camera()
    camera.fit((-100, -100, -100), (100, 100, 100))
    right, left, head, feet = camera.project(
        [(50, 0, 0), (-50, 0, 0), (0, 0, 50), (0, 0, -50)], SIZE
    )
    assert right[0] < 180 < 220 < left[0]
    assert head[1] < 130 < 170 < feet[1]
    assert camera.towards_reader[1] > 0.9


def test_all_of_a_ball_is_on_the_screen_from_every_side() -> None:
    camera = Camera()
    camera.fit((-70, -70, -70), (70, 70, 70))
    directions = np.random.default_rng(0).standard_normal((500, 3))
    ball = 70 * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    for size in (SIZE, (200, 500)):
        for _ in range(8):
            camera.spin(45, 10)
            at = camera.project(ball, size)
            assert (at > 0).all()
            assert (at < size).all()


def test_a_ray_goes_through_what_is_drawn_at_its_place() -> None:
    camera = Camera()
    camera.fit((-30, 10, 40), (80, 120, 90))
    camera.spin(70, 25)
    camera.zoom_by(1.7)
    camera.pan(30, -12, SIZE)
    point = np.array([22.0, 61.0, 55.0])
    ((x, y),) = camera.project(point[None], SIZE)
    start, direction = camera.ray(x, y, SIZE)
    aside = np.cross(point - start, direction)
    assert np.linalg.norm(aside) < 1e-6
    assert (point - start) @ direction > 0


def test_dragging_moves_the_front_along_with_the_mouse() -> None:
    camera = Camera()
    camera.fit((-100, -100, -100), (100, 100, 100))
    ((x, y),) = camera.project([(0, 90, 0)], SIZE)
    camera.spin(10, 5)
    ((x_after, y_after),) = camera.project([(0, 90, 0)], SIZE)
    assert x_after > x
    assert y_after > y
    ((x, y),) = camera.project([(0, 0, 0)], SIZE)
    camera.pan(25, -10, SIZE)
    ((x_after, y_after),) = camera.project([(0, 0, 0)], SIZE)
    assert (x_after - x, y_after - y) == pytest.approx((25, -10), abs=0.1)


def test_a_clip_plane_parts_the_voxels_before_the_crosshair_from_those_beyond() -> None:
    affine = Affine([[0, 2, 0, 5], [-1, 0, 0, 9], [0, 0, 3, 1], [0, 0, 0, 1]])
    for side in (1, -1):
        plane = clip_plane(affine, Plane.CORONAL, (4, 5, 6), side)
        beyond, before = affine.to_mm([(4, 7, 6), (4, 3, 6)])
        assert plane @ [*beyond, 1] == pytest.approx(2 * side)
        assert plane @ [*before, 1] == pytest.approx(-2 * side)


def test_the_frames_of_the_crosshair_go_through_its_voxel_and_around_the_surfaces() -> None:
    affine = Affine.from_spacing((1.0, 2.0, 3.0), (10.0, 0.0, 0.0))
    rings = crosshair_rings(affine, affine.to_mm([(2, 2, 2), (20, 12, 8)]), (5, 6, 30))
    np.testing.assert_allclose(rings[Plane.CORONAL][:, 1], 12.0)
    assert set(rings[Plane.CORONAL][:, 0]) == {12.0, 30.0}
    np.testing.assert_allclose(rings[Plane.AXIAL][:, 2], 24.0)  # beside the box: along its side


def test_a_lesion_chosen_before_its_surface_is_there_stands_out_once_it_is(
    desk: Desk, files: Path, renderer: FakeRenderer
) -> None:
    desk.window.view_state.layout = Layout.SINGLE
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    desk.window.panel._choose(1)
    desk.window.view_state.layout = Layout.TWO_BY_TWO
    desk.qtbot.waitUntil(lambda: renderer.scene.chosen == 2)
    mask = desk.window.study.mask
    desk.window.study.set_mask(LabelMap(mask.labels.copy(), mask.grid), MaskSource())
    desk.qtbot.waitUntil(lambda: renderer.scene.chosen == 0)


def test_a_picture_shows_the_surfaces_as_finely_as_the_planes_and_no_crosshair_unasked(
    desk: Desk, files: Path, renderer: FakeRenderer
) -> None:
    shown(desk, files)
    window = desk.window
    window.view_state.active = Pane.SURFACE
    desk.qtbot.waitUntil(lambda: len(renderer.scene.frames) == 3)
    for scale, texts, frames in ((4, False, 0), (2, True, 3)):
        renderer.drawn.clear()
        size = window.surface.drawing._size
        options = ScreenshotOptions(annotations=texts, scale=scale)
        screenshot(window.panes, window.view_state, options, "notice")
        assert renderer.drawn == [(tuple(scale * px for px in size), frames)]
    assert window.view_state.crosshair_visible
    desk.qtbot.waitUntil(lambda: renderer.drawn[-1] == (window.surface.drawing._size, 3))


def test_the_crosshair_goes_around_the_surfaces_of_a_scan_that_is_turned_in_the_patient() -> None:
    turn = np.radians(45)
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    affine = Affine(matrix)
    corners = np.array(np.meshgrid([10, 50], [20, 60], [5, 25])).reshape(3, -1).T
    mesh = [
        Surface(TUMOR, n, affine.to_mm(part), np.zeros((0, 3), int), part)
        for n, part in enumerate((corners[:5], corners[5:]), 1)
    ]
    rings = crosshair_rings(affine, scan_box(affine, mesh), (30, 40, 15))
    for plane, ring in rings.items():
        inside = affine.to_ijk(ring)
        np.testing.assert_allclose(inside[:, plane.normal], (30, 40, 15)[plane.normal])
        for axis in (plane.across, plane.down):
            low, high = corners[:, axis].min(), corners[:, axis].max()
            np.testing.assert_allclose(sorted(inside[:, axis]), [low, low, high, high])


def test_without_a_mask_the_pane_says_what_to_do(desk: Desk, files: Path) -> None:
    assert desk.window.surface.text() == NO_MASK
    desk.open(files / "scan.nii.gz")
    assert desk.window.surface.text() == NO_MASK


def test_surfaces_appear_with_the_mask_and_go_with_the_scan(
    desk: Desk, files: Path, renderer: FakeRenderer
) -> None:
    shown(desk, files)
    assert desk.window.surface.text() == ""
    assert not desk.window.surface._row.isHidden()
    desk.open(files / "scan.nii.gz")
    assert desk.window.surface.drawing.surfaces == ()
    assert desk.window.surface.text() == NO_MASK
    assert desk.window.surface._row.isHidden()


def test_where_there_is_no_opengl_the_pane_says_so_and_nothing_is_built(
    desk: Desk, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> FakeRenderer:
        raise NoOpenGLError("no OpenGL context can be made")

    monkeypatch.setattr(canvas, "make_renderer", none)
    monkeypatch.setattr(mesh, "build_surfaces", lambda *_: pytest.fail("built"))
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    desk.qtbot.waitUntil(lambda: "OpenGL 2.1" in desk.window.surface.text())
    assert "no OpenGL context can be made" in desk.window.surface.text()
    assert "Everything else works" in desk.window.surface.text()
    desk.idle()
    assert desk.dialogs.problems == []
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    desk.qtbot.waitUntil(lambda: "OpenGL 2.1" in desk.window.surface.text())


def test_a_driver_that_fails_while_drawing_leaves_a_text(
    desk: Desk, files: Path, renderer: FakeRenderer
) -> None:
    shown(desk, files)
    renderer.failure = "device lost"
    desk.window.surface.drawing.redraw()
    desk.qtbot.waitUntil(lambda: "device lost" in desk.window.surface.text())
    assert desk.dialogs.problems == []


def test_an_empty_mask_is_called_empty(
    desk: Desk, files: Path, phantom: Phantom, renderer: FakeRenderer
) -> None:
    desk.open(files / "scan.nii.gz")
    study = desk.window.study
    empty = LabelMap(np.zeros(phantom.volume.shape, np.uint8), study.volume.grid)
    study.set_mask(empty, MaskSource(files / "truth.nii.gz"))
    desk.qtbot.waitUntil(lambda: desk.window.surface.text() == EMPTY)


def test_a_mask_that_takes_the_place_of_another_dims_the_old_surfaces_until_it_is_built(
    desk: Desk, files: Path, renderer: FakeRenderer
) -> None:
    shown(desk, files)
    study, pane = desk.window.study, desk.window.surface
    old = pane.drawing.surfaces
    without_tumor = np.minimum(study.mask.labels, 1)
    study.set_mask(LabelMap(without_tumor, study.volume.grid), MaskSource(files / "x.nii.gz"))
    assert pane.text() == UPDATING
    assert pane.drawing.surfaces is old
    assert not clicked(desk, 1)
    desk.qtbot.waitUntil(lambda: len(pane.drawing.surfaces) == 1)
    assert pane.text() == ""


def clicked(desk: Desk, number: int) -> bool:
    """Whether a click on a lesion chooses it."""
    chosen: list[object] = []
    desk.window.surface.lesion_chosen.connect(chosen.append)
    drawing = desk.window.surface.drawing
    desk.qtbot.mouseClick(drawing, Qt.MouseButton.LeftButton, pos=middle_on_screen(desk, number))
    desk.window.surface.lesion_chosen.disconnect(chosen.append)
    return bool(chosen)


def test_while_another_scan_is_read_no_surface_of_the_open_one_is_shown(
    desk: Desk, files: Path, phantom: Phantom, renderer: FakeRenderer
) -> None:
    shown(desk, files)
    desk.window.study.show_preview(phantom.volume)
    assert desk.window.surface.text() == READING
    assert desk.window.surface.drawing.surfaces == ()
    desk.window.study.drop_preview()
    desk.qtbot.waitUntil(lambda: len(desk.window.surface.drawing.surfaces) == 4)


def test_surfaces_are_built_only_once_the_pane_is_seen(
    desk: Desk, files: Path, renderer: FakeRenderer
) -> None:
    desk.window.view_state.layout = Layout.SINGLE
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    desk.qtbot.waitUntil(lambda: not desk.window.surfaces._soon.isActive())
    assert not desk.window.surfaces.runner.busy
    assert desk.window.surface.drawing.surfaces == ()
    desk.window.view_state.layout = Layout.TWO_BY_TWO
    desk.qtbot.waitUntil(lambda: len(desk.window.surface.drawing.surfaces) == 4)


@pytest.mark.usefixtures("patient_shutdown")
def test_building_keeps_nobody_from_segmenting_or_closing(
    desk: Desk, files: Path, renderer: FakeRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def slow(mask, progress):
        while not go_on.wait(0.01):
            progress.update(0.5, "slow")
        return ()

    monkeypatch.setattr(mesh, "build_surfaces", slow)
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    desk.qtbot.waitUntil(lambda: desk.window.surfaces.runner.busy)
    desk.idle()
    assert desk.window.panel.segment_button.isEnabled()
    assert not desk.window.job_bar.isVisible()
    assert desk.window.close()
    assert renderer.closed
    assert not desk.window.surfaces.runner.busy
    assert desk.dialogs.questions == []


def test_a_build_that_fails_says_so_in_the_pane_alone(
    desk: Desk, files: Path, renderer: FakeRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mesh, "build_surfaces", lambda *_: 1 / 0)
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    desk.qtbot.waitUntil(lambda: "ZeroDivisionError" in desk.window.surface.text())
    desk.idle()
    assert desk.dialogs.problems == []


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_click_on_a_lesion_brings_all_views_there_and_chooses_its_row(
    desk: Desk, files: Path, renderer: FakeRenderer, number: int
) -> None:
    shown(desk, files)
    lesion = desk.window.study.measurements.lesions[number - 1]
    assert clicked(desk, number)
    i, j, k = desk.window.view_state.crosshair_ijk
    x, y, _ = desk.window.study.volume.affine.to_mm((i, j, k))
    assert (x, y) == pytest.approx(lesion.centroid_mm[:2], abs=2)
    assert k == lesion.slice_k
    assert desk.window.panel._table.currentRow() == number - 1
    desk.qtbot.waitUntil(lambda: renderer.scene.chosen == number)
    assert desk.window.view_state.active is Pane.SURFACE


def test_a_click_beside_all_lesions_moves_nothing(
    desk: Desk, files: Path, renderer: FakeRenderer
) -> None:
    shown(desk, files)
    before = desk.window.view_state.crosshair_ijk
    drawing = desk.window.surface.drawing
    desk.qtbot.mouseClick(drawing, Qt.MouseButton.LeftButton, pos=QPoint(3, 3))
    assert desk.window.view_state.crosshair_ijk == before


def test_a_row_of_the_table_makes_its_lesion_stand_out(
    desk: Desk, files: Path, renderer: FakeRenderer
) -> None:
    shown(desk, files)
    desk.window.panel._table.setCurrentCell(1, 0)
    desk.qtbot.waitUntil(lambda: renderer.scene.chosen == 2)


def test_hidden_lesions_cannot_be_hit(desk: Desk, files: Path, renderer: FakeRenderer) -> None:
    shown(desk, files)
    at = QPointF(middle_on_screen(desk, 1))
    assert desk.window.surface.drawing.lesion_at(at) > 0
    hidden = replace(DEFAULT_STYLES[TUMOR], visible=False)
    desk.window.view_state.styles = {**DEFAULT_STYLES, TUMOR: hidden}
    assert desk.window.surface.drawing.lesion_at(at) == 0


def test_clipping_cuts_the_readers_side_away_and_follows_the_crosshair(
    desk: Desk, files: Path, renderer: FakeRenderer
) -> None:
    shown(desk, files)
    state, volume = desk.window.view_state, desk.window.study.volume
    desk.window.surface.clips[Plane.CORONAL].click()
    (plane,) = desk.window.surface.drawing.scene.clip
    i, j, k = state.crosshair_ijk
    front, back = volume.affine.to_mm([(i, j + 5, k), (i, j - 5, k)])
    assert plane @ [*front, 1] > 0 > plane @ [*back, 1]
    desk.window.views[Plane.CORONAL].step(8)
    (plane,) = desk.window.surface.drawing.scene.clip
    assert plane @ [*front, 1] < 0
    desk.window.surface.clips[Plane.CORONAL].click()
    assert desk.window.surface.drawing.scene.clip is None


def test_from_behind_the_back_is_cut_away(desk: Desk, files: Path, renderer: FakeRenderer) -> None:
    shown(desk, files)
    desk.window.surface.drawing.camera.spin(180, 0)
    desk.window.surface.clips[Plane.CORONAL].click()
    (plane,) = desk.window.surface.drawing.scene.clip
    i, j, k = desk.window.view_state.crosshair_ijk
    assert plane @ [*desk.window.study.volume.affine.to_mm((i, j - 5, k)), 1] > 0


def test_a_lesion_that_is_cut_away_cannot_be_hit(
    desk: Desk, files: Path, renderer: FakeRenderer
) -> None:
    shown(desk, files)
    window = desk.window
    window.view_state.move_crosshair((64, 0, 24), window.study.volume.shape)
    at = QPointF(middle_on_screen(desk, 1))
    window.surface.clips[Plane.CORONAL].click()
    assert window.surface.drawing.lesion_at(at) == 0


def test_the_frames_go_with_the_crosshair(desk: Desk, files: Path, renderer: FakeRenderer) -> None:
    shown(desk, files)
    assert len(desk.window.surface.drawing.scene.frames) == 3
    desk.trigger("crosshair")
    assert len(desk.window.surface.drawing.scene.frames) == 0


def test_a_drag_spins_reset_looks_from_the_front_again(
    desk: Desk, files: Path, renderer: FakeRenderer
) -> None:
    shown(desk, files)
    drawing = desk.window.surface.drawing
    before = desk.window.view_state.crosshair_ijk
    start = middle_on_screen(desk, 1)
    desk.qtbot.mousePress(drawing, Qt.MouseButton.LeftButton, pos=start)
    desk.qtbot.mouseMove(drawing, start + QPoint(40, 0))
    desk.qtbot.mouseRelease(drawing, Qt.MouseButton.LeftButton, pos=start + QPoint(40, 0))
    assert drawing.camera.azimuth != 0
    assert desk.window.view_state.crosshair_ijk == before
    desk.trigger("reset")
    assert drawing.camera.azimuth == 0


def test_arrow_keys_spin_and_a_double_click_maximizes(
    desk: Desk, files: Path, renderer: FakeRenderer
) -> None:
    shown(desk, files)
    pane = desk.window.surface
    desk.qtbot.keyClick(pane, Qt.Key.Key_Left)
    assert pane.drawing.camera.azimuth == 350
    desk.qtbot.mouseDClick(pane.drawing, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    assert desk.window.panes.shown == (Pane.SURFACE,)


def test_the_mouse_is_told_the_number_and_volume_of_a_lesion(
    desk: Desk, files: Path, renderer: FakeRenderer
) -> None:
    shown(desk, files)
    volume_ml = desk.window.study.measurements.lesions[0].volume_ml
    assert desk.window.surface.drawing.tips[1] == f"Lesion 1, {volume_ml:.1f} ml"


_DRAW = """
import sys
import numpy as np
from PySide6.QtWidgets import QApplication
from liverseg_gui.core.display import DEFAULT_STYLES
from liverseg_gui.core.phantom import PhantomSpec, make_phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.surface.mesh import build_surfaces
from liverseg_gui.ui.viewer.surface3d.camera import Camera
from liverseg_gui.ui.viewer.surface3d.renderer import NoOpenGLError, SurfaceRenderer
from liverseg_gui.ui.viewer.surface3d.scene import Scene

app = QApplication([])
try:
    renderer = SurfaceRenderer()
except NoOpenGLError as error:
    print("none", error)
    sys.exit()
phantom = make_phantom(PhantomSpec(1, (96, 96, 36), (4.0, 4.0, 6.0), (40.0,)))
surfaces = build_surfaces(phantom.truth, Progress())
renderer.upload(surfaces)
camera = Camera()
liver, lesion = surfaces
camera.fit(liver.vertices_mm.min(0), liver.vertices_mm.max(0))
((x, y),) = camera.project([lesion.vertices_mm.mean(0)], (300, 240))
clip = np.array([[0.0, 0.0, 0.0, 1.0]])
for scene in (Scene(DEFAULT_STYLES), Scene(DEFAULT_STYLES, clip=clip)):
    image = renderer.render(camera, (300, 240), scene)
    print(*image.pixelColor(round(x), round(y)).getRgb(), *image.pixelColor(2, 2).getRgb())
renderer.close()
"""


def test_a_lesion_is_drawn_in_its_color_where_the_camera_says_it_is() -> None:
    if shutil.which("xvfb-run") is None:
        pytest.skip("no xvfb-run to draw with OpenGL in")
    display = ["xvfb-run", "-a", "-s", "-screen 0 640x480x24 +extension GLX"]
    command = ["env", "QT_QPA_PLATFORM=xcb", sys.executable, "-c", _DRAW]
    done = subprocess.run([*display, *command], capture_output=True, text=True)
    lines = done.stdout.splitlines()
    if not lines or lines[0].startswith("none"):
        pytest.skip(f"no OpenGL here: {done.stdout or done.stderr[-300:]}")
    drawn, cut = ([int(n) for n in line.split()] for line in lines[-2:])
    red, green, blue, alpha, *corner = drawn
    assert red > 100 > blue
    assert red >= 0.95 * green  # the liver in front of it tints it a little
    assert alpha == 255
    assert corner == [0, 0, 0, 255]
    assert cut[:3] == [0, 0, 0]


def test_opengl_is_not_loaded_before_there_is_a_surface(qtbot: QtBot) -> None:
    code = (
        "import sys; from PySide6.QtWidgets import QApplication; app = QApplication([]);"
        "from liverseg_gui.segmentation.segmenter_process import ProcessSegmenter;"
        "from liverseg_gui.ui.main_window.window import MainWindow;"
        "window = MainWindow(ProcessSegmenter()); window.show(); app.processEvents();"
        "renderer = 'liverseg_gui.ui.viewer.surface3d.renderer';"
        "print(renderer in sys.modules, 'OpenGL' in sys.modules);"
        "window.close()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False False"
