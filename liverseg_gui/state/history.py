"""Undo and redo history of the open scan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from psygnal import Signal

_MOST_STEPS, _MOST_LARGE = 200, 3


@dataclass(frozen=True)
class _Step:
    name: str
    undo: Callable[[], None]
    redo: Callable[[], None]
    large: bool = False


class History:
    """Steps that were done, newest last, and those undone. `changed` is emitted on every change.

    The oldest of more than 200 steps is forgotten, and what lies before the last few large ones.
    """

    changed = Signal()

    def __init__(self) -> None:
        self._done: list[_Step] = []
        self._undone: list[_Step] = []

    def push(
        self, name: str, undo: Callable[[], None], redo: Callable[[], None], large: bool = False
    ) -> None:
        """Remember a step that was just done; what was taken back before it is forgotten.

        A `large` one holds much memory, such as a mask.
        """
        done = [*self._done, _Step(name, undo, redo, large)][-_MOST_STEPS:]
        places = [n for n, step in enumerate(done) if step.large]
        self._done = done[places[-_MOST_LARGE] :] if len(places) > _MOST_LARGE else done
        self._undone.clear()
        self.changed.emit()

    def undo(self) -> None:
        """Take the last step back, if there is one."""
        if self._done:
            step = self._done.pop()
            self._undone.append(step)
            step.undo()
            self.changed.emit()

    def redo(self) -> None:
        """Do the step again that was taken back last, if there is one."""
        if self._undone:
            step = self._undone.pop()
            self._done.append(step)
            step.redo()
            self.changed.emit()

    def clear(self) -> None:
        """Forget all steps."""
        self._done.clear()
        self._undone.clear()
        self.changed.emit()

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to do again."""
        return bool(self._undone)

    @property
    def undo_name(self) -> str:
        """The step that `undo` takes back, e.g. "draw ruler"; empty where there is none."""
        return self._done[-1].name if self._done else ""

    @property
    def redo_name(self) -> str:
        """The step that `redo` does again; empty where there is none."""
        return self._undone[-1].name if self._undone else ""
