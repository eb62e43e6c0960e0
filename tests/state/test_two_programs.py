"""Two programs that keep their settings in one file, and what a file may hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from liverseg_gui.core.window_level import Window
from liverseg_gui.state.merging import merged
from liverseg_gui.state.preferences import Theme
from liverseg_gui.state.settings import Settings
from liverseg_gui.state.settings_values import MOST_STUDY_WINDOWS
from liverseg_gui.state.user_presets import MOST_USER_PRESETS


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.json"


def test_a_preset_saved_in_another_window_outlives_what_is_kept_here(file: Path) -> None:
    here, there = Settings(file), Settings(file)
    there.change(user_presets={"Spleen": Window(200, 60)})
    here.change(theme=Theme.LIGHT)
    here.remember_window("k", Window(300, 30))
    again = Settings(file)
    assert again.values.user_presets == {"Spleen": Window(200, 60)}
    assert again.values.theme is Theme.LIGHT
    assert again.values.study_windows.get("k") == Window(300, 30)


def test_presets_of_both_windows_are_kept_and_what_either_deletes_is_gone(file: Path) -> None:
    first = Settings(file)
    first.change(user_presets={"A": Window(1, 1), "B": Window(2, 2)})
    here, there = Settings(file), Settings(file)
    there.change(user_presets={"A": Window(1, 1), "C": Window(3, 3)})
    here.change(user_presets={"B": Window(2, 5), "D": Window(4, 4)})
    assert Settings(file).values.user_presets == {
        "C": Window(3, 3),
        "B": Window(2, 5),
        "D": Window(4, 4),
    }


def test_what_was_forgotten_elsewhere_does_not_come_back(file: Path, tmp_path: Path) -> None:
    first = Settings(file)
    first.opened(tmp_path / "scan.nii.gz")
    first.remember_window("k", Window(300, 30))
    here, there = Settings(file), Settings(file)
    there.clear_recent()
    here.change(theme=Theme.LIGHT)
    again = Settings(file)
    assert again.values.recent == ()
    assert again.values.last is None
    assert again.values.study_windows.get("k") is None


def test_no_more_studies_are_kept_than_are_remembered(file: Path) -> None:
    here, there = Settings(file), Settings(file)
    for n in range(MOST_STUDY_WINDOWS):
        here.remember_window(f"here {n}", Window(100 + n, 0))
    for n in range(3):
        there.remember_window(f"there {n}", Window(100 + n, 0))
    kept = json.loads(file.read_text())["study_windows"]
    assert len(kept) == MOST_STUDY_WINDOWS
    assert list(kept)[-3:] == ["there 0", "there 1", "there 2"]


def test_a_file_that_became_no_settings_is_written_anew(file: Path) -> None:
    settings = Settings(file)
    settings.change(hide_patient=True)
    damaged = ('{"study_windows": 3}', '{"hide_patient": "yes"}')
    for text in ("[]", "{", "[" * 100_000, *damaged):
        file.write_text(text)
        settings.change(window_up=not settings.values.window_up)
        assert Settings(file).values.hide_patient


def test_a_field_counts_from_where_it_was_changed_last() -> None:
    known, theirs = {"a": 1, "b": 1, "t": {"x": 1}}, {"a": 2, "b": 2, "t": {"x": 1, "y": 2}}
    assert merged(known, {"a": 1, "b": 3, "t": {"z": 3}}, theirs, ("t",)) == {
        "a": 2,
        "b": 3,
        "t": {"y": 2, "z": 3},
    }


def test_brackets_without_end_are_damage_like_any_other(file: Path) -> None:
    file.write_text("[" * 100_000)
    settings = Settings(file)
    assert "damaged" in settings.note
    assert not file.exists()


def test_only_presets_that_a_reader_could_have_named_are_taken(file: Path) -> None:
    names = ["Spleen", "", "a" * 33, "abdomen", "spleen", "two\nlines", *map(str, range(20))]
    file.write_text(json.dumps({"user_presets": {name: [100, 50] for name in names}}))
    presets = list(Settings(file).values.user_presets)
    assert presets[:3] == ["Spleen", "two lines", "0"]
    assert len(presets) == MOST_USER_PRESETS


def test_there_is_no_volume_before_the_first(file: Path) -> None:
    for number in (-3, 0):
        file.write_text(json.dumps({"last": {"path": "/scan", "number": number}}))
        last = Settings(file).values.last
        assert last is not None
        assert last.number is None
