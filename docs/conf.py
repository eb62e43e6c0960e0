"""How Sphinx makes a site of these pages, read from its folder without a network: `make docs`."""

from __future__ import annotations

import re

from sphinx.application import Sphinx

from liverseg_gui import __version__

project = "LiverSeg"
version = release = __version__
extensions = ["myst_parser"]
myst_heading_anchors = 4  # those of a code host: a link to a heading works in both
highlight_language = "text"  # where a page names none: commands, and what they print
smartquotes = False  # what is quoted stays as it is written

html_theme = "furo"
html_title = f"LiverSeg {version}"
html_favicon = "../resources/icons/liverseg.svg"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_use_index = False

_STANDS_FOR = {
    "adr/": "adr/index.md",
    "../README.md": "index.md",
    "../CHANGELOG.md": "changelog.md",
}
_NAMED_BY_FILE = re.compile(r"\[([\w-]+\.md)\](\((?:\.\./)?\1[^)]*\))")


def _links(_app: Sphinx, _page: str, source: list[str]) -> None:
    """What a code host shows as a folder or outside is a page here, `report.md` is its title."""
    for target, page in _STANDS_FOR.items():
        source[0] = source[0].replace(f"]({target})", f"]({page})")
    source[0] = _NAMED_BY_FILE.sub(r"[]\2", source[0])


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _links)
