"""What is unpacked goes, even where its process was killed, and nothing else does."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import filelock
import pytest

from liverseg_gui.system import temporary_files
from liverseg_gui.system.temporary_files import (
    make_temporary,
    remove_temporary,
    sweep_temporary,
    temporary_folder,
)

HOLDER = (
    "import os, sys; os.umask(0o002); "
    "from liverseg_gui.system.temporary_files import make_temporary; "
    "folder = make_temporary(); (folder / 'slice.dcm').touch(); "
    "print(folder, flush=True); sys.stdin.read()"
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place for temporary files."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def other(place: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process of the program, which has unpacked something."""
    command = [sys.executable, "-c", HOLDER]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes, env={**os.environ, "TMPDIR": str(place)}) as process:
        yield process
        process.kill()


def unpacked_by(process: subprocess.Popen[str]) -> Path:
    assert process.stdout is not None
    return Path(process.stdout.readline().strip())


@pytest.fixture
def left(place: Path) -> Path:
    """A folder as a killed process leaves it."""
    left = place / f"{temporary_files._PREFIX}abcd1234"
    (left / "files").mkdir(parents=True, mode=0o700)
    left.chmod(0o700)
    (left / "files" / "slice.dcm").touch()
    (left / "in-use.lock").touch(0o600)
    return left


def test_what_a_running_process_unpacked_stays_and_what_a_killed_one_did_goes(
    place: Path, other: subprocess.Popen[str]
) -> None:
    folder = unpacked_by(other)
    sweep_temporary()
    assert (folder / "slice.dcm").exists()
    other.kill()
    other.wait()
    assert (folder / "slice.dcm").exists()
    sweep_temporary()
    assert list(place.iterdir()) == []


def test_a_folder_of_ones_own_stays_until_it_is_removed(place: Path) -> None:
    folder = make_temporary()
    sweep_temporary()
    assert folder.is_dir()
    assert folder.parent.stat().st_mode & 0o077 == 0
    remove_temporary(folder)
    remove_temporary(folder)
    assert list(place.iterdir()) == []


def test_a_folder_for_a_while_goes_after_an_error_too(place: Path) -> None:
    def fails() -> None:
        with temporary_folder() as folder:
            assert folder.is_dir()
            raise ValueError("no scan")

    with pytest.raises(ValueError, match="no scan"):
        fails()
    assert list(place.iterdir()) == []


def test_a_folder_that_is_just_being_made_stays(left: Path) -> None:
    (left / "files" / "slice.dcm").unlink()
    (left / "files").rmdir()
    sweep_temporary()
    assert left.is_dir()


@pytest.mark.parametrize("name", ["liverseg-self-test-abcd1234", "liverseg-abcd1234", "abcd1234"])
def test_what_has_another_name_stays(left: Path, name: str) -> None:
    moved = left.rename(left.with_name(name))
    sweep_temporary()
    assert (moved / "files" / "slice.dcm").exists()


def test_no_link_is_followed(left: Path, tmp_path: Path) -> None:
    files = (left / "files").rename(tmp_path / "precious")
    (left / "files").symlink_to(files, target_is_directory=True)
    whole = tmp_path / f"{temporary_files._PREFIX}abcd5678"
    whole.symlink_to(left, target_is_directory=True)
    sweep_temporary()
    assert (files / "slice.dcm").exists()
    assert left.is_dir()
    assert whole.is_symlink()


def test_a_lock_that_is_a_link_is_not_opened(left: Path, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    (left / "in-use.lock").unlink()
    (left / "in-use.lock").symlink_to(target)
    sweep_temporary()
    assert not target.exists()
    assert (left / "files" / "slice.dcm").exists()


def test_what_is_another_computers_stays_for_its_locks_may_not_be_seen_here(place: Path) -> None:
    code = (
        "import os, socket; socket.gethostname = lambda: 'other'; "
        "from liverseg_gui.system.temporary_files import make_temporary; "
        "print(make_temporary(), flush=True); os._exit(9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TMPDIR": str(place)},
        stdout=subprocess.PIPE,
        text=True,
    )
    sweep_temporary()
    assert Path(done.stdout.strip()).is_dir()


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOLCK, os.strerror(errno.ENOLCK)), NotImplementedError("no locks here")],
)
def test_a_folder_that_could_not_be_locked_is_not_taken_for_left(
    error: Exception, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(lock: filelock.FileLock, **_: object) -> None:
        Path(lock.lock_file).touch()
        raise error

    with monkeypatch.context() as refusing:
        refusing.setattr(filelock.FileLock, "acquire", refuse)
        folder = make_temporary()
        sweep_temporary()
    sweep_temporary()
    assert folder.is_dir()
    remove_temporary(folder)
    assert list(place.iterdir()) == []


def test_what_the_system_keeps_is_removed_by_a_later_start(
    left: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = filelock.FileLock.release

    def release_as_on_windows(lock: filelock.FileLock, force: bool = False) -> None:
        held = lock.is_locked
        release(lock, force)
        if held:
            Path(lock.lock_file).unlink()

    with monkeypatch.context() as windows:
        windows.setattr(filelock.FileLock, "release", release_as_on_windows)
        windows.setattr("shutil.rmtree", lambda *_, **__: None)
        sweep_temporary()
    assert (left / "files" / "slice.dcm").exists()
    sweep_temporary()
    assert not left.exists()


def test_what_is_another_users_stays(left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(temporary_files.os, "getuid", lambda: left.stat().st_uid + 1)
    sweep_temporary()
    assert (left / "files" / "slice.dcm").exists()


def test_what_others_may_look_into_stays(left: Path) -> None:
    left.chmod(0o755)
    sweep_temporary()
    assert (left / "files" / "slice.dcm").exists()


def test_a_place_that_is_not_there_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    sweep_temporary()
