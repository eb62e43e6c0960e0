"""Errors that nobody caught: one dialog at a time, and none again and again."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from pytestqt.qtbot import QtBot

from liverseg_gui.ui.app.exception_hook import ExceptionHook


class Told:
    """Remembers what is told; `clock` is the time, and `while_open` happens before a dialog."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.said: list[str] = []
        self.clock = 0.0
        self.while_open: Callable[[], None] = lambda: None
        self.errors = ExceptionHook(
            self.show, self.said.append, later=lambda do: do(), clock=lambda: self.clock
        )

    def show(self, message: str, details: str) -> None:
        assert "Traceback" in details
        self.shown.append(message)
        self.while_open()

    def fail(self, text: str) -> None:
        try:
            raise RuntimeError(text)
        except RuntimeError as error:
            self.errors.caught(type(error), error, error.__traceback__)

    def fail_elsewhere(self) -> None:
        try:
            raise KeyError("other")
        except KeyError as error:
            self.errors.caught(type(error), error, error.__traceback__)


def test_what_comes_again_while_its_dialog_is_open_opens_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = Told()

    def again() -> None:
        for n in range(100):
            told.fail(f"picture {n}")

    told.while_open = again
    with caplog.at_level(logging.CRITICAL, "liverseg"):
        told.fail("picture")
    assert len(told.shown) == 1
    assert told.said[-1].endswith("64 times so far.")
    assert len(told.said) == 6
    assert sum("Unexpected" in record.getMessage() for record in caplog.records) == 7
    assert sum(record.exc_info is not None for record in caplog.records) == 1


def test_what_comes_again_right_after_is_counted_and_later_is_told_anew() -> None:
    told = Told()

    def read_it() -> None:
        told.clock += 60.0

    told.while_open = read_it
    told.fail("picture")
    told.clock += 2.0
    told.fail("picture")
    assert len(told.shown) == 1
    assert told.said == ["Something unexpected happened (RuntimeError: picture). 2 times so far."]
    told.clock += 60.0
    told.fail("picture")
    assert len(told.shown) == 2


def test_another_error_has_a_dialog_of_its_own_but_not_over_one_that_is_open() -> None:
    told = Told()
    told.while_open = told.fail_elsewhere
    told.fail("picture")
    assert len(told.shown) == 1
    assert told.said == ["Something unexpected happened (KeyError: 'other')."]
    told.while_open = lambda: None
    told.clock += 60.0
    told.fail_elsewhere()
    assert told.shown[-1] == "Something unexpected happened (KeyError: 'other')."


def test_a_dialog_that_cannot_be_shown_does_not_keep_others_away() -> None:
    told = Told()

    def breaks() -> None:
        raise OSError("no dialog")

    told.while_open = breaks
    with pytest.raises(OSError, match="no dialog"):
        told.fail("picture")
    told.while_open = lambda: None
    told.fail_elsewhere()
    assert len(told.shown) == 2


class Broken(QWidget):
    """Fails with every picture."""

    drawn = 0

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802
        self.drawn += 1
        raise RuntimeError(f"picture {self.drawn}")


@pytest.mark.no_qt_log
def test_a_widget_that_cannot_be_drawn_has_one_dialog_at_a_time(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    widget, dialogs = Broken(), []
    qtbot.addWidget(widget)

    def show(*_: str) -> None:
        dialog = QDialog(widget)
        dialogs.append(dialog)
        dialog.open()
        before = widget.drawn
        while widget.drawn < before + 5:
            widget.update()
            QApplication.processEvents()
        dialog.accept()

    monkeypatch.setattr("sys.excepthook", ExceptionHook(show, str).caught)
    widget.show()
    qtbot.waitUntil(lambda: len(dialogs) == 1)
    before = widget.drawn
    while widget.drawn < before + 5:
        widget.update()
        QApplication.processEvents()
    assert len(dialogs) == 1
