"""Every plane shows each voxel where a radiologist expects it, however the file is stored.

What should be at a pixel is found independently of the program's own cutting of planes: from the
screen to patient mm by the radiological conventions, and from there to the stored array through
the inverse of the stored affine.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.planes import Plane
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.core.window_level import Window
from liverseg_gui.state.settings import Settings
from liverseg_gui.state.view import Pane
from liverseg_gui.ui.main_window.window import MainWindow
from tests.ui.conftest import Desk

SHAPE, SPACING = (22, 18, 14), (2.0, 3.0, 5.0)
"""Voxels and mm to the right, to the front and to the head."""

ORDERS = [
    (order, flips)
    for order in itertools.permutations(range(3))
    for flips in itertools.product((False, True), repeat=3)
]
AXES = {Plane.AXIAL: (0, 1, 2), Plane.CORONAL: (0, 2, 1), Plane.SAGITTAL: (1, 2, 0)}
"""Patient axes (right, front, head) that run to the left, to the top, and through each plane."""


def stored_as(order: tuple[int, ...], flips: tuple[bool, ...]) -> tuple[np.ndarray, np.ndarray]:
    """A scan stored in one of the 48 ways: array and affine. A bright ball lies in the right upper
    front; every other voxel has a value of its own.
    """
    at = np.indices(SHAPE).reshape(3, -1).T
    hu = (at @ [1, 29, 211] % 397 - 200).astype(np.int16).reshape(SHAPE)
    away = (at - [17, 14, 11]) * SPACING
    hu.reshape(-1)[np.linalg.norm(away, axis=1) < 7] = 900
    affine = np.diag([*SPACING, 1.0])
    affine[:3, 3] = (-20.0, 7.0, 100.0)
    stored, turn = hu.transpose(order), np.zeros((4, 4))
    turn[3, 3] = 1
    for axis, (source, flip) in enumerate(zip(order, flips, strict=True)):
        turn[source, axis] = -1 if flip else 1
        turn[source, 3] = SHAPE[source] - 1 if flip else 0
        stored = np.flip(stored, axis) if flip else stored
    return np.ascontiguousarray(stored), affine @ turn


def volume_of(stored: np.ndarray, affine: np.ndarray) -> Volume:
    grid = StoredGrid(stored.shape, Affine(affine))
    return Volume(np.asfortranarray(grid.to_ras(stored)), grid, Origin(Path("x")))


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory, qapp) -> MainWindow:
    class NoSegmenter:
        def segment(self, volume, progress): ...

    window = MainWindow(NoSegmenter(), settings=Settings(tmp_path_factory.mktemp("s") / "s.json"))
    window.show()
    window.view_state.crosshair_visible = False
    yield window
    window.close()


def snapshot(window: MainWindow, plane: Plane) -> QImage:
    view = window.views[plane]
    for label in (*view.labels._labels.values(), view.labels.scale):
        label.hide()
    return view.canvas.grab().toImage()


def patient_mm(window: MainWindow, plane: Plane, pixel: tuple[float, float]) -> np.ndarray:
    """Where a pixel of a plane lies in the patient, by the conventions alone."""
    left, up, through = AXES[plane]
    point = window.views[plane].box.mapToView(QPointF(*pixel))
    lowest = np.array((-20.0, 7.0, 100.0))
    highest = lowest + (np.array(SHAPE) - 1) * SPACING
    mm = np.zeros(3)
    mm[left] = highest[left] + SPACING[left] / 2 - point.x()
    mm[up] = highest[up] + SPACING[up] / 2 - point.y()
    mm[through] = lowest[through] + window.views[plane].index * SPACING[through]
    return mm


@pytest.mark.parametrize(("order", "flips"), ORDERS)
def test_every_pixel_of_every_plane_shows_the_voxel_that_lies_there(
    window: MainWindow, qtbot: QtBot, order: tuple[int, ...], flips: tuple[bool, ...]
) -> None:
    stored, affine = stored_as(order, flips)
    rng = np.random.default_rng(ORDERS.index((order, flips)))
    window.study.open(volume_of(stored, affine))
    window.view_state.window = Window(400, 0)
    window.view_state.move_crosshair(tuple(int(n) for n in rng.integers(2, 12, 3)), SHAPE)
    qtbot.waitUntil(lambda: not any(v._redraw.isActive() for v in window.views.values()))
    inverse = np.linalg.inv(affine)
    for plane in Plane:
        image = snapshot(window, plane)
        checked = 0
        for pixel in rng.integers((0, 0), (image.width(), image.height()), (300, 2)):
            mm = patient_mm(window, plane, (pixel[0] + 0.5, pixel[1] + 0.5))
            voxel = inverse[:3, :3] @ mm + inverse[:3, 3]
            nearest = np.rint(voxel).astype(int)
            if (np.abs(voxel - nearest) > 0.4).any():  # too near to the border of two voxels
                continue
            if (nearest < 0).any() or (nearest >= stored.shape).any():
                assert image.pixelColor(*pixel).red() == 0
                continue
            expected = np.clip((stored[tuple(nearest)] + 200) / 400 * 255, 0, 255)
            assert abs(image.pixelColor(*pixel).red() - expected) <= 2
            checked += 1
        assert checked > 25


@pytest.mark.parametrize(("order", "flips"), ORDERS)
def test_a_marker_in_the_right_upper_front_is_seen_at_the_upper_left_of_every_plane(
    window: MainWindow, qtbot: QtBot, order: tuple[int, ...], flips: tuple[bool, ...]
) -> None:
    window.study.open(volume_of(*stored_as(order, flips)))
    window.view_state.move_crosshair((17, 14, 11), SHAPE)
    qtbot.waitUntil(lambda: not any(v._redraw.isActive() for v in window.views.values()))
    window.view_state.window = Window(100, 700)
    try:
        for plane in Plane:
            window.views[plane].redraw()
            image = snapshot(window, plane).convertToFormat(QImage.Format.Format_Grayscale8)
            rows, columns, stride = image.height(), image.width(), image.bytesPerLine()
            grey = np.frombuffer(image.constBits(), np.uint8).reshape(rows, stride)[:, :columns]
            row, column = np.argwhere(grey > 200).mean(axis=0)
            assert row < 0.45 * rows
            assert column < 0.45 * columns
            letters = "".join(window.views[plane].labels[s].text() for s in ("left", "top"))
            assert letters == {"AXIAL": "RA", "CORONAL": "RS", "SAGITTAL": "AS"}[plane.name]
    finally:
        window.view_state.window = Window(400, 0)


def test_the_hu_under_the_cursor_is_the_arrays_at_a_thousand_points(
    desk: Desk, files: Path, phantom
) -> None:
    desk.open(files / "scan.nii.gz")
    window, volume = desk.window, phantom.volume
    rng = np.random.default_rng(1)
    inverse = np.linalg.inv(volume.affine.matrix)
    seen = 0
    while seen < 1000:
        plane = list(Plane)[rng.integers(3)]
        view = window.views[plane]
        window.view_state.move_crosshair(tuple(rng.integers(0, volume.shape)), volume.shape)
        view.redraw()
        view.fit()
        view.box.zoom_by(float(rng.uniform(0.7, 9)))
        view.box.translateBy(*rng.uniform(-60, 60, 2))
        for x, y in rng.uniform(0, 1, (20, 2)):
            pixel = QPointF(x * view.box.width(), y * view.box.height())
            point = view.box.mapToView(pixel)
            view.box.hovered.emit(point)
            text = window.status.cursor.text()
            if not text:
                assert not view.extent().contains(point)
                continue
            hu, i, j, k, *mm = (float(n) for n in re.findall(r"-?\d+\.?\d*", text))
            assert volume.hu[int(i), int(j), int(k)] == hu
            voxel = inverse[:3, :3] @ np.array(mm) + inverse[:3, 3]
            np.testing.assert_allclose(voxel, (i, j, k), atol=0.05)
            left, up, _ = AXES[plane]
            size, spacing = np.array(volume.shape), np.array(volume.affine.spacing_mm)
            there = size - 0.5 - np.array([i, j, k])
            assert abs(there[left] * spacing[left] - point.x()) <= spacing[left] / 2 + 1e-6
            assert abs(there[up] * spacing[up] - point.y()) <= spacing[up] / 2 + 1e-6
            assert view.pane in (window.view_state.active, Pane.AXIAL)
            seen += 1
