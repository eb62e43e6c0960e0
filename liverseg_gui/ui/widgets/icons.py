"""Icons drawn in the color of the theme, sharp at every scale of the screen."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPalette, QPixmap, QPixmapCache
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from liverseg_gui.system import paths

_COLOR = "currentColor"


def icon(name: str) -> QIcon:
    """The icon `name` of the resources; a theme that changes later changes it too."""
    return QIcon(_ThemedSvg(name))


class _ThemedSvg(QIconEngine):
    """Renders when it is painted: in the text color of now, at the pixels of that screen."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Draw into `rect` of whatever `painter` paints on."""
        _renderer(self._name, _color(mode)).render(painter, QRectF(rect))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """The icon at `size`, in pixels of the screen."""
        return _pixmap(self._name, _color(mode), size.width(), size.height())

    def clone(self) -> QIconEngine:
        """One like it, for a copied icon that is changed."""
        return _ThemedSvg(self._name)


def _color(mode: QIcon.Mode) -> str:
    disabled = mode is QIcon.Mode.Disabled
    group = QPalette.ColorGroup.Disabled if disabled else QPalette.ColorGroup.Active
    return QApplication.palette().color(group, QPalette.ColorRole.ButtonText).name()


def _renderer(name: str, color: str) -> QSvgRenderer:
    return QSvgRenderer(QByteArray(_drawing(name).replace(_COLOR, color).encode()))


@lru_cache(maxsize=64)
def _drawing(name: str) -> str:
    return paths.resource(f"icons/{name}.svg").read_text("utf-8")


def _pixmap(name: str, color: str, width_px: int, height_px: int) -> QPixmap:
    """From Qt's own cache, which goes when the program does."""
    key = f"liverseg {name} {color} {width_px} {height_px}"
    pixmap = QPixmap()
    if QPixmapCache.find(key, pixmap):
        return pixmap
    pixmap = QPixmap(width_px, height_px)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    _renderer(name, color).render(painter, QRectF(0, 0, width_px, height_px))
    painter.end()
    QPixmapCache.insert(key, pixmap)
    return pixmap
