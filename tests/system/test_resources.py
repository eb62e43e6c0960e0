from __future__ import annotations

from pathlib import Path

import pytest

from liverseg_gui.system import paths


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout without built documents, and nothing installed."""
    monkeypatch.setattr(paths, "_INSTALLED", tmp_path / "installed")
    monkeypatch.setattr(paths, "_BUILT_DOCS", tmp_path / "build" / "docs")
    return tmp_path


def build(folder: Path) -> Path:
    folder.mkdir(parents=True)
    page = folder / "user-guide.html"
    page.write_text("<html></html>")
    return page


def test_documents_that_were_not_built_are_not_there(places: Path) -> None:
    assert paths.document_page("user-guide") is None


def test_from_source_the_documents_are_those_that_were_built(places: Path) -> None:
    page = build(places / "build" / "docs")
    assert paths.document_page("user-guide") == page
    assert paths.document_page("no-such-page") is None


def test_installed_the_documents_are_those_inside(places: Path) -> None:
    build(places / "build" / "docs")
    (places / "installed").mkdir()
    assert paths.document_page("user-guide") is None
    page = build(places / "installed" / "docs")
    assert paths.document_page("user-guide") == page
