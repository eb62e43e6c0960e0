"""How large the training room is and where, kept from one time to the next."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSettings, QSize
from PySide6.QtWidgets import QDialog

from liverseg_gui.system.paths import config_folder

SIZE = QSize(1240, 820)
_GEOMETRY = "training room"


def restore_geometry(room: QDialog) -> None:
    """As it was, or as large as the screen allows."""
    room.resize(SIZE.boundedTo(room.screen().availableSize() * 0.95))
    geometry = _stored().value(_GEOMETRY)
    if isinstance(geometry, QByteArray):
        room.restoreGeometry(geometry)


def keep_geometry(room: QDialog) -> None:
    """Remember it."""
    stored = _stored()
    stored.setValue(_GEOMETRY, room.saveGeometry())
    stored.sync()


def _stored() -> QSettings:
    return QSettings(str(config_folder() / "window.ini"), QSettings.Format.IniFormat)
