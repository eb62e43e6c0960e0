"""Button that puts the previous model in use again, seen where there is one."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.segmentation.models.history import previous_model, roll_back
from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.widgets.labels import action_text
from liverseg_gui.ui.widgets.patient_display import text_shown


class RollBackButton(QPushButton):
    """`done` and `failed` carry what is to be told. Whoever has it calls `refresh`."""

    done = Signal(str)
    failed = Signal(str)

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self.setAutoDefault(False)
        self.setToolTip("The model that was in use before this one took its place; none is deleted")
        self.clicked.connect(self._roll_back)
        self.hide()

    def refresh(self) -> None:
        """Name the model before, or hide."""
        before = previous_model(self._settings)
        self.setVisible(before is not None)
        name = action_text(text_shown(before or "", self._settings))
        self.setText(f"Roll bac&k to {name}")

    def _roll_back(self) -> None:
        try:
            used = roll_back(self._settings)
        except LiverSegError as problem:
            self.failed.emit(str(problem))
        else:
            self.done.emit(f"{used.name} is used again, from the next segmentation on.")
        self.refresh()
