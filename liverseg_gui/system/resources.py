"""The one place that knows where models, icons and documents lie, from source and installed."""

from __future__ import annotations

from pathlib import Path

DEFAULT_MODEL = "default"
"""The model that comes with the program and is used until another one is chosen."""
_ROOT = Path(__file__).parent.parent.parent
_INSTALLED = Path(__file__).parent.parent / "_resources"
_CHECKOUT = _ROOT / "resources"
_BUILT_DOCS = _ROOT / "build" / "docs"


def path(name: str) -> Path:
    """The path of the resource `name`, e.g. "models" or "icons/open.svg"."""
    root = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
    return root / name


def page(name: str) -> Path | None:
    """The page of the documents called `name`, e.g. "user-guide"; None where they are not built."""
    folder = path("docs") if _INSTALLED.is_dir() else _BUILT_DOCS
    file = folder / f"{name}.html"
    return file if file.is_file() else None
