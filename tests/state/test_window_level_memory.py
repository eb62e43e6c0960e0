from __future__ import annotations

from pathlib import Path

import pytest

from liverseg_gui.core.window_level import PRESETS, Window
from liverseg_gui.state.settings import Settings
from liverseg_gui.state.user_presets import (
    preset_name_problem,
    preset_of,
    renamed,
    same_name,
    tidy_name,
)
from liverseg_gui.state.window_level_memory import WindowLevelMemory, study_key


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "settings.json")


def test_a_study_seen_for_the_first_time_has_the_preferred_preset(settings: Settings) -> None:
    settings.change(preset="Lung")
    assert WindowLevelMemory(settings).opened("a") == PRESETS["Lung"]


def test_the_window_used_last_comes_back(settings: Settings) -> None:
    memory = WindowLevelMemory(settings)
    memory.opened("a")
    memory.used(Window(300, 70))
    memory.used(Window(310, 75))
    assert memory.opened("b") == PRESETS["Abdomen"]
    assert memory.opened("a") == Window(310, 75)


def test_it_comes_back_after_a_restart(settings: Settings, tmp_path: Path) -> None:
    memory = WindowLevelMemory(settings)
    memory.opened("a")
    memory.used(Window(300, 70))
    memory.keep()
    assert WindowLevelMemory(Settings(tmp_path / "settings.json")).opened("a") == Window(300, 70)


def test_nothing_is_written_until_it_is_to_be_kept_nor_twice(settings: Settings) -> None:
    written: list[None] = []
    settings.changed.connect(lambda: written.append(None))
    memory = WindowLevelMemory(settings)
    memory.opened("a")
    for width in range(100, 200):
        memory.used(Window(width, 40))
    assert not written
    memory.keep()
    memory.keep()
    memory.used(Window(199, 40))
    memory.keep()
    assert len(written) == 1


def test_a_window_that_was_never_changed_is_not_kept(settings: Settings) -> None:
    memory = WindowLevelMemory(settings)
    memory.opened("a")
    memory.keep()
    settings.change(preset="Bone")
    memory.opened("b")
    assert memory.opened("a") == PRESETS["Bone"]


def test_the_same_study_again_keeps_the_window_it_has(settings: Settings) -> None:
    memory = WindowLevelMemory(settings)
    memory.opened("a")
    assert memory.opened("a") is None


def test_a_study_without_a_key_is_not_remembered(settings: Settings) -> None:
    memory = WindowLevelMemory(settings)
    memory.opened("")
    memory.used(Window(300, 70))
    memory.keep()
    assert memory.opened("") == PRESETS["Abdomen"]


def test_clearing_forgets_what_was_used_and_what_was_kept(settings: Settings) -> None:
    memory = WindowLevelMemory(settings)
    memory.opened("a")
    memory.used(Window(300, 70))
    memory.keep()
    memory.used(Window(310, 70))
    memory.forget()
    settings.clear_recent()
    memory.keep()
    assert settings.values.study_windows.get("a") is None


def test_the_200_studies_seen_last_are_remembered(settings: Settings) -> None:
    memory = WindowLevelMemory(settings)
    for n in range(205):
        memory.opened(f"study {n}")
        memory.used(Window(300 + n, 70))
    memory.keep()
    assert settings.values.study_windows.get("study 4") is None
    assert settings.values.study_windows.get("study 5") == Window(305, 70)


def test_a_key_tells_volumes_apart_and_nothing_of_the_path() -> None:
    path = Path("/scans/Doe^Jane")
    keys = {study_key(path, 1), study_key(path, 2), study_key(Path("/scans/other"), 1)}
    assert len(keys) == 3
    assert study_key(path, 1) == study_key(path, 1)
    assert not any("doe" in key.lower() for key in keys)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "Type a name."),
        ("liver", "A preset of the program has this name. Choose another one."),
        ("x" * 33, "A name has at most 32 letters."),
        ("HCC arterial", ""),
    ],
)
def test_a_name_must_be_there_short_and_not_one_of_the_programs(name: str, problem: str) -> None:
    assert preset_name_problem(name) == problem


def test_a_study_is_the_same_by_whichever_way_it_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scans").mkdir()
    scan = tmp_path / "scans" / "ct.nii.gz"
    scan.touch()
    monkeypatch.chdir(tmp_path / "scans")
    for path in (Path("ct.nii.gz"), Path("../scans/ct.nii.gz")):
        assert study_key(path, 1) == study_key(scan, 1)


def test_names_are_compared_without_regard_to_capitals_and_space() -> None:
    assert tidy_name("  HCC   late ") == "HCC late"
    assert same_name("hcc LATE", ["Fat", "HCC late"]) == "HCC late"
    assert same_name("HCC", ["HCC late"]) is None


def test_a_renamed_preset_keeps_its_place() -> None:
    presets = {"a": Window(1, 1), "b": Window(2, 2), "c": Window(3, 3)}
    assert list(renamed(presets, "b", "x")) == ["a", "x", "c"]
    assert preset_of(Window(2, 2), renamed(presets, "b", "x")) == "x"
    assert preset_of(Window(9, 9), presets) is None
