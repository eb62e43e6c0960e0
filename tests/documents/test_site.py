"""The site that `make docs` makes of the documents."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BAD_PAGE = """# Lost

[dead](no-such-page.md), [dead](user-guide.md#no-such-heading), [dead](#none), [dead](../none.txt)
"""


def build(documents: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """The site of `documents`, made as the Makefile makes it."""
    makefile = (ROOT / "Makefile").read_text()
    options = re.findall(r"^SPHINX := .* -m sphinx (--.*) -d", makefile, re.M)[0].split()
    command = [sys.executable, "-m", "sphinx", *options, str(documents), str(site)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT / "docs", folder)
    assert (done.returncode, done.stderr) == (0, "")
    return folder


class Loaded(HTMLParser):
    """Collects what a page loads; links that a reader may follow are not loaded."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "a":
            places = ("src", "href", "srcset", "data", "poster", "action")
            self.addresses += [value or "" for name, value in attrs if name in places]


def test_a_browser_without_a_network_misses_nothing(site: Path) -> None:
    loaded = []
    for page in site.rglob("*.html"):
        loaded += [(page, address) for address in Loaded(page).addresses]
    for style in site.rglob("*.css"):
        found = re.findall(r"url\(['\"]?([^'\")]+)|@import ['\"]([^'\"]+)", style.read_text())
        loaded += [(style, first or second) for first, second in found]
    inside = [(file, address.split("?")[0].split("#")[0]) for file, address in loaded]
    missing = [
        (file.name, address)
        for file, address in inside
        if not address.startswith("data:") and not (file.parent / address).exists()
    ]
    assert len(inside) > 300
    assert missing == []


def test_its_search_works_without_a_server(site: Path) -> None:
    assert "searchindex.js" in "".join(Loaded(site / "search.html").addresses)
    index = (site / "searchindex.js").read_text()
    assert "user-guide" in index
    assert "recist" in index


def test_a_page_in_no_group_and_dead_links_are_errors(tmp_path: Path) -> None:
    documents = tmp_path / "project" / "docs"
    documents.mkdir(parents=True)
    shutil.copytree(ROOT / "resources" / "icons", tmp_path / "project" / "resources" / "icons")
    shutil.copytree(ROOT / "docs" / "static", documents / "static")
    shutil.copy(ROOT / "docs" / "conf.py", documents)
    (documents / "index.md").write_text("# Start\n\n```{toctree}\nuser-guide\n```\n")
    (documents / "user-guide.md").write_text("# Guide\n\n[a file](../resources/icons/open.svg)\n")
    assert build(documents, tmp_path / "good").returncode == 0
    assert list((tmp_path / "good" / "_downloads").rglob("open.svg"))
    (documents / "lost.md").write_text(BAD_PAGE)
    done = build(documents, tmp_path / "bad")
    assert done.returncode != 0
    assert "lost.md: WARNING: document isn't included in any toctree" in done.stderr
    for target in ("no-such-page.md", "no-such-heading", "none", "../none.txt"):
        assert f"'{target}'" in done.stderr or f"'#{target}'" in done.stderr, done.stderr
