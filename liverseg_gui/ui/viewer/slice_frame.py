"""Slice and geometry that a plane shows, for the layers drawn over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QRectF

from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.planes import Plane
from liverseg_gui.core.volume import Volume

Z_IMAGE, Z_FILL, Z_CONTOUR, Z_CROSSHAIR, Z_ANNOTATIONS = 0, 1, 2, 3, 4


@dataclass(frozen=True)
class SliceFrame:
    """Slice `index` of `plane`; `extent` is the slice in mm of the plane, `pixel_mm` a pixel."""

    volume: Volume
    mask: LabelMap | None
    plane: Plane
    index: int
    extent: QRectF
    pixel_mm: tuple[float, float]


class Layer(Protocol):
    """Something drawn over the slice: it adds its items to the view's box once, when made."""

    def redraw(self, frame: SliceFrame | None) -> None:
        """Draw what belongs on `frame`; nothing where a preview or no scan is shown."""
