from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from liverseg_gui.core.display import LabelStyle
from liverseg_gui.state.overlay_style import OverlayStyle
from liverseg_gui.state.settings import Settings
from liverseg_gui.state.settings_values import LastStudy
from liverseg_gui.state.view import ViewState
from liverseg_gui.system.paths import config_folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.json"


def test_without_a_file_nothing_is_hidden_or_reopened(file: Path) -> None:
    settings = Settings(file)
    assert not settings.values.hide_patient
    assert not settings.values.reopen_last
    assert settings.values.recent == ()
    assert settings.values.last is None
    assert settings.note == ""
    assert not file.exists()


def test_they_are_kept_in_the_settings_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path / "home"))
    Settings().change(hide_patient=True)
    assert (config_folder() / "settings.json").is_file()
    assert Settings().values.hide_patient


def test_everything_is_there_at_the_next_start(file: Path, tmp_path: Path) -> None:
    settings = Settings(file)
    settings.change(hide_patient=True, reopen_last=True)
    settings.opened(tmp_path / "ä scan.nii.gz", 2)
    settings.remember_label_map("5,7", {5: 1, 7: 2, 0: 0})
    again = Settings(file)
    assert again.values.hide_patient
    assert again.values.reopen_last
    assert again.values.recent == (tmp_path / "ä scan.nii.gz",)
    assert again.values.last == LastStudy(tmp_path / "ä scan.nii.gz", 2)
    assert again.values.label_maps.get("5,7") == {5: 1, 7: 2, 0: 0}
    assert again.values.label_maps.get("other") is None


def test_nine_recent_paths_the_newest_first_and_none_twice(file: Path, tmp_path: Path) -> None:
    settings = Settings(file)
    for n in [*range(12), 5]:
        settings.opened(tmp_path / str(n))
    assert [path.name for path in settings.values.recent] == [
        "5",
        "11",
        "10",
        "9",
        "8",
        "7",
        "6",
        "4",
        "3",
    ]


def test_a_path_that_is_gone_can_be_forgotten_alone(file: Path, tmp_path: Path) -> None:
    settings = Settings(file)
    settings.opened(tmp_path / "a")
    settings.opened(tmp_path / "b")
    settings.forget_recent(tmp_path / "b")
    assert settings.values.recent == (tmp_path / "a",)
    assert settings.values.last is None


def test_clearing_forgets_the_last_study_too(file: Path, tmp_path: Path) -> None:
    settings = Settings(file)
    settings.opened(tmp_path / "a")
    settings.clear_recent()
    assert Settings(file).values.recent == ()
    assert Settings(file).values.last is None
    assert str(tmp_path / "a") not in file.read_text()


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "3",
        '{"hide_patient": "yes"}',
        '{"recent": 3}',
        '{"recent": [1]}',
        '{"last": {"path": "x"}}',
        '{"label_maps": {"a": {"1": 3}}}',
        '{"label_maps": {"a": {"one": 1}}}',
        '{"hide_patient": true, "label_maps": 5}',
        "\ufffe",
    ],
)
def test_a_damaged_file_is_set_aside_and_defaults_are_used(file: Path, content: str) -> None:
    file.parent.mkdir()
    file.write_text(content, "utf-8")
    settings = Settings(file)
    assert "set aside" in settings.note
    assert not settings.values.hide_patient
    assert not file.exists()
    assert file.with_name("settings.json.bad").read_text("utf-8") == content
    settings.change(hide_patient=True)
    assert Settings(file).values.hide_patient


def test_a_setting_from_a_later_version_does_no_harm(file: Path) -> None:
    file.parent.mkdir()
    file.write_text('{"hide_patient": true, "new": 1}')
    assert Settings(file).values.hide_patient


def test_changes_are_told(file: Path) -> None:
    settings, told = Settings(file), []
    settings.changed.connect(lambda: told.append(settings.values.hide_patient))
    settings.change(hide_patient=True)
    assert told == [True]


def test_where_nothing_can_be_written_it_is_said_and_holds_for_now(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings, said = Settings(tmp_path / "file" / "settings.json"), []
    settings.failed.connect(said.append)
    settings.change(hide_patient=True)
    assert settings.values.hide_patient
    assert "could not be kept" in said[0]


def test_no_half_written_file_stays_behind(file: Path, tmp_path: Path) -> None:
    Settings(file).opened(tmp_path)
    assert sorted(path.name for path in file.parent.iterdir()) == ["settings.json", "settings.lock"]


def test_how_masks_are_drawn_is_there_at_the_next_start(file: Path) -> None:
    styles = {1: LabelStyle((1, 2, 3), 0.5), 2: LabelStyle((4, 5, 6), 0.25)}
    look = OverlayStyle(0.7, False, True, 3.0, True, styles)
    Settings(file).change(overlay=look)
    assert Settings(file).values.overlay == look
    view = ViewState()
    Settings(file).values.overlay.apply(view)
    assert OverlayStyle.of(view) == look


def test_a_label_that_was_hidden_is_seen_at_the_next_start(file: Path) -> None:
    view = ViewState()
    view.styles = {1: LabelStyle((1, 2, 3), 0.5, visible=False), 2: view.styles[2]}
    Settings(file).change(overlay=OverlayStyle.of(view))
    assert Settings(file).values.overlay.styles[1] == LabelStyle((1, 2, 3), 0.5, visible=True)


def test_an_overlay_that_could_not_be_seen_is_limited_to_one_that_can(file: Path) -> None:
    file.parent.mkdir()
    overlay = {"opacity": 7, "contour_px": 0, "fill": False, "contour": False, "new": 1}
    file.write_text(json.dumps({"overlay": overlay}))
    read = Settings(file).values.overlay
    assert (read.opacity, read.contour_px) == (1.0, 0.5)
    assert read.contour


@pytest.mark.parametrize(
    "overlay",
    [
        {"opacity": "much"},
        {"fill": 1},
        {"styles": {"1": {"rgb": [1, 2], "opacity": 1}}},
        {"contour_px": math.nan},
        [],
    ],
)
def test_a_damaged_overlay_sets_the_settings_aside(file: Path, overlay: object) -> None:
    file.parent.mkdir()
    file.write_text(json.dumps({"overlay": overlay}))
    settings = Settings(file)
    assert settings.values.overlay == OverlayStyle()
    assert "set aside" in settings.note
