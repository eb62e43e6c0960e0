"""What of masks is drawn, read from the pixels of the screen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QColorDialog
from scipy import ndimage

from liverseg_gui.core.display import DEFAULT_STYLES, LABEL_COLORS, LabelStyle
from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.labels import LIVER, TUMOR, LabelMap
from liverseg_gui.core.planes import Plane
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.evaluation.mask_comparison import AGREE, COMPARED_COLORS, ONLY_A, ONLY_B, compare
from liverseg_gui.state.open_scan import MaskSource
from liverseg_gui.state.settings import Settings
from liverseg_gui.state.view import Layout, Pane
from liverseg_gui.ui.viewer import overlay_layer
from tests.ui.conftest import Desk

SHAPE, SPACING_MM = (40, 36, 30), (1.5, 1.0, 2.0)
MIDDLE = (20, 18, 15)
ZOOMS = (4.0, 9.3, 17.0)
GRID = StoredGrid(SHAPE, Affine.from_spacing(SPACING_MM))
Image = NDArray[np.int_]


def a_mask(shift: int = 0) -> LabelMap:
    """A ragged liver with a hole, a tumor, and voxels that touch by a corner."""
    labels = np.zeros(SHAPE, np.uint8)
    i, j, k = np.indices(SHAPE)
    ball = ((i - 20 - shift) / 13) ** 2 + ((j - 18) / 12) ** 2 + ((k - 15) / 9) ** 2
    labels[ball + 0.15 * np.sin(i + 2 * j + 3 * k) < 1] = LIVER
    labels[17:22, 15:20, 13:18] = TUMOR
    labels[24:26, 20:22, 15:17] = 0
    labels[26, 22, 15] = 0
    return LabelMap(labels, GRID)


@pytest.fixture
def scene(desk: Desk) -> Desk:
    """A black scan with `a_mask`, nothing else on the planes."""
    window = desk.window
    hu = np.full(SHAPE, -1000, np.int16)
    window.study.open(Volume(hu, GRID, Origin(Path("scan.nii"))))
    window.study.set_mask(a_mask(), MaskSource(Path("a.nii")))
    window.view_state.crosshair_visible = False
    window.view_state.overlay_opacity = 1.0
    window.view_state.crosshair_ijk = MIDDLE
    return desk


def seen(desk: Desk, plane: Plane) -> Image:
    """The colors of a plane on the screen, (rows, columns, 3), without the texts over it."""
    view = desk.window.views[plane]
    view.redraw()
    graphics = view._graphics
    image = QImage(graphics.viewport().size(), QImage.Format.Format_RGB32)
    painter = QPainter(image)
    graphics.render(painter, QRectF(image.rect()), graphics.viewport().rect())
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8)
    return pixels.reshape(image.height(), image.width(), 4)[..., 2::-1].astype(int)


def expected(
    desk: Desk, plane: Plane, labels: NDArray[np.uint8]
) -> tuple[Image, NDArray[np.bool_]]:
    """The label under every pixel of the screen, and which pixels lie clear of voxel borders."""
    view = desk.window.views[plane]
    width, height = view._graphics.viewport().width(), view._graphics.viewport().height()
    corners = [view.box.mapSceneToView(QPointF(x, y)) for x, y in ((0, 0), (width, height))]
    width_mm, height_mm = plane.pixel_mm(GRID.affine)
    columns, rows = (
        (low + (high - low) * (np.arange(size) + 0.5) / size) / mm
        for low, high, size, mm in (
            (corners[0].x(), corners[1].x(), width, width_mm),
            (corners[0].y(), corners[1].y(), height, height_mm),
        )
    )
    padded = np.pad(plane.cut(labels, MIDDLE[plane.normal]), 1)
    row, column = (
        np.clip(np.floor(at).astype(int) + 1, 0, size - 1)
        for at, size in zip((rows, columns), padded.shape, strict=True)
    )
    voxel_px = [abs(at[1] - at[0]) for at in (rows, columns)]
    clear = [
        np.abs(at - np.round(at)) > 0.75 * step
        for at, step in zip((rows, columns), voxel_px, strict=True)
    ]
    return padded[np.ix_(row, column)].astype(int), np.logical_and.outer(*clear)


def look(desk: Desk, plane: Plane, px_per_mm: float) -> None:
    """Show a plane alone, its middle in the middle."""
    view = desk.window.views[plane]
    desk.window.view_state.layout, desk.window.view_state.active = Layout.SINGLE, Pane[plane.name]
    column, row = plane.to_screen(MIDDLE, SHAPE)
    width_mm, height_mm = plane.pixel_mm(GRID.affine)
    view.box.look_at(QPointF(column * width_mm, row * height_mm), px_per_mm)


def borders(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels at either side of a border."""
    return (ndimage.maximum_filter(inside, 3) != inside) | (
        ndimage.minimum_filter(inside, 3) != inside
    )


