"""Two programs that keep their settings in one file, and what a file may hold."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from liverseg_gui.core.window_level import Window
from liverseg_gui.state.merging import merged
from liverseg_gui.state.overlay_style import OverlayStyle
from liverseg_gui.state.preferences import Theme
from liverseg_gui.state.settings import Settings
from liverseg_gui.state.settings_values import MOST_STUDY_WINDOWS, SettingsValues
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


def test_scans_opened_in_both_windows_are_in_the_list(file: Path, tmp_path: Path) -> None:
    first = Settings(file)
    first.opened(tmp_path / "old")
    here, there = Settings(file), Settings(file)
    there.opened(tmp_path / "there")
    here.opened(tmp_path / "here")
    assert Settings(file).values.recent == tuple(tmp_path / n for n in ("here", "old", "there"))
    there.forget_recent(tmp_path / "old")
    here.opened(tmp_path / "here 2")
    names = [path.name for path in Settings(file).values.recent]
    assert names == ["here 2", "here", "there"]


def test_two_sides_of_the_overlay_changed_in_two_windows_are_both_kept(file: Path) -> None:
    Settings(file).change(overlay=OverlayStyle())
    here, there = Settings(file), Settings(file)
    there.change(overlay=OverlayStyle(contour_px=3.0))
    here.change(overlay=OverlayStyle(opacity=0.7))
    overlay = Settings(file).values.overlay
    assert (overlay.opacity, overlay.contour_px) == (0.7, 3.0)


_WRITER = """
import sys
from pathlib import Path
from liverseg_gui.core.window_level import Window
from liverseg_gui.state.settings import Settings

settings, name = Settings(Path(sys.argv[1])), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for n in range(40):
    settings.remember_window(f"{name} {n}", Window(100 + n, 0))
"""


def test_nothing_is_lost_where_two_programs_write_without_a_pause(file: Path) -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    both = [
        subprocess.Popen([sys.executable, "-c", _WRITER, file, name], text=True, **pipes)
        for name in "ab"
    ]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in both:
        process.communicate()
    assert [process.returncode for process in both] == [0, 0]
    kept = Settings(file).values.study_windows
    assert set(kept) == {f"{name} {n}" for name in "ab" for n in range(40)}


_WRONG = (
    *(None, True, -1, 0, 3, 1e308, 10**400, 0.5, "", "x", "Dark", "\x00", "\ud800", [], [1], ["a"]),
    *([None], [[1, 2]], {}, {"a": 1}, {"a": None}, {"a": [1, 2, 3]}, {"a": ["x", "y"]}),
    *({"a": [1e308, -1e308]}, {"1": {"rgb": [1]}}, {"a": {"1": 7}}, {"a": {"x": 1}}, {"path": 3}),
    *({"path": "x", "number": "y"}, {"path": None, "number": None}, {"styles": {"1": 5}}),
    *({"styles": {"9": {"rgb": [999, -1, "z"], "opacity": "q"}}}, {"opacity": [], "fill": 3}),
)


@pytest.mark.parametrize("name", [field.name for field in fields(SettingsValues)])
def test_no_value_of_the_file_is_an_error_at_the_start_or_later(file: Path, name: str) -> None:
    for wrong in _WRONG:
        text = json.dumps({"window_up": True, name: wrong})
        file.write_text(text)
        settings = Settings(file)
        failures: list[str] = []
        settings.failed.connect(failures.append)
        file.write_text(text)
        settings.change(hide_patient=True)
        settings.remember_window("k", Window(300, 30))
        settings.opened(Path("/scan"))
        assert not failures
        again = Settings(file)
        assert again.values.hide_patient
        assert again.values.study_windows["k"] == Window(300, 30)
        assert again.note == ""
        file.unlink()
