"""A hand that draws on the planes of a window with real mouse events."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QApplication

from liverseg_gui.core.annotations import Annotation
from liverseg_gui.core.planes import Plane
from tests.ui.conftest import Desk

Spot = tuple[float, float]
"""A place in a slice: voxels along the plane's across and down axes."""
_LEFT = Qt.MouseButton.LeftButton


class Hand:
    """Draws on the slice shown in `plane`."""

    def __init__(self, desk: Desk, plane: Plane = Plane.AXIAL) -> None:
        self.desk, self.plane = desk, plane
        self.view = desk.window.views[plane]
        self.layer = desk.window.annotations.layers[plane]

    @property
    def viewport(self):
        return self.view._graphics.viewport()

    def ijk(self, spot: Spot) -> np.ndarray:
        point = np.full(3, float(self.view.index))
        point[[self.plane.across, self.plane.down]] = spot
        return point

    def px(self, spot: Spot) -> QPoint:
        volume = self.desk.window.study.volume
        x, y = self.plane.points_to_screen(self.ijk(spot), volume.shape, volume.affine)
        return self.view.box.mapFromView(QPointF(x, y)).toPoint()

    def settle(self) -> None:
        """Wait until the plane is drawn as the state says."""
        self.desk.qtbot.waitUntil(lambda: not self.view._redraw.isActive())

    def drag(self, *spots: Spot, release: bool = True) -> None:
        self.settle()
        way = [self.px(spot) for spot in spots]
        self.desk.qtbot.mousePress(self.viewport, _LEFT, pos=way[0])
        for before, to in pairwise(way):
            for share in (0.3, 0.7, 1.0):
                step = QPointF(to - before) * share
                self.desk.qtbot.mouseMove(self.viewport, before + step.toPoint())
                QApplication.processEvents()
        if release:
            self.desk.qtbot.mouseRelease(self.viewport, _LEFT, pos=way[-1])
            QApplication.processEvents()

    def click(self, *spots: Spot) -> None:
        self.settle()
        for spot in spots:
            self.move(spot)
            self.desk.qtbot.mouseClick(self.viewport, _LEFT, pos=self.px(spot))
            QApplication.processEvents()

    def double_click(self, spot: Spot) -> None:
        self.click(spot)
        self.desk.qtbot.mouseDClick(self.viewport, _LEFT, pos=self.px(spot))
        self.desk.qtbot.mouseRelease(self.viewport, _LEFT, pos=self.px(spot))
        QApplication.processEvents()

    def move(self, spot: Spot) -> None:
        self.desk.qtbot.mouseMove(self.viewport, self.px(spot))
        QApplication.processEvents()

    def key(self, key: Qt.Key, *modifiers: Qt.KeyboardModifier) -> None:
        held = Qt.KeyboardModifier.NoModifier
        for each in modifiers:
            held |= each
        self.desk.qtbot.keyClick(self.desk.window, key, held)

    @property
    def drawing(self) -> bool:
        """Whether a reading is unfinished in this plane."""
        return self.desk.window.annotations.tools[self.plane].unfinished

    @property
    def annotations(self) -> Sequence[Annotation]:
        return list(self.desk.window.context.annotations.items.values())

    @property
    def last(self) -> Annotation:
        return self.annotations[-1]

    def voxel_px(self) -> float:
        """How far, in voxels, a pixel of the screen reaches here."""
        volume = self.desk.window.study.volume
        return 1.0 / (self.view.box.px_per_mm * min(self.plane.pixel_mm(volume.affine)))
