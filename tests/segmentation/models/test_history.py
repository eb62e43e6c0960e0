"""Going back to the model that an improved one replaced."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from liverseg_gui.core.errors import ModelError, SaveError
from liverseg_gui.segmentation.models.history import (
    choose_instead,
    previous_model,
    previous_model_file,
    roll_back,
)
from liverseg_gui.segmentation.models.registry import choose_model, user_models
from liverseg_gui.segmentation.models.store import remove_model
from liverseg_gui.state.settings import Settings
from liverseg_gui.system import file_lock


@pytest.fixture(autouse=True)
def models(untrained_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader's models "first" and "second", and the default one in use."""
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path / "home"))
    for name in ("first", "second"):
        shutil.copytree(untrained_model, user_models() / name)


def test_the_model_before_is_chosen_again_and_the_choice_is_kept() -> None:
    choose_instead("first", Settings())
    assert Settings().model == "first"
    assert previous_model(Settings()) == "default"
    assert roll_back(Settings()).name == "default"
    assert Settings().model == "default"
    assert previous_model(Settings()) is None


def test_going_back_twice_goes_back_two_models() -> None:
    choose_instead("first", Settings())
    choose_instead("second", Settings())
    assert [roll_back(Settings()).name for _ in range(2)] == ["first", "default"]


def test_a_model_that_was_removed_is_passed_over() -> None:
    choose_instead("first", Settings())
    choose_instead("second", Settings())
    remove_model("first", Settings())
    assert roll_back(Settings()).name == "default"


def test_a_model_that_is_in_use_again_already_is_passed_over() -> None:
    choose_instead("first", Settings())
    choose_instead("second", Settings())
    choose_model("first", Settings())
    assert roll_back(Settings()).name == "default"


def test_choosing_the_model_in_use_remembers_nothing() -> None:
    choose_instead("default", Settings())
    assert previous_model(Settings()) is None


def test_a_model_that_is_none_leaves_nothing_changed() -> None:
    with pytest.raises(ModelError, match="no model 'third'"):
        choose_instead("third", Settings())
    assert Settings().model == "default"
    assert previous_model(Settings()) is None


def test_where_nothing_was_replaced_there_is_nothing_to_go_back_to() -> None:
    with pytest.raises(ModelError, match="no model to go back to"):
        roll_back(Settings())


def test_a_damaged_memory_is_as_good_as_none() -> None:
    choose_instead("first", Settings())
    previous_model_file().write_text("{")
    with pytest.raises(ModelError, match="no model to go back to"):
        roll_back(Settings())
    assert Settings().model == "first"


def test_nothing_is_chosen_while_another_window_changes_what_is_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    choose_instead("first", Settings())
    monkeypatch.setattr(file_lock, "_PATIENCE_S", 0.0)
    with file_lock.locked(previous_model_file()):
        with pytest.raises(SaveError, match="another window of this program keeps it"):
            choose_instead("second", Settings())
        with pytest.raises(SaveError):
            roll_back(Settings())
    assert Settings().model == "first"
    assert previous_model(Settings()) == "default"
