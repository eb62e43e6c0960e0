"""What `liverseg` does with its words before and after a command runs."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from liverseg_gui.cli.main import main


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
    monkeypatch.setattr("liverseg_gui.ui.app.run_window", lambda path, *_: f"window on {path}")
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
    left = tmp_path / "liverseg-abcd1234"
    (left / "files").mkdir(parents=True)
    (left / "in-use.lock").touch()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("liverseg_gui.ui.app.run_window", lambda *_: 0)
    assert main(words) == 0
    assert not left.exists()
