"""Help > User guide, and other programs that are opened."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QUrl

from liverseg_gui.system import paths
from liverseg_gui.ui.widgets import open_externally as outside
from liverseg_gui.ui.widgets.open_externally import open_externally
from tests.ui.conftest import Desk


class Desktop:
    """Opens nothing, and remembers what it was to open and which Qt it was told of."""

    able = True

    def __init__(self) -> None:
        self.opened: list[Path] = []
        self.plugins: list[str | None] = []

    def openUrl(self, url: QUrl) -> bool:  # noqa: N802
        self.opened.append(Path(url.toLocalFile()))
        self.plugins.append(os.environ.get("QT_PLUGIN_PATH"))
        return self.able


@pytest.fixture
def desktop(monkeypatch: pytest.MonkeyPatch) -> Desktop:
    desktop = Desktop()
    monkeypatch.setattr(outside, "QDesktopServices", desktop)
    return desktop


@pytest.fixture
def guide(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    page = tmp_path / "user-guide.html"
    monkeypatch.setattr(paths, "document_page", lambda _: page if page.exists() else None)
    page.write_text("<html></html>")
    desk.window._refresh()
    return page


def test_the_guide_is_shown_by_the_browser(desk: Desk, guide: Path, desktop: Desktop) -> None:
    assert desk.window.actions_by_key["user_guide"].isVisible()
    said: list[str] = []
    desk.window.context.status_message.connect(said.append)
    desk.trigger("user_guide")
    assert desktop.opened == [guide]
    assert said == [f"The user guide is {guide}."]
    assert desk.dialogs.problems == []


def test_without_a_browser_it_says_what_to_do(desk: Desk, guide: Path, desktop: Desktop) -> None:
    desktop.able = False
    desk.trigger("user_guide")
    ((problem, _),) = desk.dialogs.problems
    assert "web browser" in problem


def test_where_there_is_no_guide_there_is_no_command(desk: Desk, guide: Path) -> None:
    guide.unlink()
    desk.window._refresh()
    assert not desk.window.actions_by_key["user_guide"].isVisible()


@pytest.mark.parametrize("packaged", [False, True])
def test_another_program_does_not_get_the_qt_of_the_package(
    packaged: bool, tmp_path: Path, desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "frozen", packaged, raising=False)
    monkeypatch.setenv("QT_PLUGIN_PATH", "plugins")
    assert open_externally(tmp_path)
    assert desktop.plugins == [None if packaged else "plugins"]
    assert os.environ["QT_PLUGIN_PATH"] == "plugins"
