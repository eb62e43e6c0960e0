"""Small pictures of listed scans, made one after another in the background."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QImage, QPainter, QPixmap

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.progress import Progress
from liverseg_gui.ui.jobs.job_runner import JobRunner
from liverseg_gui.ui.widgets.theme import placeholder_color

SIZE_PX = 56
_FINEST = 2
"""Pictures are sharp on screens that are scaled as much."""
Picture = NDArray[np.uint8]


class Thumbnails(QObject):
    """Makes pictures in a worker of its own, so that neither the list nor a job waits for them."""

    made = Signal(int, object)

    def __init__(self) -> None:
        super().__init__()
        self._runner = JobRunner()
        self._stopped = False

    def make(self, number: int, picture: Callable[[], Picture | None]) -> None:
        """Queue the picture of row `number`; `made` brings it, unless there is none."""

        def work(_: Progress) -> Picture | None:
            try:
                return picture()
            except LiverSegError:
                return None  # the list does without; opening the scan says what is wrong

        def done(image: Picture | None) -> None:
            if image is not None and not self._stopped:
                self.made.emit(number, image)

        self._runner.submit("Thumbnail", work, done)

    @property
    def busy(self) -> bool:
        """Whether pictures are still being made."""
        return self._runner.busy

    def stop(self) -> None:
        """Make no more; does not wait for the one being made."""
        self._stopped = True
        self._runner.shutdown(timeout_s=0.0)


def thumbnail_icon(image: Picture) -> QIcon:
    """Grey (rows, columns) as a square icon, its aspect ratio kept on black."""
    grey = np.ascontiguousarray(image)
    rows, columns = grey.shape
    picture = QImage(grey.data, columns, rows, columns, QImage.Format.Format_Grayscale8)
    side = SIZE_PX * _FINEST
    scaled = QPixmap.fromImage(picture).scaled(
        side,
        side,
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
    square = QPixmap(side, side)
    square.fill(QColor("black"))
    painter = QPainter(square)
    painter.drawPixmap((side - scaled.width()) // 2, (side - scaled.height()) // 2, scaled)
    painter.end()
    square.setDevicePixelRatio(_FINEST)
    return _plain(square)


def empty_icon() -> QIcon:
    """The place of a picture that is not there yet, or never will be."""
    square = QPixmap(SIZE_PX, SIZE_PX)
    square.fill(placeholder_color())
    return _plain(square)


def _plain(pixmap: QPixmap) -> QIcon:
    """An icon that looks the same selected and disabled."""
    icon_ = QIcon()
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected, QIcon.Mode.Disabled):
        icon_.addPixmap(pixmap, mode)
    return icon_
