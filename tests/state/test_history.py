from __future__ import annotations

import pytest

from liverseg_gui.state.history import History


class Counter:
    """A number whose changes are steps."""

    def __init__(self, history: History) -> None:
        self.value, self._history = 0, history

    def set(self, value: int) -> None:
        old, self.value = self.value, value
        self._history.push(
            f"set {value}",
            lambda: setattr(self, "value", old),
            lambda: setattr(self, "value", value),
        )


@pytest.fixture
def history() -> History:
    return History()


@pytest.fixture
def counter(history: History) -> Counter:
    counter = Counter(history)
    for value in (1, 2, 3):
        counter.set(value)
    return counter


def test_steps_are_taken_back_newest_first_and_done_again(
    history: History, counter: Counter
) -> None:
    assert history.undo_name == "set 3"
    history.undo()
    history.undo()
    assert counter.value == 1
    assert (history.undo_name, history.redo_name) == ("set 1", "set 2")
    history.redo()
    assert counter.value == 2
    history.redo()
    history.redo()
    assert counter.value == 3
    assert not history.can_redo


def test_a_new_step_forgets_those_taken_back(history: History, counter: Counter) -> None:
    history.undo()
    counter.set(9)
    assert not history.can_redo
    history.undo()
    assert counter.value == 2


def test_with_nothing_done_nothing_is_taken_back() -> None:
    history = History()
    history.undo()
    history.redo()
    assert (history.can_undo, history.undo_name, history.redo_name) == (False, "", "")


def test_every_change_is_told(history: History, counter: Counter) -> None:
    told: list[tuple[bool, bool]] = []
    history.changed.connect(lambda: told.append((history.can_undo, history.can_redo)))
    history.undo()
    history.redo()
    counter.set(4)
    history.clear()
    assert told == [(True, True), (True, False), (True, False), (False, False)]


def test_the_oldest_of_very_many_steps_are_forgotten(history: History) -> None:
    counter = Counter(history)
    for value in range(1, 301):
        counter.set(value)
    while history.can_undo:
        history.undo()
    assert counter.value == 100
