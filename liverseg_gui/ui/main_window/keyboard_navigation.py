"""Keyboard navigation: keys of the focused widget, and the window's commands."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDockWidget,
    QLabel,
    QMainWindow,
    QPushButton,
    QScrollArea,
    QToolBar,
    QToolButton,
    QWidget,
)
from shiboken6 import isValid

_KEY = Qt.Key
_PRESS = frozenset({_KEY.Key_Space, _KEY.Key_Return, _KEY.Key_Enter})
_DELETE = frozenset({_KEY.Key_Delete})
"""Of what the pane shows; in a dock a row is deleted, or nothing."""
_PAGES = frozenset({_KEY.Key_PageUp, _KEY.Key_PageDown, _KEY.Key_Home, _KEY.Key_End})
_ARROWS = frozenset({_KEY.Key_Up, _KEY.Key_Down, _KEY.Key_Left, _KEY.Key_Right})
_OWN_KEYS: tuple[tuple[type[QWidget], frozenset[Qt.Key]], ...] = (
    (QAbstractButton, _PRESS | _DELETE),
    (QAbstractItemView, _PRESS | _PAGES | _ARROWS | _DELETE),
    (QAbstractSlider, _PAGES | _ARROWS | _DELETE),
    (QAbstractSpinBox, _PAGES | _ARROWS | {_KEY.Key_Return, _KEY.Key_Enter}),
    (QComboBox, _PRESS | _PAGES | _ARROWS | _DELETE),
)


class KeyGuard(QObject):
    """Leaves keys like Space and the arrows to the button, list, slider or box that is focused.

    Everywhere else they are commands. Text and number boxes keep letters and digits by themselves.
    Only the focused widget is watched: a filter on the program would see every event there is.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._watch)

    def _watch(self, before: QWidget | None, now: QWidget | None) -> None:
        if before is not None and isValid(before):
            before.removeEventFilter(self)
        if now is None or now.window().windowType() is Qt.WindowType.Popup:
            return  # the list of a combo box looks after its keys by itself
        own = isinstance(now, QLabel) or any(isinstance(now, kind) for kind, _ in _OWN_KEYS)
        if own or _in_a_dock(now):
            now.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Claim a key before it is looked up among the shortcuts; Enter presses a button."""
        if not isinstance(event, QKeyEvent) or not isinstance(watched, QWidget):
            return False
        if isinstance(watched, QLabel | QAbstractItemView) and _copies(watched, event):
            return True
        if event.type() is QEvent.Type.ShortcutOverride and _is_own(watched, event):
            event.accept()
            return True
        if event.type() is QEvent.Type.KeyPress and _presses(watched, event):
            assert isinstance(watched, QAbstractButton)
            watched.click()
            return True
        return False


def _is_own(widget: QWidget, event: QKeyEvent) -> bool:
    plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    if plain != Qt.KeyboardModifier.NoModifier:
        return False
    if event.key() in _DELETE and _in_a_dock(widget):
        return True
    return any(isinstance(widget, kind) and event.key() in keys for kind, keys in _OWN_KEYS)


def _in_a_dock(widget: QWidget) -> bool:
    around: QWidget | None = widget
    while around is not None and not isinstance(around, QDockWidget):
        around = around.parentWidget()
    return around is not None


def _copies(widget: QLabel | QAbstractItemView, event: QKeyEvent) -> bool:
    """Copy what is selected in a label or a table, where else a picture would be copied."""
    if not event.matches(QKeySequence.StandardKey.Copy):
        return False
    text = widget.selectedText() if isinstance(widget, QLabel) else _selected_rows(widget)
    if not text:
        return False
    if event.type() is QEvent.Type.ShortcutOverride:
        event.accept()
    elif event.type() is QEvent.Type.KeyPress:
        QGuiApplication.clipboard().setText(text)
    return True


def _selected_rows(view: QAbstractItemView) -> str:
    """The selected cells, a line a row with tabs between them."""
    rows: dict[tuple[int, ...], list[str]] = {}
    selected = {(*_row_path(at), at.column()): at for at in view.selectedIndexes()}
    for path in sorted(selected):
        text = str(selected[path].data() or "").replace("\n", " ")
        rows.setdefault(path[:-1], []).append(text)
    return "\n".join("\t".join(cells) for cells in rows.values())


def _row_path(at: QModelIndex) -> tuple[int, ...]:
    """The rows from the root of a tree to `at`."""
    return (*_row_path(at.parent()), at.row()) if at.isValid() else ()


def _presses(widget: QWidget, event: QKeyEvent) -> bool:
    """Whether Enter was pressed on a button; a check box is left to Space, as everywhere."""
    enter = event.key() in (_KEY.Key_Return, _KEY.Key_Enter)
    return enter and isinstance(widget, QPushButton | QToolButton) and widget.isEnabled()


def take_focus_by_tab(window: QMainWindow) -> None:
    """Buttons, sliders and lists to choose from are reached by Tab; a click on one leaves the keys
    to the pane.

    The buttons of tool bars, which Qt leaves out, are reached as well.
    """
    for button in window.findChildren(QAbstractButton):
        if button.focusPolicy() is not Qt.FocusPolicy.NoFocus:
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    for slider in window.findChildren(QAbstractSlider):
        if slider.focusPolicy() is not Qt.FocusPolicy.NoFocus:
            slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    for around in (*window.findChildren(QComboBox), *window.findChildren(QScrollArea)):
        around.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    for bar in window.findChildren(QToolBar):
        for action in bar.actions():
            widget = bar.widgetForAction(action)
            if isinstance(widget, QAbstractButton):
                widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)
                widget.setAccessibleName(action.text().replace("&", ""))
