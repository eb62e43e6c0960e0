"""The steps of the training room, in their order, and which of them have a page."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListWidgetItem, QWidget

from liverseg_gui.ui.training_window.pages import Pages


class Step(IntEnum):
    """The steps, in their order."""

    DATA = 0
    RECIPE = 1
    RUN = 2
    RESULT = 3


TITLES = {
    Step.DATA: "Data",
    Step.RECIPE: "Recipe",
    Step.RUN: "Run",
    Step.RESULT: "Result",
}


def makers(pages: Pages) -> dict[Step, Callable[[], QWidget] | None]:
    """What makes the page of each step."""
    return {
        Step.DATA: pages.data,
        Step.RECIPE: pages.recipe,
        Step.RUN: pages.run,
        Step.RESULT: pages.result,
    }


def offered_steps(pages: Pages) -> list[Step]:
    """The steps up to the first that has no page."""
    offered = []
    for step, make in makers(pages).items():
        if make is None:
            break
        offered.append(step)
    return offered


def allow(item: QListWidgetItem, why_not: str) -> None:
    """Let the step in a list be gone to, or say why it cannot be."""
    enabled = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
    item.setFlags(Qt.ItemFlag.NoItemFlags if why_not else enabled)
    item.setToolTip(why_not)
