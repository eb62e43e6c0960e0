"""Dialog of all keys and mouse gestures, from the tables that make them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from liverseg_gui.state.preferences import MouseProfile
from liverseg_gui.ui.main_window.actions import ROWS, ActionRow
from liverseg_gui.ui.main_window.mouse_help import gestures_of
from liverseg_gui.ui.widgets.mnemonics import plain

_MOUSE = "Mouse"


class ShortcutsDialog(QDialog):
    """Lists them by menu, and finds them by any word. Stays beside the window while one works."""

    def __init__(self, parent: QWidget | None, profile: MouseProfile) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys and mouse")
        self.resize(QSize(560, 680).boundedTo(self.screen().availableSize() * 0.9))
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find a command or a key ...")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Find a command or a key")
        self.tree = _tree()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for widget in (self.search, self.tree, buttons):
            layout.addWidget(widget)
        self.search.textChanged.connect(self._find)
        self.show_profile(profile)
        self.search.setFocus()

    @property
    def listed(self) -> list[tuple[str, str, str]]:
        """Group, text and keys of what is shown now."""
        rows = []
        for group in _children(self.tree.invisibleRootItem()):
            for item in _children(group):
                if not item.isHidden():
                    rows.append((group.text(0), item.text(0), item.text(1)))
        return rows

    def show_profile(self, profile: MouseProfile) -> None:
        """List the gestures of `profile` beside the commands."""
        self.tree.clear()
        groups: dict[str, QTreeWidgetItem] = {}
        for row in ROWS:
            if row.shortcuts:
                _add(self.tree, groups, plain(row.menu), command_text(row), keys_text(row))
        for gesture in gestures_of(profile):
            title = f"{_MOUSE} ({profile.value} profile)"
            _add(self.tree, groups, title, gesture.does, gesture.how)
        self.tree.expandAll()
        self._find(self.search.text())

    def _find(self, text: str) -> None:
        """Leave what has every word of `text` in its group, name or keys."""
        words = text.lower().split()
        for group in _children(self.tree.invisibleRootItem()):
            some = False
            for item in _children(group):
                shown = f"{group.text(0)} {item.text(0)} {item.text(1)}".lower()
                item.setHidden(not all(word in shown for word in words))
                some = some or not item.isHidden()
            group.setHidden(not some)


def command_text(row: ActionRow) -> str:
    """What a command is called outside its menu."""
    return f"{plain(row.submenu)}: {plain(row.text)}" if row.submenu else plain(row.text)


def keys_text(row: ActionRow) -> str:
    """Its keys, as this system writes them."""
    native = QKeySequence.SequenceFormat.NativeText
    return ", ".join(QKeySequence(keys).toString(native) for keys in row.shortcuts)


def _tree() -> QTreeWidget:
    tree = QTreeWidget()
    tree.setHeaderLabels(("Command", "Key or gesture"))
    tree.setAccessibleName("Commands with their keys, and mouse gestures")
    tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    tree.setAllColumnsShowFocus(True)
    tree.setIndentation(14)
    tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
    tree.header().setStretchLastSection(False)
    tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return tree


def _add(
    tree: QTreeWidget, groups: dict[str, QTreeWidgetItem], title: str, text: str, keys: str
) -> None:
    if title not in groups:
        groups[title] = group = QTreeWidgetItem(tree, [title])
        group.setFirstColumnSpanned(True)
        font = group.font(0)
        font.setBold(True)
        group.setFont(0, font)
    QTreeWidgetItem(groups[title], [text, keys])


def _children(item: QTreeWidgetItem) -> Iterator[QTreeWidgetItem]:
    numbers: Iterable[int] = range(item.childCount())
    children = (item.child(number) for number in numbers)
    return (child for child in children if child is not None)
