"""The one place that knows where models and icons lie, in the checkout and when installed."""

from __future__ import annotations

from pathlib import Path

DEFAULT_MODEL = "default"
"""The model that comes with the program and is used until another one is chosen."""
_INSTALLED = Path(__file__).parent.parent / "_resources"
_CHECKOUT = Path(__file__).parent.parent.parent / "resources"


def path(name: str) -> Path:
    """The path of the resource `name`, e.g. "models" or "icons/open.svg"."""
    root = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
    return root / name
