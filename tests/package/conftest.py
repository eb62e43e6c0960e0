"""What stands beside the program and is no part of it: the tools, and what the spec imports."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import PyInstaller.compat
import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "package")]


@pytest.fixture
def version_resources(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets PyInstaller's version resources be made elsewhere than on Windows: they import what
    reads those of other programs."""
    if sys.platform != "win32":
        monkeypatch.setitem(sys.modules, "pefile", ModuleType("pefile"))
        monkeypatch.setattr(PyInstaller.compat, "win32api", None, raising=False)
