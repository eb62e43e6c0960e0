"""Documents that macOS hands over by an event: Qt's events come the same way on every system."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QFileOpenEvent

from liverseg_gui.state.settings_values import LastStudy
from liverseg_gui.ui.app.app import Application, open_documents
from tests.ui.conftest import Desk


@pytest.fixture
def app(qapp: Application) -> Iterator[Application]:
    """The application, which has been handed nothing yet."""
    qapp.handed_over = None
    yield qapp
    qapp.document_handed_over.disconnect()


def hand_over(app: Application, path: Path) -> None:
    assert QCoreApplication.sendEvent(app, QFileOpenEvent(str(path)))


def test_a_document_that_is_handed_over_later_is_opened(
    desk: Desk, app: Application, files: Path
) -> None:
    open_documents(desk.window, app, None)
    assert not desk.window.runner.busy
    hand_over(app, files / "scan.nii.gz")
    desk.idle()
    assert desk.settings.values.last == LastStudy(files / "scan.nii.gz", 1)


def test_a_document_that_is_handed_over_at_the_start_is_opened(
    desk: Desk, app: Application, files: Path
) -> None:
    hand_over(app, files / "scan.nii.gz")
    open_documents(desk.window, app, None)
    desk.idle()
    assert desk.settings.values.last == LastStudy(files / "scan.nii.gz", 1)


def test_what_the_command_line_names_comes_first(
    desk: Desk, app: Application, files: Path, tmp_path: Path
) -> None:
    hand_over(app, tmp_path / "other.nii")
    open_documents(desk.window, app, files / "scan.nii.gz")
    desk.idle()
    assert desk.settings.values.last == LastStudy(files / "scan.nii.gz", 1)


def test_an_event_without_a_file_is_not_a_document(app: Application) -> None:
    app.document_handed_over.connect(lambda path: None)
    QCoreApplication.sendEvent(app, QFileOpenEvent(""))
    assert app.handed_over is None
