"""The way from the data page to improving the model in use."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QPushButton

from liverseg_gui.ui.training_window.data.page import DataPage

_TIP = (
    "The model in use learns from these cases, and is judged against itself as it was; first it is "
    "said what will happen"
)


class ImproveButton(QPushButton):
    """Says with how many studies; `offer` keeps up with the data page."""

    def __init__(self, do: Callable[[], None]) -> None:
        super().__init__()
        self.setAutoDefault(False)
        self.clicked.connect(lambda: do())

    def offer(self, data: DataPage) -> None:
        """Offer to improve the model with the cases of `data`, or say why that cannot be.

        An improvement deals its patients itself, also where they are too few for the parts.
        """
        count = len(data.sources)
        studies = {0: "new studies", 1: "1 new study"}.get(count, f"{count} new studies")
        self.setText(f"&Improve the model with {studies} ...")
        why = "" if data.looked and data.sources else data.why_not
        self.setEnabled(not why)
        self.setToolTip(why or _TIP)
