from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from liverseg_gui.system.regular_file import (
    file_stamp,
    open_regular,
    read_json,
    read_text,
    require_regular,
)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="has no such files")


@pytest.fixture(params=["pipe", "socket", "device", "folder", "link to a pipe"])
def odd(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """What has a file's name and is none."""
    path = tmp_path / "odd"
    if request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(os.path.relpath(path))
    elif request.param == "device":
        path.symlink_to("/dev/zero")
    elif request.param == "folder":
        path.mkdir()
    else:
        os.mkfifo(tmp_path / "pipe")
        path.symlink_to(tmp_path / "pipe")
    return path


def test_what_is_no_file_is_refused_at_once(odd: Path) -> None:
    for read in (open_regular, require_regular, read_text, read_json, file_stamp):
        with pytest.raises(OSError, match=r"not a file|directory|No such device"):
            read(odd)


def test_a_file_and_a_link_to_it_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_text('{"b": "\u00e9"}', encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert read_json(tmp_path / "link") == {"b": "\u00e9"}


def test_json_nested_beyond_all_sense_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "bomb.json").write_text("[" * 200_000)
    with pytest.raises(ValueError, match="nested"):
        read_json(tmp_path / "bomb.json")


def test_a_file_of_the_same_time_and_size_has_another_stamp(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("one")
    os.utime(path, ns=(1, 1))
    before = file_stamp(path)
    other = tmp_path / "b"
    other.write_text("two")
    os.utime(other, ns=(1, 1))
    other.replace(path)
    assert file_stamp(path)[:2] == before[:2]
    assert file_stamp(path) != before
