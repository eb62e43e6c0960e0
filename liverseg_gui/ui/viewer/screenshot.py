"""Pictures of a pane or of the whole layout, as they are seen, for the clipboard and as PNG."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QWidget

from liverseg_gui.core.errors import SaveError
from liverseg_gui.state.view import Pane, ViewState
from liverseg_gui.system.atomic_write import atomic_write
from liverseg_gui.ui.viewer.panes import PaneGrid
from liverseg_gui.ui.viewer.slice_view import SliceView
from liverseg_gui.ui.viewer.surface3d.view import SurfaceView
from liverseg_gui.ui.widgets.theme import PANE_TEXT

_FOOT_PX = 18


@dataclass(frozen=True)
class ScreenshotOptions:
    """`layout`: all panes instead of the active one. Without `annotations` only the scan, its
    overlay and the orientation letters are left: sides must never be lost. `scale` is pixels of
    the picture for one of the screen.
    """

    layout: bool = False
    annotations: bool = True
    patient: bool = False
    scale: int = 2


def screenshot(panes: PaneGrid, view: ViewState, options: ScreenshotOptions, notice: str) -> QImage:
    """The active pane, or the layout, with `notice` below it."""
    shown = panes.shown if options.layout else (view.active,)
    with _dressed(panes, view, options):
        parts = [(_pane_image(panes.panes[pane], options.scale), pane) for pane in shown]
        places = [_place(panes, pane) for pane in shown]
    size = QSize(0, 0)
    corner = places[0] if len(parts) == 1 else QPoint(0, 0)
    for (image, _), place in zip(parts, places, strict=True):
        end = place - corner
        logical = image.size() / options.scale
        size = size.expandedTo(QSize(end.x() + logical.width(), end.y() + logical.height()))
    sheet = _sheet(size, options.scale)
    painter = QPainter(sheet)
    for (image, _), place in zip(parts, places, strict=True):
        painter.drawImage(place - corner, image)
    painter.setPen(QColor(PANE_TEXT))
    painter.drawText(6, size.height() + _FOOT_PX - 5, notice)
    painter.end()
    return sheet


def save_screenshot(image: QImage, path: Path) -> None:
    """Write `image` as PNG, beside `path` first and then renamed over it.

    Raises:
        SaveError: it cannot be written.
    """
    with atomic_write(path, ending=".png") as beside:
        if not image.save(str(beside)):
            raise SaveError(
                f"{path} could not be written: the disk is full, or the folder cannot be written. "
                "Choose another folder or free some space."
            )


def _sheet(size: QSize, scale: int) -> QImage:
    sheet = QImage(
        size.width() * scale, (size.height() + _FOOT_PX) * scale, QImage.Format.Format_RGB32
    )
    sheet.setDevicePixelRatio(scale)
    sheet.fill(Qt.GlobalColor.black)
    return sheet


def _canvas(widget: QWidget) -> QWidget:
    """What of a pane belongs into a picture: not its slider or buttons."""
    return widget.canvas if isinstance(widget, SliceView | SurfaceView) else widget


def _place(panes: PaneGrid, pane: Pane) -> QPoint:
    return _canvas(panes.panes[pane]).mapTo(panes, QPoint(0, 0))


def _pane_image(widget: QWidget, scale: int) -> QImage:
    canvas = _canvas(widget)
    image = QImage(canvas.size() * scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    image.fill(Qt.GlobalColor.black)
    QWidget.render(canvas, image)  # a graphics view's own render draws its scene alone
    return image


@contextmanager
def _dressed(panes: PaneGrid, view: ViewState, options: ScreenshotOptions) -> Iterator[None]:
    """The panes with and without what `options` says, for as long as it takes to draw them."""
    before = view.crosshair_visible, view.annotations_visible
    surfaces = panes.surface.drawing
    try:
        if not options.annotations:
            view.crosshair_visible = view.annotations_visible = False
        for each in panes.views.values():
            each.labels.dress(options.annotations, options.patient and options.annotations)
            each.redraw()
        surfaces.draw_now(options.scale)
        yield
    finally:
        view.crosshair_visible, view.annotations_visible = before
        for each in panes.views.values():
            each.labels.dress(True, True)
            each.redraw()
        surfaces.redraw()
