"""Tab order of a window whose pages are made late."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def put_last(window: QWidget, widgets: Iterable[QWidget]) -> None:
    """Have Tab reach `widgets`, in their order, after all else in `window`."""
    last = _last(window)
    for widget in widgets:
        QWidget.setTabOrder(last, widget)
        last = widget


def _last(window: QWidget) -> QWidget:
    """The chain is a ring that begins with the window; Qt orders only what takes the focus."""
    widget = window.previousInFocusChain()
    while widget is not None and widget is not window and _skips_focus(widget):
        widget = widget.previousInFocusChain()
    return widget or window


def _skips_focus(widget: QWidget) -> bool:
    return widget.focusPolicy() is Qt.FocusPolicy.NoFocus
