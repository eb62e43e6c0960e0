"""What a killed program was writing goes, and what one that runs is writing stays."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from liverseg_gui.system import partial_files
from liverseg_gui.system.atomic_write import atomic_write, write_text
from liverseg_gui.system.partial_files import is_partial, partial_file, partial_folder

WRITER = (
    "import sys; from pathlib import Path; "
    "from liverseg_gui.system.partial_files import partial_file, partial_folder; "
    "target = Path(sys.argv[1]); "
    "kept = partial_file(target, '.nii.gz'); folder = partial_folder(target); "
    "kept.__enter__().write_text('half'); (folder.__enter__() / 'half').touch(); "
    "print('ready', flush=True); sys.stdin.read()"
)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "mask.nii.gz"


@pytest.fixture
def other(target: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process of the program, which is writing a file and a folder."""
    command = [sys.executable, "-c", WRITER, str(target)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def partial(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if is_partial(path.name)]


def anew() -> None:
    """As another process, which has not looked through any folder."""
    partial_files._swept.clear()


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no locks on what is to be renamed")
def test_what_a_killed_process_was_writing_goes_with_the_next_write_there(
    other: subprocess.Popen[str], target: Path
) -> None:
    write_text(target, "mine")
    assert len(partial(target.parent)) == 2
    other.kill()
    other.wait()
    anew()
    write_text(target.with_name("another.txt"), "mine")
    assert sorted(path.name for path in target.parent.iterdir()) == ["another.txt", "mask.nii.gz"]


def test_two_that_write_the_same_file_do_not_write_into_one_another(target: Path) -> None:
    with partial_file(target) as first, partial_file(target) as second:
        assert first != second
        assert len(partial(target.parent)) == 2
    assert partial(target.parent) == []


def test_the_number_of_the_process_is_in_no_name(target: Path) -> None:
    with partial_file(target, ".png") as path:
        assert str(os.getpid()) not in path.name.split("-")[-1].split(".")
        assert path.name.endswith(".png")
        assert "mask" not in path.name


def test_what_another_computer_is_writing_stays(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = target.with_name(".liverseg-00000000-0123456789abcdef.part")
    there.touch()
    write_text(target, "mine")
    assert there.exists()


@pytest.mark.parametrize(
    ("name", "hours", "goes"),
    [
        (".mask.nii.gz.4711.nii.gz", 48, True),
        (".mask.nii.gz.4711.nii.gz", 1, False),
        (".other.nii.gz.4711.nii.gz", 48, False),
        (".mask.nii.gz.backup", 48, False),
        ("mask.nii.gz.4711", 48, False),
    ],
)
def test_what_earlier_versions_left_of_the_same_file_goes_when_it_is_old(
    name: str, hours: int, goes: bool, target: Path
) -> None:
    left = target.with_name(name)
    left.touch()
    os.utime(left, (time.time() - hours * 3600,) * 2)
    write_text(target, "mine")
    assert left.exists() is not goes


def test_a_folder_that_was_renamed_stays(target: Path) -> None:
    with partial_folder(target) as path:
        (path / "file").touch()
        path.rename(target)
    assert (target / "file").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes and links")
def test_a_file_that_is_replaced_hands_on_its_mode_and_a_link_stays(
    target: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    real = tmp_path / "elsewhere" / "real.nii.gz"
    real.write_text("before")
    real.chmod(0o600)
    target.symlink_to(real)
    write_text(target, "after")
    assert target.is_symlink()
    assert real.read_text() == "after"
    assert real.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "mask.nii.gz"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_a_new_file_has_the_mode_of_any_other(target: Path) -> None:
    before = os.umask(0o027)
    try:
        with atomic_write(target) as beside:
            beside.write_text("new")
    finally:
        os.umask(before)
    assert target.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root gives files away")
def test_a_file_that_is_replaced_keeps_its_owner(target: Path) -> None:
    target.touch()
    os.chown(target, 4711, 4712)
    write_text(target, "after")
    assert (target.stat().st_uid, target.stat().st_gid) == (4711, 4712)
