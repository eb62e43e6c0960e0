"""Crashes in native code: written down by the process that dies, told once by the next one."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from liverseg_gui.system.crash_report import LAST, earlier_crash, take_crash_report
from liverseg_gui.system.paths import HOST, log_folder

ROOT = Path(__file__).parents[2]
_HEAD = """
import faulthandler, os, sys
from liverseg_gui.system.crash_report import crash_file

@crash_file()
def work():
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path / "home"))


def start(line: str) -> subprocess.Popen[str]:
    """A process of this program that carries out `line`."""
    program = f"{_HEAD}    {line}\n\nwork()\n"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, text=True, **pipes)


def finish(process: subprocess.Popen[str]) -> int:
    process.communicate()
    return process.returncode


def left() -> list[str]:
    return sorted(path.name for path in log_folder().iterdir())


@pytest.mark.parametrize(
    ("line", "said"),
    [("faulthandler._sigsegv()", "Segmentation fault"), ("os.abort()", "Aborted")],
)
def test_a_crash_is_written_and_told_once(line: str, said: str) -> None:
    process = start(line)
    assert finish(process) != 0
    (name,) = left()
    assert name.startswith(f"crash-{HOST}-{process.pid}-")
    if os.name != "nt":
        assert stat.S_IMODE((log_folder() / name).stat().st_mode) == 0o600
    words = earlier_crash()
    assert said in words
    assert "in work" in words
    assert earlier_crash() == ""
    assert left() == [LAST]


def test_a_process_that_ends_by_itself_leaves_nothing() -> None:
    assert finish(start("print('done')")) == 0
    assert finish(start("sys.exit(3)")) == 3
    assert finish(start("raise ValueError")) == 1
    assert left() == []
    assert earlier_crash() == ""


def test_one_that_is_killed_has_not_crashed_and_its_file_goes_in_the_end() -> None:
    process = start("print('ready', flush=True); sys.stdin.read()")
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
    finish(process)
    (name,) = left()
    assert earlier_crash() == ""
    assert left() == [name]  # for all that can be known, it still runs
    long_ago = time.time() - 31 * 86_400
    os.utime(log_folder() / name, (long_ago, long_ago))
    assert earlier_crash() == ""
    assert left() == []


def test_of_several_crashes_the_latest_is_told(tmp_path: Path) -> None:
    log_folder().mkdir(parents=True)
    for age, word in ((30, "first"), (10, "latest"), (20, "second")):
        path = log_folder() / f"crash-{HOST}-{age}-x.txt"
        path.write_text(word)
        os.utime(path, (time.time() - age, time.time() - age))
    assert earlier_crash() == "latest"
    assert left() == [LAST]


_SAME_ID = """
import os
from liverseg_gui.system.crash_report import crash_file, earlier_crash
from liverseg_gui.system.paths import HOST
from liverseg_gui.system.paths import log_folder

(log_folder() / f"crash-{HOST}-{os.getpid()}-before.txt").write_text("from before")
with crash_file():
    print(earlier_crash())
"""


def test_a_crash_is_told_by_a_program_that_has_the_same_process_id() -> None:
    log_folder().mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, "-c", _SAME_ID], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert done.stdout == "from before\n"
    assert left() == [LAST]


def test_the_crash_of_another_computer_on_a_shared_home_is_not_told_here() -> None:
    log_folder().mkdir(parents=True)
    elsewhere = log_folder() / "crash-0123abcd-77-x.txt"
    elsewhere.write_text("elsewhere")
    assert earlier_crash() == ""
    assert take_crash_report(77) == ""
    assert left() == [elsewhere.name]
    long_ago = time.time() - 31 * 86_400
    os.utime(elsewhere, (long_ago, long_ago))
    assert earlier_crash() == ""
    assert left() == []


def test_a_folder_that_is_called_so_is_no_crash() -> None:
    (log_folder() / f"crash-{HOST}-5-x.txt").mkdir(parents=True)
    assert earlier_crash() == ""
    assert take_crash_report(5) == ""


def test_who_waits_for_a_process_takes_its_last_words() -> None:
    process = start("os.abort()")
    finish(process)
    assert "Aborted" in take_crash_report(process.pid)
    assert take_crash_report(process.pid) == ""
    assert earlier_crash() == ""


def test_without_a_place_for_the_file_the_work_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path / "file"))
    assert finish(start("print('done')")) == 0
    assert earlier_crash() == ""
