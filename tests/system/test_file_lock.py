"""Files that several open programs change, one after the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from liverseg_gui.core.errors import SaveError
from liverseg_gui.system import file_lock
from liverseg_gui.system.file_lock import locked


def test_the_folder_is_made_and_the_lock_let_go_of(tmp_path: Path) -> None:
    path = tmp_path / "new" / "list.json"
    for _ in range(2):
        with locked(path):
            path.write_text("x")
    assert path.read_text() == "x"


def test_it_is_let_go_of_where_the_change_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_lock, "_PATIENCE_S", 0.0)
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "list.json"):
        raise ZeroDivisionError
    with locked(tmp_path / "list.json"):
        pass


def test_a_second_one_is_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list.json"
    monkeypatch.setattr(file_lock, "_PATIENCE_S", 0.0)
    with locked(path), pytest.raises(SaveError, match=r"list\.json could not be written: another"):
        locked(path).__enter__()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SaveError, match=r"list\.json could not be written: .*permissions"):
        locked(tmp_path / "file" / "list.json").__enter__()
