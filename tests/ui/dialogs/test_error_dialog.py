"""The report about an error: all of it can be read, and nothing of a patient is in it."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from liverseg_gui import __version__
from liverseg_gui.segmentation.runtime import choice_cache
from liverseg_gui.segmentation.runtime.choice_cache import RuntimeChoice
from liverseg_gui.system import privacy
from liverseg_gui.system.logging_setup import LOG_NAME, start_logging
from liverseg_gui.system.paths import HOST, log_folder
from liverseg_gui.ui.app.app import open_first
from liverseg_gui.ui.app.exception_hook import ExceptionHook
from liverseg_gui.ui.dialogs.error_dialog import ErrorDialog, error_report
from tests.ui.conftest import Desk

ROOT = Path(__file__).parents[3]
SECRETS = ("Doe", "John", "4711", "/data", "scan 1.nii")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path / "home"))
    privacy.forget_secrets()
    yield
    privacy.forget_secrets()


@pytest.fixture
def log() -> Iterator[None]:
    """A log in the usual place."""
    handler = start_logging()
    assert handler is not None
    yield
    logging.getLogger().removeHandler(handler)
    logging.captureWarnings(False)
    handler.close()


def caught(monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """What is told of an exception that names a patient and a file of theirs."""
    monkeypatch.setattr("sys.excepthook", sys.excepthook)
    monkeypatch.setattr("threading.excepthook", None)
    told: list[tuple[str, str]] = []
    ExceptionHook(lambda *said: told.append(said), str, later=lambda do: do()).catch()
    try:
        raise RuntimeError("/data/John Doe/scan 1.nii.gz of Doe^John (4711) broke")
    except RuntimeError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    return told[0]


def test_a_report_has_error_program_system_and_log_and_neither_patient_nor_path(
    log: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    logging.getLogger("liverseg").warning("a patient's name that is known later: 4711")
    privacy.remember_secret("Doe^John")
    privacy.remember_secret("4711")
    message, details = caught(monkeypatch)
    assert "John Doe" in message
    report = error_report(message, details)
    for secret in SECRETS:
        assert secret not in report
    assert str(Path.home()) not in report
    assert str(ROOT) not in report
    for known in (
        f"LiverSeg {__version__}, from source",
        "Qt 6.",
        "torch 2.",
        "GPU: none used so far",
        "Traceback (most recent call last)",
        "raise RuntimeError",
        "a patient's name that is known later: [patient]",
        "CRITICAL liverseg: Unexpected",
    ):
        assert known in report
    assert report.count("broke") >= 3  # in the message, the traceback and the log


def test_torch_is_not_loaded_for_it() -> None:
    program = (
        "import sys; from liverseg_gui.ui.dialogs.error_dialog import error_report; "
        "assert 'torch ' in error_report('a', 'b'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0


def test_a_gpu_that_was_used_is_named() -> None:
    choice_cache.remember_choice(
        "0" * 64, "cuda", "NVIDIA Model", RuntimeChoice("torch-float32", "cuda", "")
    )
    assert "GPU: NVIDIA Model\n" in error_report("It failed.", "Traceback")


def test_of_a_long_log_the_end_is_in_it() -> None:
    assert "There is no log." in error_report("It failed.", "Traceback")
    log_folder().mkdir(parents=True)
    (log_folder() / LOG_NAME).write_text("".join(f"line {n}\n" for n in range(20_000)))
    report = error_report("It failed.", "Traceback")
    assert report.endswith("line 19999\n")
    assert report.count("\nline ") == 80


def test_what_is_saved_is_what_is_shown(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "report.txt"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    box = ErrorDialog(None, "It failed.", "Traceback of it")
    qtbot.addWidget(box)
    box.open()
    assert not target.exists()
    box.save_button.click()
    assert box.isVisible()
    assert target.read_text("utf-8") == box.detailedText()
    assert "Traceback of it" in box.detailedText()
    assert box.informativeText() == "The report is written."


def test_a_report_that_cannot_be_saved_or_is_not_wanted_harms_nothing(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = ErrorDialog(None, "It failed.", "Traceback")
    qtbot.addWidget(box)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    box.save_button.click()
    assert "Nothing is sent to anybody" in box.informativeText()
    missing = tmp_path / "missing" / "report.txt"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(missing), ""))
    box.save_button.click()
    assert "could not be written" in box.informativeText()


def test_an_expected_problem_has_no_report(qtbot: QtBot) -> None:
    box = ErrorDialog(None, "The file is damaged.")
    qtbot.addWidget(box)
    assert box.save_button is None
    assert box.detailedText() == ""


@pytest.mark.parametrize("opens", [True, False])
def test_the_folder_of_the_logs_is_shown_or_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, opens: bool
) -> None:
    shown: list[Path] = []

    def show(url: QUrl) -> bool:
        shown.append(Path(url.toLocalFile()))
        return opens

    monkeypatch.setattr(QDesktopServices, "openUrl", show)
    said: list[str] = []
    desk.window.context.status_message.connect(said.append)
    desk.settings.change(hide_patient=True)
    desk.trigger("log_folder")
    assert said == [f"The logs lie in {log_folder()}."]
    assert shown == [log_folder()]
    assert log_folder().is_dir()
    told = [] if opens else [(f"The logs lie in {log_folder()}.", "")]
    assert desk.dialogs.problems == told


def test_the_window_tells_of_an_earlier_crash_once(desk: Desk) -> None:
    open_first(desk.window, None)
    assert desk.dialogs.crashes == []
    log_folder().mkdir(parents=True)
    (log_folder() / f"crash-{HOST}-7-x.txt").write_text("Fatal Python error: Segmentation fault\n")
    open_first(desk.window, None)
    open_first(desk.window, None)
    assert desk.dialogs.crashes == ["Fatal Python error: Segmentation fault"]


def run_app(last: str) -> subprocess.CompletedProcess[str]:
    """The program's window; once it is up, `last` is done."""
    program = (
        "import os, sys\n"
        "from PySide6.QtWidgets import QApplication\n"
        "from liverseg_gui.ui.app import app\n"
        "from liverseg_gui.ui.dialogs.prompts import Dialogs\n"
        "Dialogs.crashed = lambda self, words: print(words)\n"
        "first = app.open_first\n"
        "def then(*words):\n"
        "    first(*words)\n"
        f"    {last}\n"
        "app.open_first = then\n"
        "sys.exit(app.run_window())\n"
    )
    return subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)


def test_a_window_that_crashes_is_told_of_by_the_next_one() -> None:
    crashed = run_app("os.abort()")
    assert crashed.returncode != 0
    assert crashed.stdout == ""
    after = run_app("QApplication.quit()")
    assert after.returncode == 0, after.stderr
    assert after.stdout.startswith("Fatal Python error: Aborted")
    assert run_app("QApplication.quit()").stdout == ""
    assert list(log_folder().glob("crash-*")) == []
