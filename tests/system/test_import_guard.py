from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from liverseg_gui.system import import_guard
from liverseg_gui.system.import_guard import RefusedImportError, without_networks


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library of networks that nobody has loaded, and one that is not there."""
    package = tmp_path / "networklib"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "part.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    names = frozenset({"networklib", "absentlib"})
    monkeypatch.setattr(import_guard, "NETWORK_LIBRARIES", names)
    for name in ("networklib", "networklib.part"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.usefixtures("installed")
def test_a_library_of_networks_is_seen_and_not_loaded() -> None:
    with without_networks():
        assert find_spec("networklib") is not None
        with pytest.raises(RefusedImportError, match=r"networklib .* process of its own"):
            import networklib  # type: ignore[import-not-found]
        with pytest.raises(ImportError):
            import networklib.part  # type: ignore[import-not-found]  # noqa: F401
    assert "networklib" not in sys.modules


@pytest.mark.usefixtures("installed")
def test_one_that_is_not_installed_is_missing_as_ever() -> None:
    with without_networks():
        assert find_spec("absentlib") is None
        with pytest.raises(ModuleNotFoundError):
            import absentlib  # type: ignore[import-not-found]  # noqa: F401


@pytest.mark.usefixtures("installed")
def test_afterwards_it_loads_as_before() -> None:
    with without_networks():
        pass
    import networklib

    with without_networks(), pytest.raises(RefusedImportError):  # what comes late is refused, too
        import networklib.part
    assert networklib.__name__ == "networklib"
