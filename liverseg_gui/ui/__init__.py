"""The window. The only package that imports Qt and pyqtgraph."""

import sys
from typing import Any, cast


def _load_pyqtgraph() -> None:
    """Load pyqtgraph without its look for CUDA, which takes a tenth of the way to the first window
    and serves a widget that is not used here."""
    modules = cast(dict[str, Any], sys.modules)
    absent = "cuda" not in modules
    if absent:
        modules["cuda"] = None
    import pyqtgraph  # noqa: F401

    if absent:
        del modules["cuda"]


_load_pyqtgraph()
