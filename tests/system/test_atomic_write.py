from __future__ import annotations

from pathlib import Path

import pytest

from liverseg_gui.core.errors import SaveError
from liverseg_gui.system.atomic_write import write_text


def test_a_text_takes_the_place_of_another_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("before")
    write_text(tmp_path / "kept.txt", "after")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("kept.txt", "after")]


@pytest.mark.parametrize("folder", ["missing", "file"])
def test_where_nothing_can_be_written_that_is_said(folder: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SaveError, match="could not be written"):
        write_text(tmp_path / folder / "kept.txt", "text")
