"""Draw the program's icon for Windows and macOS: `python tools/icons.py` writes both files.

They are made from resources/icons/liverseg.svg and kept with the sources, so that a build needs
neither this nor a display. Run it again where the drawing changed.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QBuffer, QRectF
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

ROOT = Path(__file__).parents[1]
DRAWING = ROOT / "resources" / "icons" / "liverseg.svg"
ICO = ROOT / "package" / "windows" / "liverseg.ico"
ICNS = ROOT / "package" / "macos" / "liverseg.icns"
ICO_SIZES = (16, 20, 24, 32, 40, 48, 64, 128, 256)
ICNS_SIZES = (32, 64, 128, 256, 512, 1024)
_MACOS_MARGIN = 100 / 1024
"""The empty border that macOS leaves around an icon, of its width."""


def drawn(size: int, margin: float = 0.0) -> Image.Image:
    """The icon as RGBA, `size` pixels wide and high, with an empty border of `margin` widths."""
    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(0)
    painter = QPainter(image)
    border = margin * size
    place = QRectF(border, border, size - 2 * border, size - 2 * border)
    QSvgRenderer(str(DRAWING)).render(painter, place)
    painter.end()
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return Image.open(io.BytesIO(buffer.data().data())).convert("RGBA")


def write_ico(path: Path) -> None:
    """Write the icon for Windows: each size drawn for itself."""
    images = [drawn(size) for size in ICO_SIZES]
    sizes = [(size, size) for size in ICO_SIZES]
    images[-1].save(path, "ICO", sizes=sizes, append_images=images[:-1])


def write_icns(path: Path) -> None:
    """Write the icon for macOS: each size drawn for itself."""
    images = [drawn(size, _MACOS_MARGIN) for size in ICNS_SIZES]
    images[-1].save(path, "ICNS", append_images=images[:-1])


def main() -> None:
    """Write both files."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QGuiApplication([])
    write_ico(ICO)
    write_icns(ICNS)
    del app


if __name__ == "__main__":
    main()
