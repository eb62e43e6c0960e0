from __future__ import annotations

import os
from pathlib import Path

import pytest

from liverseg_gui.io import folders
from liverseg_gui.io.entries import SkippedFile
from liverseg_gui.io.folders import list_folder, walk


def told(folder: Path) -> tuple[list[str], dict[str, str]]:
    """The names below `folder`, and by name why something was passed over."""
    passed: list[SkippedFile] = []
    names = [name for _, names in walk(folder, passed) for name in names]
    return names, {p.path.name: p.why for p in passed}


def test_a_link_that_loops_hides_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "1.dcm").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "gone").symlink_to("nowhere")
    (tmp_path / "z.dcm").touch()
    names, passed = told(tmp_path)
    assert names == ["1.dcm", "z.dcm"]
    assert list(passed) == [tmp_path.name]
    assert "2 entries of the folder cannot be read, the first of them gone" in passed[tmp_path.name]


def test_a_single_entry_that_cannot_be_read_is_told_with_its_own_reason(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert "symbolic links" in told(tmp_path)[1]["loop"]


def test_links_that_no_scan_can_be_behind_are_not_told(tmp_path: Path) -> None:
    for name in (".lock", "notes.txt"):
        (tmp_path / name).symlink_to("nowhere")
    assert told(tmp_path) == ([], {})


def test_a_link_to_a_folder_is_told_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "1.dcm").touch()
    (tmp_path / "again").symlink_to("study")
    names, passed = told(tmp_path)
    assert names == ["1.dcm"]
    assert "not followed" in passed["again"]


@pytest.mark.parametrize("number", [13, 5])
def test_a_folder_that_cannot_be_listed_is_told_and_the_others_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    for name in ("a", "closed", "z"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.dcm").touch()
    real = os.scandir

    def scandir(place: Path) -> object:
        if Path(place).name == "closed":
            raise OSError(number, os.strerror(number), str(place))
        return real(place)

    monkeypatch.setattr(folders.os, "scandir", scandir)
    names, passed = told(tmp_path)
    assert len(names) == 2
    assert passed == {"closed": f"cannot be read: {os.strerror(number)}."}


def test_a_listing_that_breaks_off_keeps_what_it_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "1.dcm").touch()
    real = os.scandir

    class Breaks:
        def __init__(self, place: Path) -> None:
            self._entries = real(place)

        def __enter__(self) -> Breaks:
            return self

        def __exit__(self, *_: object) -> None:
            self._entries.close()

        def __iter__(self) -> object:
            yield from self._entries
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(folders.os, "scandir", Breaks)
    listing = list_folder(tmp_path)
    assert listing.files == ["1.dcm"]
    assert listing.unread == {"": "Input/output error"}


@pytest.mark.skipif(os.name == "nt", reason="paths have another limit")
def test_a_tree_deeper_than_the_system_can_name_is_told(tmp_path: Path) -> None:
    (tmp_path / "scan.nii").touch()
    here = os.open(tmp_path, os.O_RDONLY)
    try:
        for _ in range(45):
            os.mkdir("d" * 100, dir_fd=here)
            inner = os.open("d" * 100, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = inner
    finally:
        os.close(here)
    names, passed = told(tmp_path)
    assert names == ["scan.nii"]
    assert list(passed.values()) == ["cannot be read: File name too long."]
