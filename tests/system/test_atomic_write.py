from __future__ import annotations

import os
from pathlib import Path

import pytest

from liverseg_gui.core.errors import SaveError
from liverseg_gui.system.atomic_write import Problem, atomic_write, write_text


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "kept.txt"
    path.write_text("before")
    return path


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def fail_midway(path: Path, error: Exception, problem: Problem | None = None) -> None:
    with atomic_write(path, problem) as beside:
        beside.write_text("half")
        raise error


def test_a_text_takes_the_place_of_another_and_leaves_nothing_beside_it(kept: Path) -> None:
    write_text(kept, "after")
    assert kept.read_text() == "after"
    assert names(kept.parent) == ["kept.txt"]


@pytest.mark.parametrize("folder", ["missing", "file"])
def test_where_nothing_can_be_written_that_is_said(folder: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SaveError, match="could not be written"):
        write_text(tmp_path / folder / "kept.txt", "text")


def test_the_old_file_is_whole_until_the_new_one_is(kept: Path) -> None:
    with atomic_write(kept) as beside:
        beside.write_text("half")
        assert kept.read_text() == "before"
    assert kept.read_text() == "half"


@pytest.mark.parametrize("error", [ValueError("odd"), SaveError("It did not read back.")])
def test_what_goes_wrong_meanwhile_is_told_as_it_is_and_leaves_the_old_file(
    kept: Path, error: Exception
) -> None:
    with pytest.raises(type(error), match=str(error)):
        fail_midway(kept, error)
    assert kept.read_text() == "before"
    assert names(kept.parent) == ["kept.txt"]


def test_an_error_of_the_system_is_told_with_what_failed_and_what_to_do(kept: Path) -> None:
    with pytest.raises(SaveError, match=r"^The log is lost: No space left\. Make room\.$"):
        fail_midway(
            kept,
            OSError(28, "No space left"),
            lambda reason: SaveError(f"The log is lost: {reason}.", "Make room."),
        )
    assert kept.read_text() == "before"
    assert names(kept.parent) == ["kept.txt"]


def test_a_file_is_on_the_disk_before_it_takes_its_name(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []
    fsync = os.fsync

    def told(handle: int) -> None:
        flushed.append(kept.read_text())
        fsync(handle)

    monkeypatch.setattr(os, "fsync", told)
    write_text(kept, "after")
    assert flushed[0] == "before"
    assert flushed[1:] == (["after"] if os.name == "posix" else [])


def test_a_format_that_is_chosen_by_the_name_is_there_beside_too(kept: Path) -> None:
    with atomic_write(kept, ending=".nii.gz") as beside:
        assert beside.name.endswith(".nii.gz")
        beside.write_text("after")
    assert names(kept.parent) == ["kept.txt"]
