"""Dialog for the name of a preset."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLineEdit, QVBoxLayout, QWidget

from liverseg_gui.state.user_presets import (
    LONGEST_PRESET_NAME,
    MOST_USER_PRESETS,
    preset_name_problem,
    same_name,
    tidy_name,
)
from liverseg_gui.ui.widgets.labels import PlainLabel


class PresetDialog(QDialog):
    """`taken` are the names of the reader's own presets; one may be replaced if `replace` is."""

    def __init__(
        self, parent: QWidget | None, title: str, name: str, taken: Collection[str], replace: bool
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self._taken, self._replace = taken, replace
        self._name = QLineEdit(name)
        self._name.setMaxLength(LONGEST_PRESET_NAME)
        self._name.setAccessibleName("Name of the preset")
        self._name.selectAll()
        self._note = PlainLabel()
        self._note.setWordWrap(True)
        buttons = QDialogButtonBox.StandardButton
        self._buttons = QDialogButtonBox(buttons.Save | buttons.Cancel)
        self._save = self._buttons.button(buttons.Save)
        self._save.setDefault(True)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(PlainLabel("Name:"))
        layout.addWidget(self._name)
        layout.addWidget(self._note)
        layout.addWidget(self._buttons)
        self.setMinimumWidth(320)
        self._name.textChanged.connect(self._check)
        self._check()

    @property
    def name(self) -> str:
        """The name typed, or that of the preset it replaces."""
        typed = tidy_name(self._name.text())
        return same_name(typed, self._taken) or typed

    def _check(self) -> None:
        clash = same_name(self.name, self._taken) is not None
        problem = preset_name_problem(self.name)
        if not problem and clash and not self._replace:
            problem = "Another preset of yours has this name."
        if not problem and self._replace and not clash and len(self._taken) >= MOST_USER_PRESETS:
            problem = f"There are {MOST_USER_PRESETS} presets. Replace or delete one of them."
        replaces = clash and self._replace and not problem
        self._save.setEnabled(not problem)
        self._save.setText("Replace" if replaces else "Save")
        self._note.setText(problem or (f'Replaces "{self.name}".' if replaces else ""))
