"""Arguments of `liverseg` before and after a command runs."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from liverseg_gui.cli.main import main
from liverseg_gui.system import temporary_files


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["segmnt", "scan.nii.gz", "-o", "m.nii.gz"], "Did you mean 'segment'?"),
        (["selftest"], "Did you mean 'self-test'?"),
        (["hokuspokus"], "`liverseg --help` lists the commands."),
    ],
)
def test_a_mistyped_command_opens_no_window(
    words: list[str],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    error = capsys.readouterr().err
    assert error == f"liverseg: {words[0]!r} is no command, and no file or folder here. {told}\n"


@pytest.mark.parametrize("word", ["STUDY", "gone.nii.gz", "./gone", "gone/study"])
def test_what_looks_like_a_path_or_is_one_opens_the_window(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "STUDY").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("liverseg_gui.ui.app.app.run_window", lambda path, *_: f"window on {path}")
    assert main([word]) == f"window on {Path(word)}"


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOSPC, "No space left on device. Free some space, or choose another place."),
        (errno.EROFS, "Read-only file system. Nothing can be written there: choose another place."),
        (errno.EACCES, "Permission denied. Look to its permissions."),
        (errno.ENOENT, "No such file or directory. Check the path."),
        (errno.EBADF, "Bad file descriptor. Check the path and its permissions."),
    ],
)
def test_what_the_system_says_has_the_remedy_that_fits(
    number: int, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_: object) -> int:
        raise OSError(number, os.strerror(number), "disc/m.nii")

    monkeypatch.setattr("liverseg_gui.cli.info.run_info", fails)
    assert main(["info", "disc"]) == 1
    assert capsys.readouterr().err == f"liverseg: disc/m.nii: {told}\n"


@pytest.mark.parametrize("words", [["models"], []])
def test_window_and_commands_remove_what_a_killed_program_unpacked(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / f"{temporary_files._PREFIX}abcd1234"
    left.mkdir(mode=0o700)
    (left / "files").mkdir()
    (left / "in-use.lock").touch()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("liverseg_gui.ui.app.app.run_window", lambda *_: 0)
    assert main(words) == 0
    assert not left.exists()


def test_cancelling_while_that_goes_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def cancelled() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("liverseg_gui.cli.main.sweep_temporary", cancelled)
    assert main(["models"]) == 130
    assert capsys.readouterr().err == "liverseg: cancelled\n"


@pytest.fixture
def unread() -> Iterator[int]:
    """A pipe that nobody reads from any more."""
    read, write = os.pipe()
    os.close(read)
    yield write
    os.close(write)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_enough_is_no_error_to_speak_of(unread: int, unbuffered: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "liverseg_gui", "models"],
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        stdout=unread,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert (done.returncode, done.stderr) == (1, "")


def test_another_pipe_that_breaks_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_: object) -> int:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    monkeypatch.setattr("liverseg_gui.cli.info.run_info", fails)
    assert main(["info", "disc"]) == 1
    assert "Broken pipe" in capsys.readouterr().err


def test_training_says_in_one_line_what_it_lacks(tmp_path: Path) -> None:
    words = ["train", "--data", str(tmp_path / "gone"), "--out", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "-m", "liverseg_gui", *words], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
