"""Push buttons that Enter does not press."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QPushButton


def push_button(text: str, do: Callable[[], object] | None = None, tip: str = "") -> QPushButton:
    """A button that calls `do`; in a dialog Enter presses the default button alone."""
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAutoDefault(False)
    if do is not None:
        button.clicked.connect(lambda: do())
    return button
