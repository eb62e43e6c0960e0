"""The steps of the training room, in their order, and which of them have a page."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from PySide6.QtWidgets import QWidget

from liverseg_gui.ui.training_room.pages import Pages


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
    """How the page of each step is made, where it has one."""
    return {
        Step.DATA: pages.data,
        Step.RECIPE: pages.recipe,
        Step.RUN: pages.run,
        Step.RESULT: pages.result,
    }


def offered(pages: Pages) -> list[Step]:
    """The steps up to the first that has no page."""
    offered = []
    for step, make in makers(pages).items():
        if make is None:
            break
        offered.append(step)
    return offered
