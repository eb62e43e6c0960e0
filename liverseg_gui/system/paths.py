"""Paths of what is the program's own: settings, models that were added, caches and logs."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from pathlib import Path

import platformdirs

_NAME = "liverseg"
DEFAULT_MODEL = "default"
"""The model that comes with the program and is used until another one is chosen."""
HOST = hashlib.sha256(os.fsencode(socket.gethostname())).hexdigest()[:8]
"""Names this computer among those that share a folder, without telling its name."""
_ROOT = Path(__file__).parent.parent.parent
_INSTALLED = Path(__file__).parent.parent / "_resources"
_CHECKOUT = _ROOT / "resources"
_BUILT_DOCS = _ROOT / "build" / "docs"


def config_folder() -> Path:
    """Settings. `LIVERSEG_HOME` puts this and the others below one folder."""
    return _place("config", platformdirs.user_config_path)


def data_folder() -> Path:
    """What the reader added and cannot be computed again: models."""
    return _place("data", platformdirs.user_data_path)


def cache_folder() -> Path:
    """What can be computed again."""
    return _place("cache", platformdirs.user_cache_path)


def prepared_cases_folder() -> Path:
    """Training cases at the size that training reads them, kept between runs."""
    return cache_folder() / "cases"


def log_folder() -> Path:
    """Log files and crash reports."""
    return _place("log", platformdirs.user_log_path)


def site_folder() -> Path:
    """What an administrator keeps for all users of the computer. `LIVERSEG_SITE` names another one.

    On Linux it is always the same: an administrator's shell and the desktops of users differ in
    their XDG_DATA_DIRS.
    """
    named = os.environ.get("LIVERSEG_SITE")
    if named:
        return Path(named)
    if sys.platform != "linux":
        return platformdirs.site_data_path(_NAME, appauthor=False)
    return Path("/usr/local/share") / _NAME


def _place(kind: str, default: object) -> Path:
    home = os.environ.get("LIVERSEG_HOME")
    if home:
        return Path(home) / kind
    assert callable(default)
    return Path(default(_NAME, appauthor=False))


def resource(name: str) -> Path:
    """The path of the resource `name`, e.g. "models" or "icons/open.svg"."""
    root = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
    return root / name


def document_page(name: str) -> Path | None:
    """The page of the documents called `name`, e.g. "user-guide"; None where they are not built."""
    folder = resource("docs") if _INSTALLED.is_dir() else _BUILT_DOCS
    file = folder / f"{name}.html"
    return file if file.is_file() else None
