"""What is told about an error to those who make the program: a text without patients and paths.

The program sends nothing. Who wants to report an error reads this text and passes it on.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform

from PySide6.QtCore import qVersion

from liverseg_gui import __version__
from liverseg_gui.segmentation.runtime.choice_cache import known_gpus
from liverseg_gui.system.logging_setup import LOG_NAME
from liverseg_gui.system.paths import log_folder
from liverseg_gui.system.privacy import scrub
from liverseg_gui.system.relaunch import is_packaged

_HEAD = "Error report of LiverSeg. Nothing was sent: read it, and pass it on if you want to."
_LIBRARIES = ("PySide6-Essentials", "torch", "numpy", "SimpleITK")
_LINES, _BYTES = 80, 65_536


def error_report(message: str, details: str) -> str:
    """The report about an error that `message` tells in a line and `details` as a traceback."""
    parts = (
        _HEAD,
        "\n".join(_surroundings()),
        f"What happened:\n{message}\n\n{details.strip()}",
        f"The last lines of the log:\n{_end_of_log()}",
    )
    return scrub("\n\n".join(parts)) + "\n"


def _surroundings() -> list[str]:
    """The program, the system and the libraries in words."""
    kind = "packaged" if is_packaged() else "from source"
    return [
        f"LiverSeg {__version__}, {kind}",
        f"System: {platform.platform()}, {os.cpu_count()} processors",
        f"Python {platform.python_version()}, Qt {qVersion()}",
        ", ".join(f"{name} {_version(name)}" for name in _LIBRARIES),
        f"GPU: {', '.join(known_gpus()) or 'none used so far'}",
    ]


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _end_of_log() -> str:
    """The last lines of the log, which were scrubbed when they were written."""
    try:
        with (log_folder() / LOG_NAME).open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - _BYTES, 0))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return "There is no log."
    return "\n".join(lines[-_LINES:])