def away(marked: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How many pixels every pixel is away from the nearest marked one."""
    return np.asarray(ndimage.distance_transform_edt(~marked))


@pytest.mark.parametrize("plane", Plane)
@pytest.mark.parametrize("zoom", ZOOMS)
def test_the_fill_covers_exactly_the_voxels_in_their_colors(
    scene: Desk, plane: Plane, zoom: float
) -> None:
    scene.window.view_state.contour = False
    look(scene, plane, zoom)
    picture = seen(scene, plane)
    labels, clear = expected(scene, plane, scene.window.study.mask.labels)
    colors = np.array([(0, 0, 0), LABEL_COLORS[LIVER], LABEL_COLORS[TUMOR]])
    assert set(np.unique(labels)) == {0, 1, 2}
    assert clear.mean() > 0.3
    assert np.abs(picture - colors[labels])[clear].max() <= 2


@pytest.mark.parametrize("plane", Plane)
@pytest.mark.parametrize("zoom", ZOOMS)
@pytest.mark.parametrize("exact", [True, False])
def test_contours_lie_where_the_voxel_borders_are(
    scene: Desk, plane: Plane, zoom: float, exact: bool
) -> None:
    state = scene.window.view_state
    state.fill, state.contour_px, state.voxel_edges = False, 1.0, exact
    look(scene, plane, zoom)
    for label in (LIVER, TUMOR):
        state.styles = {n: LabelStyle((255, 255, 255), visible=n == label) for n in (LIVER, TUMOR)}
        drawn = seen(scene, plane).max(axis=2) > 60
        labels, _ = expected(scene, plane, scene.window.study.mask.labels)
        border = borders(labels >= label)
        voxel_px = zoom * max(plane.pixel_mm(GRID.affine))
        assert away(border)[drawn].max() <= 1 + (0 if exact else 0.25 * voxel_px)
        assert away(drawn)[border].max() <= 1 + (0.5 if exact else 0.36 * voxel_px)


def test_a_contour_is_as_thick_as_set_at_every_zoom_and_its_edges_are_smooth(scene: Desk) -> None:
    state = scene.window.view_state
    labels = np.zeros(SHAPE, np.uint8)
    labels[10:30, 10:30] = LIVER
    scene.window.study.set_mask(LabelMap(labels, GRID), MaskSource(Path("b.nii")))
    state.fill = False
    state.styles = {n: LabelStyle((255, 255, 255)) for n in (LIVER, TUMOR)}
    for width in (1.0, 2.5, 4.0):
        state.contour_px = width
        for zoom in ZOOMS:
            look(scene, Plane.AXIAL, zoom)
            picture = seen(scene, Plane.AXIAL)[..., 0]
            row = picture[picture.shape[0] // 2]
            sides = row[: len(row) // 2].sum() / 255, row[len(row) // 2 :].sum() / 255
            for side in sides:
                if side:
                    assert side == pytest.approx(width, abs=0.15)
    scene.window.study.set_mask(a_mask(), MaskSource(Path("b.nii")))
    assert len(np.unique(seen(scene, Plane.AXIAL)[..., 0])) > 20


def test_zooming_in_makes_contours_smoother_and_needs_no_other_change(scene: Desk) -> None:
    outline = scene.window.overlays[Plane.AXIAL].outlines[0]
    view = scene.window.views[Plane.AXIAL]
    counts = []
    for px_per_mm in (1.2, 4.0, 24.0):
        look(scene, Plane.AXIAL, px_per_mm)
        scene.qtbot.waitUntil(lambda: not view._redraw.isActive())
        counts.append(outline.path.elementCount())
    assert counts == sorted(set(counts))


def test_opacity_visibility_and_color_of_a_label_are_what_is_set(scene: Desk) -> None:
    state, plane = scene.window.view_state, Plane.AXIAL
    state.contour = False
    state.overlay_opacity = 0.5
    state.styles = {LIVER: LabelStyle((200, 100, 40), 0.5), TUMOR: LabelStyle((9, 9, 9), 1, False)}
    look(scene, plane, 9.3)
    picture = seen(scene, plane)
    labels, clear = expected(scene, plane, scene.window.study.mask.labels)
    assert np.abs(picture[clear & (labels == LIVER)] - (50, 25, 10)).max() <= 2
    assert picture[clear & (labels == TUMOR)].max() == 0
    state.overlay_visible = False
    assert seen(scene, plane).max() == 0


def test_contours_fade_with_low_opacity_and_vanish_with_none(scene: Desk) -> None:
    state = scene.window.view_state
    state.fill, state.contour_px = False, 3.0
    brightest = []
    for opacity in (1.0, 0.4, 0.2, 0.0):
        state.overlay_opacity = opacity
        brightest.append(seen(scene, Plane.AXIAL).max())
    assert brightest[0] == brightest[1] == 230
    assert brightest[2] == pytest.approx(115, abs=2)
    assert brightest[3] == 0


def test_a_slice_step_works_out_the_contours_of_its_own_plane_alone_and_once(
    scene: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for plane in Plane:
        seen(scene, plane)
    made: list[tuple[int, ...]] = []
    real = overlay_layer.smooth_contours

    def counted(labels: NDArray[np.uint8], *words: int) -> object:
        made.append(labels.shape)
        return real(labels, *words)

    monkeypatch.setattr(overlay_layer, "smooth_contours", counted)
    for key in ("next_slice", "previous_slice", "next_slice"):
        scene.trigger(key)
        for plane in Plane:
            seen(scene, plane)
    assert made == [(36, 40)] * 2
    scene.window.view_state.window = scene.window.view_state.window.clamped()
    scene.trigger("invert")
    for plane in Plane:
        seen(scene, plane)
    assert len(made) == 2


@pytest.mark.parametrize("label", [None, LIVER, TUMOR])
@pytest.mark.parametrize("plane", Plane)
def test_compared_masks_are_colored_by_agreement(
    scene: Desk, plane: Plane, label: int | None
) -> None:
    state, study = scene.window.view_state, scene.window.study
    other = a_mask(shift=4)
    study.set_compared(other, "other")
    scene.idle()
    state.contour, state.compared_label = False, label
    assert state.comparing
    look(scene, plane, 9.3)
    picture = seen(scene, plane)
    where = compare(study.mask.labels, other.labels, label)
    shown, clear = expected(scene, plane, where)
    colors = np.array([(0, 0, 0), *(COMPARED_COLORS[n] for n in (AGREE, ONLY_A, ONLY_B))])
    assert np.abs(picture - colors[shown])[clear].max() <= 2
    state.comparing = False
    shown, clear = expected(scene, plane, study.mask.labels)
    colors = np.array([(0, 0, 0), LABEL_COLORS[LIVER], LABEL_COLORS[TUMOR]])
    assert np.abs(seen(scene, plane) - colors[shown])[clear].max() <= 2


def test_compared_masks_have_an_outline_each(scene: Desk) -> None:
    state, study = scene.window.view_state, scene.window.study
    study.set_compared(a_mask(shift=4), "other")
    scene.idle()
    state.fill, state.voxel_edges, state.contour_px = False, True, 2.0
    state.compared_label = LIVER
    look(scene, Plane.AXIAL, 9.3)
    picture = seen(scene, Plane.AXIAL)
    for whose, mask in ((ONLY_A, study.mask), (ONLY_B, study.compared)):
        labels, _ = expected(scene, Plane.AXIAL, mask.labels)
        near = np.abs(picture - COMPARED_COLORS[whose]).max(axis=2) < 12
        assert near.sum() > 100
        assert away(borders(labels >= LIVER))[near].max() <= 1.5


def test_the_panel_sets_how_masks_are_drawn(scene: Desk) -> None:
    panel, state = scene.window.overlay_panel, scene.window.view_state
    panel.visible.setChecked(False)
    panel.opacity.setValue(70)
    panel.mode.setCurrentText("Contour")
    panel.mode.activated.emit(panel.mode.currentIndex())
    panel.thickness.setValue(3.5)
    panel.exact.setChecked(True)
    panel.shown[TUMOR].setChecked(False)
    panel.opacities[LIVER].setValue(30)
    assert (state.overlay_visible, state.overlay_opacity) == (False, 0.7)
    assert (state.fill, state.contour, state.contour_px) == (False, True, 3.5)
    assert state.voxel_edges
    assert not state.styles[TUMOR].visible
    assert state.styles[LIVER] == LabelStyle(LABEL_COLORS[LIVER], 0.3)
    scene.trigger("overlay")
    scene.trigger("opacity_down")
    assert panel.visible.isChecked()
    assert panel.opacity.value() == 60


def test_a_color_is_chosen_and_the_defaults_come_back(
    scene: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel, state = scene.window.overlay_panel, scene.window.view_state
    asked: list[object] = []

    def answer(color: object, *words: object) -> object:
        asked.extend(words)
        return type(color)(1, 2, 3)

    monkeypatch.setattr(QColorDialog, "getColor", answer)
    panel.colors[TUMOR].click()
    assert state.styles[TUMOR].rgb == (1, 2, 3)
    assert QColorDialog.ColorDialogOption.DontUseNativeDialog in asked
    panel.defaults.click()
    assert state.styles == DEFAULT_STYLES


def test_how_masks_are_drawn_is_kept_for_the_next_start(scene: Desk) -> None:
    panel = scene.window.overlay_panel
    panel.thickness.setValue(2.5)
    panel.shown[LIVER].setChecked(False)
    panel.opacities[TUMOR].setValue(40)
    scene.qtbot.waitUntil(lambda: scene.settings.values.overlay.contour_px == 2.5)
    again = Desk(scene.qtbot, Settings(scene.settings._file))
    state = again.window.view_state
    assert state.contour_px == 2.5
    assert state.styles[TUMOR].opacity == 0.4
    assert state.styles[LIVER].visible
    again.window.close()


def test_closing_at_once_keeps_what_was_changed_last(scene: Desk) -> None:
    scene.window.overlay_panel.opacity.setValue(20)
    scene.window.close()
    assert Settings(scene.settings._file).values.overlay.opacity == 0.2
