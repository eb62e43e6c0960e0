"""Files and folders opened in the system's own programs."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from liverseg_gui.system.relaunch import is_packaged

_QT_OF_PACKAGE = ("QT_PLUGIN_PATH", "QML2_IMPORT_PATH")
"""The packaged program finds its own Qt by them; other programs would load that too."""


def open_externally(path: Path) -> bool:
    """Open `path` in the program that the system has for it; false where there is none."""
    hidden = _QT_OF_PACKAGE if is_packaged() else ()
    kept = {name: os.environ.pop(name) for name in hidden if name in os.environ}
    try:
        return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
    finally:
        os.environ.update(kept)
